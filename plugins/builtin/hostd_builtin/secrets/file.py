"""`secrets.file`: a YAML file of names and values, and a folder with one file per secret.

Of the namespace `default`: `<data>/secrets.yaml` and `<data>/secrets/<name>`; of another:
`<data>/secrets.<namespace>.yaml` and `<data>/secrets.<namespace>/<name>`. Nobody but the daemon's user may read them.
"""

from __future__ import annotations

import asyncio
import os
import re
import stat
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from hostd.plugin import Field, HostdError, Kind, Options, ProvisionContext, SecretsProvider

NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
NAMESPACE = re.compile(r"[a-z][a-z0-9-]{0,62}")
HOMES = re.compile(r"secrets(\.[a-z][a-z0-9-]{0,62})?")
FILES_MAX, FAULTS_MAX = 1_000, 20
FILE_BYTES_MAX = 1024 * 1024
SECRET_BYTES_MAX = 64 * 1024


class FileSettings(Options):
    """Where the secrets lie."""

    folder: str = Field("", description="Folder that holds `secrets.yaml` and `secrets/`; empty = the data folder.")


class FileSecrets(SecretsProvider):
    """Reads again what has changed; a file that others may read is refused."""

    id, since, stability = "secrets.file", "0.1", "stable"
    Settings = FileSettings

    async def provision(self, ctx: ProvisionContext) -> None:
        """Find the folder; warn of files in it that will be refused when a secret of theirs is asked for."""
        settings: FileSettings = self.settings
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
        stem = "secrets" if namespace == "default" else f"secrets.{namespace}"
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


def _read_private(path: Path, most_bytes: int) -> tuple[os.stat_result, bytes] | None:
    """Return a file's bytes, None when there is none. Raises HostdError when others may read it, or it is no file."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_NONBLOCK", 0))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise unreadable(path, error.strerror or "it cannot be opened") from None
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise unreadable(path, "it is no plain file")
        if os.name == "posix" and stat.S_IMODE(found.st_mode) & 0o077:
            raise unreadable(path, f"its mode is {stat.S_IMODE(found.st_mode):04o}; `chmod 600` it")
        data = file.read(most_bytes + 1)
    if len(data) > most_bytes:
        raise unreadable(path, f"it has more than {most_bytes} bytes")
    return found, data


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
