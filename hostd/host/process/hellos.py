"""What plugins said they serve, remembered: a known one is listed, and its options are checked, without its process.

One file a plugin in `<data>/cache/plugins`. Nothing there is believed: a file of another program, of another content of
the plugin, that is damaged, altered, too large, or that no process could have said, counts as none. Permissions come
from the manifest, never from here; what the process says when it is started takes the place of what was remembered.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from collections.abc import Container
from pathlib import Path
from typing import NamedTuple

from google.protobuf.message import DecodeError

from hostd.host.process.components import check_hello
from hostd.plugin.v1 import host_pb2 as pb
from hostd.values.json_text import parse_json
from hostd.values.version import VERSION

MAGIC = b"hostd-hello-1\n"
SUM_BYTES = 32
BYTES_MAX = 16 * 1024 * 1024
Components = tuple[pb.Component, ...]


class Said(NamedTuple):
    """What a plugin serves, and the range of the API it was written for."""

    components: Components
    api: str = ""


class Hellos:
    """Of one data folder; None remembers nothing. All of it blocks."""

    def __init__(self, data_dir: Path | None) -> None:
        self._folder = data_dir / "cache" / "plugins" if data_dir is not None else None

    def recall(self, plugin: str, digest: str) -> Said | None:
        """Return what the very same plugin said once, None where nothing that can be used is known."""
        if self._folder is None:
            return None
        try:
            content = _read(self._folder / f"{plugin}.hello")
        except OSError:
            return None
        body = content[len(MAGIC) + SUM_BYTES :]
        if content != MAGIC + _sum(plugin, digest, body) + body:
            return None
        try:
            hello = pb.Hello.FromString(body)
            return Said(check_hello(hello), hello.api[:100])
        except (DecodeError, ValueError):
            return None

    def named(self, plugin: str) -> frozenset[str]:
        """Return the ids of what a plugin of that name said once, whatever it has become since; no more than a hint."""
        if self._folder is None:
            return frozenset()
        try:
            hello = pb.Hello.FromString(_read(self._folder / f"{plugin}.hello")[len(MAGIC) + SUM_BYTES :])
            return frozenset(one.id for one in check_hello(hello))
        except (OSError, DecodeError, ValueError):
            return frozenset()

    def keep(self, plugin: str, digest: str, said: Said) -> None:
        """Remember what a plugin said, in the place of what it said before; where it cannot be, nothing is."""
        if self._folder is None:
            return
        body = pb.Hello(components=said.components, api=said.api).SerializeToString()
        partial = self._folder / f"{plugin}.partial"
        if len(body) + len(MAGIC) + SUM_BYTES > BYTES_MAX:
            return
        with contextlib.suppress(OSError):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(MAGIC + _sum(plugin, digest, body) + body)
            partial.replace(self._folder / f"{plugin}.hello")

    def sweep(self, plugins: Container[str]) -> None:
        """Forget plugins that are not there any more."""
        if self._folder is None:
            return
        for file in self._folder.glob("*.hello"):
            if file.name.removesuffix(".hello") not in plugins:
                with contextlib.suppress(OSError):
                    file.unlink(missing_ok=True)


def _sum(plugin: str, digest: str, body: bytes) -> bytes:
    """Return what ties a memory to one content of one plugin, and to one hostd."""
    state = hashlib.blake2b(digest_size=SUM_BYTES)
    for part in (plugin.encode(), digest.encode(), VERSION.encode(), body):
        state.update(len(part).to_bytes(8, "big") + part)
    return state.digest()


def _read(path: Path) -> bytes:
    """Return a file's bytes. Raises OSError for one that is not ours, no file, or too large."""
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid() or found.st_size > BYTES_MAX:
            raise OSError(f"{path} is no memory of ours")
        return file.read(BYTES_MAX + 1)


def difference(before: Components, now: Components) -> str:
    """Return what a plugin serves now and did not before, or otherwise, for people; nothing where only words differ."""
    old = {(one.kind, one.id): one for one in before}
    new = {(one.kind, one.id): one for one in now}
    changed = sorted(key for key in new if key in old and _essence(new[key]) != _essence(old[key]))
    parts = [
        f"{word} {_named(keys)}"
        for word, keys in (
            ("new:", sorted(new.keys() - old.keys())),
            ("gone:", sorted(old.keys() - new.keys())),
            ("changed:", changed),
        )
        if keys
    ]
    return "; ".join(parts)


def _essence(component: pb.Component) -> tuple[object, ...]:
    schemas = (parse_json(text) if text else None for text in (component.options_schema, component.settings_schema))
    return (component.effects, component.instances, component.max_in_flight, *schemas)


def _named(keys: list[tuple[str, str]]) -> str:
    shown = ", ".join(f"{kind} {component}" for kind, component in keys[:10])
    return shown if len(keys) <= 10 else f"{shown} and {len(keys) - 10} more"
