"""Putting a whole file in place at once: written beside it under a hidden name, flushed, then renamed."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from secrets import token_hex

from hostd_builtin.file.roots import Spot, look, open_file

TEMPORARY_PREFIX = ".hostd-"


def put(spot: Spot, parts: Iterable[bytes], *, mode: int | None, replace: bool) -> int:
    """Write a file; others see the old one or the whole new one. Returns its size in bytes.

    Args:
        mode: permissions; None = those of the file that is replaced, else the system's default.
        replace: whether a file that is there is replaced.

    Raises:
        PathDenied: something else than a plain file is there.
        FileExistsError: a file is there and `replace` is not set.
    """
    there = look(spot)
    if there is not None:
        if not replace:
            raise FileExistsError(errno.EEXIST, "File exists", spot.path)
        os.close(open_plain(spot))
    beside = Spot(spot.folder, f"{TEMPORARY_PREFIX}{token_hex(8)}.tmp", spot.path)
    opened = open_file(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666 if mode is None else mode)
    try:
        with os.fdopen(opened, "wb", buffering=0) as file:
            if mode is not None or there is not None:
                os.fchmod(opened, mode if mode is not None else there.st_mode & 0o7777)  # type: ignore[union-attr]
            size = sum(write_all(opened, part) for part in parts)
            os.fsync(file.fileno())
        if replace:
            os.rename(beside.name, spot.name, src_dir_fd=spot.folder, dst_dir_fd=spot.folder)
        else:
            os.link(beside.name, spot.name, src_dir_fd=spot.folder, dst_dir_fd=spot.folder)
    finally:
        forget(beside)
    os.fsync(spot.folder)
    return size


def open_plain(spot: Spot) -> int:
    """Open what is there to make sure that it is a plain file. One that may not be read is plain enough."""
    try:
        return open_file(spot, os.O_RDONLY)
    except PermissionError:
        return open_file(spot, os.O_WRONLY)


def forget(spot: Spot) -> None:
    """Delete a file if it is there."""
    try:
        os.unlink(spot.name, dir_fd=spot.folder)
    except FileNotFoundError:
        return


def write_all(opened: int, data: bytes) -> int:
    """Write all of some bytes; return how many."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(opened, rest) :]
    return len(data)
