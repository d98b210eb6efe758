"""Which versions of which files there are, what changed between two looks, and how long a change has rested."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple, TypeAlias

from hostd_builtin.file.patterns import Patterns
from hostd_builtin.file.walk import walk

Kind: TypeAlias = Literal["created", "modified", "deleted", "moved"]


class Version(NamedTuple):
    """One version of a file: other content has another one, wherever the file's name goes."""

    modified_ns: int
    size: int
    number: int  # the inode

    def text(self) -> str:
        """Return it as the cursor keeps it."""
        return f"{self.modified_ns:x}-{self.size:x}-{self.number:x}"

    @classmethod
    def parse(cls, text: str) -> Version:
        """Return what `text` made. Raises ValueError."""
        modified, size, number = (int(part, 16) for part in text.rsplit("-", 2))
        return cls(modified, size, number)


Files: TypeAlias = dict[str, Version]
"""Versions by path relative to the watched folder."""


class Change(NamedTuple):
    """What happened to a file. `version` is the last one known; `before` the path a moved one had."""

    kind: Kind
    path: str
    version: Version
    before: str = ""


class TooMany(Exception):
    """More files fit than may be watched."""


def scan(folder: int, wanted: Patterns, unwanted: Patterns, *, deep: bool, most: int) -> Files:
    """Return the files below an open folder that are wanted. Blocks. Raises TooMany."""
    files: Files = {}
    for entry in walk(folder, deep=deep):
        if entry.kind != "file" or not wanted.fits(entry.path) or unwanted.fits(entry.path):
            continue
        if len(files) == most:
            raise TooMany
        found = entry.found
        files[entry.path] = Version(found.st_mtime_ns, found.st_size, found.st_ino)
    return files


def changes(known: Mapping[str, Version], now: Mapping[str, Version]) -> list[Change]:
    """Return what happened between two looks, in order of paths; a file that left one path for another has moved."""
    gone = {version: path for path, version in known.items() if path not in now}
    found: list[Change] = []
    for path, version in now.items():
        before = known.get(path)
        if before is None:
            source = gone.pop(version, "")
            found.append(Change("moved" if source else "created", path, version, source))
        elif before != version:
            found.append(Change("modified", path, version))
    found += [Change("deleted", path, version) for version, path in gone.items()]
    return sorted(found, key=lambda change: change.path)


class Settling:
    """Which changes have rested long enough: the file's version has not changed for the settle time."""

    def __init__(self, settle_s: float) -> None:
        self._settle_s = settle_s
        self._since: dict[Change, float] = {}

    def rested(self, found: Iterable[Change], now_s: float) -> list[Change]:
        """Return the changes to tell now. `now_s` never jumps."""
        self._since = {change: self._since.get(change, now_s) for change in found}
        return [change for change, since_s in self._since.items() if now_s - since_s >= self._settle_s]

    def wait_s(self, now_s: float) -> float | None:
        """Return how long until the next change may have rested, None when none waits."""
        if not self._since:
            return None
        return max(0.0, min(self._since.values()) + self._settle_s - now_s)

    def told(self, change: Change) -> None:
        """Forget a change that was told."""
        self._since.pop(change, None)
