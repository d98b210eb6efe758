"""`secrets.file`: a YAML file of names and values, and a folder with one file per secret.

Of the namespace `default`: `<data>/secrets.yaml` and `<data>/secrets/<name>`; of another:
`<data>/secrets.<namespace>.yaml` and `<data>/secrets.<namespace>/<name>`. Nobody but the daemon's user may read them.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from hostd.plugin import HostdError, Kind, ProvisionContext, SecretInfo, SecretsProvider
from hostd_builtin.secrets.private_files import NotPrivateError, read_private
from hostd_builtin.secrets.settings import NAME, NAMESPACE, SECRET_BYTES_MAX, SecretsSettings

HOMES = re.compile(r"secrets(\.[a-z][a-z0-9-]{0,62})?")
FILES_MAX, FAULTS_MAX = 1_000, 20
FILE_BYTES_MAX = 1024 * 1024


class FileSecrets(SecretsProvider):
    """Reads again what has changed; a file that others may read is refused."""

    id, since, stability = "secrets.file", "0.1", "stable"
    Settings = SecretsSettings

    async def provision(self, ctx: ProvisionContext) -> None:
        """Find the folder; warn of files in it that will be refused when a secret of theirs is asked for."""
        settings: SecretsSettings = self.settings
        self._home = _folder(settings.folder) if settings.folder else ctx.data_dir
        self._read: dict[Path, tuple[tuple[int, int, int], dict[str, str]]] = {}
        if self._home is not None:
            for fault in await asyncio.to_thread(self._faults, self._home):
                ctx.log.warning(fault)

    async def get(self, name: str, *, namespace: str = "default") -> str | None:
        """Return a secret's value.

        Raises:
            HostdError: CONFIG_INVALID naming the file that cannot be used, never what is in it.
        """
        if self._home is None or not NAME.fullmatch(name) or not NAMESPACE.fullmatch(namespace):
            return None
        return await asyncio.to_thread(self._look, self._home, name, namespace)

    async def names(self, *, namespace: str = "default") -> list[SecretInfo]:
        """Return the names in the files of a namespace. Raises HostdError CONFIG_INVALID."""
        if self._home is None or not NAMESPACE.fullmatch(namespace):
            return []
        return await asyncio.to_thread(self._list, self._home, namespace)

    def _list(self, home: Path, namespace: str) -> list[SecretInfo]:
        stem = _stem(namespace)
        folder = home / stem
        alone = {file.name for file in folder.iterdir() if NAME.fullmatch(file.name)} if folder.is_dir() else set()
        return [SecretInfo(name) for name in sorted(alone | self._names(home / f"{stem}.yaml").keys())]

    def _faults(self, home: Path) -> list[str]:
        """Return why files of secrets cannot be used, never what is in them; at most `FAULTS_MAX`, of as many looks."""
        found = []
        for path in islice(_files(home), FILES_MAX):
            try:
                self._names(path) if path.suffix == ".yaml" else _read_private(path, SECRET_BYTES_MAX)
            except HostdError as error:
                found.append(error.message)
        return found[:FAULTS_MAX]

    def _look(self, home: Path, name: str, namespace: str) -> str | None:
        stem = _stem(namespace)
        alone = _read_private(home / stem / name, SECRET_BYTES_MAX)
        if alone is not None:
            return _text(home / stem / name, alone[1]).removesuffix("\n").removesuffix("\r")
        return self._names(home / f"{stem}.yaml").get(name)

    def _names(self, path: Path) -> dict[str, str]:
        try:
            found = path.stat()
        except OSError:
            self._read.pop(path, None)
            return {}
        mark = (found.st_mtime_ns, found.st_size, found.st_ino)
        known = self._read.get(path)
        if known is not None and known[0] == mark:
            return known[1]
        read = _read_private(path, FILE_BYTES_MAX)
        if read is None:
            return {}
        names = parse_secrets(path, _text(path, read[1]))
        self._read[path] = (mark, names)
        return names


def _stem(namespace: str) -> str:
    return "secrets" if namespace == "default" else f"secrets.{namespace}"


def _files(home: Path) -> Iterator[Path]:
    """Yield the files that `get` may read."""
    for path in sorted(home.glob("secrets*")) if home.is_dir() else ():
        if path.is_dir() and HOMES.fullmatch(path.name):
            yield from (file for file in sorted(path.iterdir()) if NAME.fullmatch(file.name))
        elif path.suffix == ".yaml" and HOMES.fullmatch(path.stem):
            yield path


def _folder(text: str) -> Path:
    return Path(text).expanduser()


def unreadable(path: Path, why: str) -> HostdError:
    """Return the error for a file of secrets that cannot be used. `why` never holds what is in it."""
    return HostdError(Kind.INVALID, "CONFIG_INVALID", f"{path} cannot be used: {why}")


def _read_private(path: Path, most_bytes: int) -> tuple[Any, bytes] | None:
    """Return what a file is and holds, None when there is none. Raises HostdError CONFIG_INVALID."""
    try:
        return read_private(path, most_bytes=most_bytes)
    except NotPrivateError as error:
        raise unreadable(path, str(error)) from None


def _text(path: Path, data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise unreadable(path, "it is not UTF-8 text") from None


def parse_secrets(path: Path, text: str) -> dict[str, str]:
    """Return names and values of a flat YAML mapping; every value is taken as the text it is written as.

    Raises:
        HostdError: CONFIG_INVALID naming file and line, never a value.
    """
    import yaml

    try:
        node: Any = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise unreadable(path, f"it is not YAML{f', line {mark.line + 1}' if mark else ''}") from None
    if node is None:
        return {}
    if not isinstance(node, yaml.MappingNode):
        raise unreadable(path, "it must be a mapping of names to values")
    names: dict[str, str] = {}
    for key, value in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode) or not NAME.fullmatch(key.value):
            raise unreadable(path, f"line {line} has no name of a-z, 0-9 and _")
        if not isinstance(value, yaml.ScalarNode):
            raise unreadable(path, f"line {line}: the value of {key.value} must be a text")
        if key.value in names:
            raise unreadable(path, f"line {line}: {key.value} stands there twice")
        names[key.value] = value.value
    return names
