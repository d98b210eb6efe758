"""What lies below an open folder. Links are told, never followed; other file systems are walked like the rest."""

from __future__ import annotations

import os
import stat
from collections.abc import Generator
from typing import NamedTuple

DEPTH_MAX = 32


class Entry(NamedTuple):
    """One entry; `path` is relative to where the walk began, its parts joined by `/`."""

    path: str
    found: os.stat_result

    @property
    def kind(self) -> str:
        """Return file, folder, link or other."""
        mode = self.found.st_mode
        if stat.S_ISREG(mode):
            return "file"
        if stat.S_ISDIR(mode):
            return "folder"
        return "link" if stat.S_ISLNK(mode) else "other"


def walk(folder: int, *, deep: bool) -> Generator[Entry, None, None]:
    """Yield the entries of an open folder, with `deep` those below it too, each folder's by name.

    What vanishes while we look, and folders that may not be read, are left out. Close the iterator when done early.
    """
    yield from _walk(folder, "", DEPTH_MAX if deep else 0)


def _walk(folder: int, before: str, depth: int) -> Generator[Entry, None, None]:
    for name in sorted(os.listdir(folder)):
        try:
            found = os.stat(name, dir_fd=folder, follow_symlinks=False)
        except OSError:
            continue
        entry = Entry(before + name, found)
        yield entry
        if depth and stat.S_ISDIR(found.st_mode):
            yield from _below(folder, name, entry.path, depth - 1)


def _below(folder: int, name: str, path: str, depth: int) -> Generator[Entry, None, None]:
    try:
        opened = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    except OSError:
        return
    try:
        yield from _walk(opened, f"{path}/", depth)
    except PermissionError:
        return
    finally:
        os.close(opened)
