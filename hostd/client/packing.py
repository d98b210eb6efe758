"""A plugin's folder as the zip archive that is sent: plain files with their names and whether they may be run."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from hostd.errors.base import HostdError, Kind, invalid

FILES_MAX = 10_000
BYTES_MAX = 256 * 1024 * 1024
SENT_BYTES_MAX = 64 * 1024 * 1024
CHUNK_BYTES = 512 * 1024
_LEFT_OUT = frozenset({"__pycache__", ".git", ".hg", ".venv", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".tox"})
_LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the same files make the same archive


def packed(folder: Path) -> Iterator[bytes]:
    """Yield the archive of a folder in pieces. Raises HostdError PACKAGE_INVALID, ARGUMENT_INVALID."""
    try:
        with TemporaryFile() as file:
            _pack(folder, file)
            yield from _pieces(file, str(folder))
    except OSError as error:
        raise _unreadable(str(error.filename or folder), error) from None


def pieces_of(path: Path) -> Iterator[bytes]:
    """Yield a file in pieces. Raises HostdError PACKAGE_INVALID, ARGUMENT_INVALID."""
    try:
        with path.open("rb") as file:
            yield from _pieces(file, str(path))
    except OSError as error:
        raise _unreadable(str(path), error) from None


def _pieces(file: IO[bytes], name: str) -> Iterator[bytes]:
    size = file.seek(0, os.SEEK_END)
    if size > SENT_BYTES_MAX:
        raise invalid(
            "PACKAGE_INVALID", f"{name} has {size:,} bytes packed; at most {SENT_BYTES_MAX >> 20} MiB are sent"
        )
    file.seek(0)
    while piece := file.read(CHUNK_BYTES):
        yield piece


def _pack(folder: Path, file: IO[bytes]) -> None:
    left = BYTES_MAX
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for count, path in enumerate(_files(folder)):
            left -= path.stat().st_size
            if count >= FILES_MAX or left < 0:
                bound = f"{FILES_MAX:,} files and {BYTES_MAX >> 20} MiB"
                raise invalid("PACKAGE_INVALID", f"{folder} holds more than a plugin may: {bound}")
            member = zipfile.ZipInfo(path.relative_to(folder).as_posix(), _LONG_AGO)
            member.compress_type = zipfile.ZIP_DEFLATED
            member.external_attr = (0o100755 if os.access(path, os.X_OK) else 0o100644) << 16
            archive.writestr(member, path.read_bytes())


def _files(folder: Path) -> Iterator[Path]:
    """Yield a folder's files, by name; links are followed to files within it only."""
    home = folder.resolve()
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in _LEFT_OUT)
        for name in sorted(names):
            path = Path(root) / name
            if name.endswith((".pyc", "~", ".swp")) or not path.is_file():
                continue
            if path.is_symlink() and not path.resolve().is_relative_to(home):
                raise invalid("PACKAGE_INVALID", f"{path} is a link that leads out of the folder")
            yield path


def _unreadable(name: str, error: OSError) -> HostdError:
    return HostdError(Kind.INVALID, "ARGUMENT_INVALID", f"{name} cannot be read: {error.strerror or error}")
