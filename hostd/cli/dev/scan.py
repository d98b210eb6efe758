"""What lies in a folder: the documents of workflows and triggers in it, found anew with every look. Blocks.

The folder is looked at, not watched: that works on every file system, and needs none of the system's watches.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple

from hostd.errors.base import HostdError, Kind

ENTRIES_MAX = 20_000
DEPTH_MAX = 12
DOCUMENTS_MAX = 1_000
FILE_BYTES_MAX = 1024 * 1024
IGNORED = frozenset({"node_modules", "__pycache__", "venv", "plugins"})
"""Folders that are not looked into, beside those whose name begins with a dot. Plugins have manifests, no documents."""

_SUFFIXES = (".yaml", ".yml")
_NOT_DOCUMENTS = (".test.yaml", ".test.yml")
_CONFIGURATION = "hostd.yaml"
_KEY = re.compile(r"""^\ufeff?\s*\{?\s*["']?(workflow|trigger|steps)["']?\s*:""", re.MULTILINE)


class Mark(NamedTuple):
    """What shows that a file was written again."""

    modified_ns: int
    size: int
    inode: int


class Crowded(HostdError):
    """A folder holds more than is looked at."""


def documents_in(folder: Path) -> dict[str, Mark]:
    """Return the files that may hold documents, by their path in the folder, in the order of their names.

    Raises:
        HostdError: ARGUMENT_INVALID where the folder is gone; Crowded where too much lies in it.
    """
    found: dict[str, Mark] = {}
    left = ENTRIES_MAX
    waiting = [("", 0)]
    while waiting:
        inside, depth = waiting.pop()
        for entry in _entries(folder, inside):
            left -= 1
            if left < 0 or len(found) > DOCUMENTS_MAX:
                raise _crowded(folder, len(found))
            name = f"{inside}{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                if depth < DEPTH_MAX and not entry.name.startswith(".") and entry.name not in IGNORED:
                    waiting.append((f"{name}/", depth + 1))
            elif _may_be_document(entry.name) and (mark := _mark(entry)) is not None:
                found[name] = mark
    return dict(sorted(found.items()))


def _entries(folder: Path, inside: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder / inside) as entries:
            return list(entries)
    except OSError as error:
        if inside:
            return []  # it went meanwhile, or is not ours to read
        message = f"{folder} cannot be read: {error.strerror}"
        raise HostdError(Kind.INVALID, "ARGUMENT_INVALID", message) from None


def _may_be_document(name: str) -> bool:
    lower = name.lower()
    wanted = lower.endswith(_SUFFIXES) and not lower.endswith(_NOT_DOCUMENTS)
    return wanted and not name.startswith(".") and name != _CONFIGURATION


def _mark(entry: os.DirEntry[str]) -> Mark | None:
    try:
        about = entry.stat()
    except OSError:
        return None
    return Mark(about.st_mtime_ns, about.st_size, about.st_ino) if entry.is_file() else None


def _crowded(folder: Path, documents: int) -> Crowded:
    more = f"{DOCUMENTS_MAX} documents" if documents > DOCUMENTS_MAX else f"{ENTRIES_MAX} files"
    message = f"{folder} holds more than {more}: start `hostd dev` in the folder of the workflows alone"
    return Crowded(Kind.EXHAUSTED, "ARGUMENT_INVALID", message)


def read_document(file: Path) -> str | None:
    """Return the text of a file; None where it holds no document of ours, such as a manifest of something else.

    Raises:
        HostdError: ARGUMENT_INVALID where it cannot be read, is too large, or no UTF-8.
    """
    try:
        with file.open("rb") as opened:
            data = opened.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        raise HostdError(Kind.INVALID, "ARGUMENT_INVALID", f"it cannot be read: {error.strerror}") from None
    if len(data) > FILE_BYTES_MAX:
        raise HostdError(Kind.INVALID, "DOCUMENT_TOO_LARGE", f"it has more than {FILE_BYTES_MAX >> 20} MiB")
    text = data.decode("utf-8", "surrogateescape")
    if not _KEY.search(text):
        return None
    if text.isascii() or not any("\ud800" <= one <= "\udfff" for one in text):
        return text
    raise HostdError(Kind.INVALID, "SYNTAX_INVALID", "it is no UTF-8 text; save it as UTF-8")
