"""Reading and writing files that nobody but the daemon's user may see."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from secrets import token_hex


class NotPrivateError(Exception):
    """A file that is no plain file, too large, or open to others; the text says what and what to do."""


def read_private(path: Path, *, most_bytes: int, check_mode: bool = True) -> tuple[os.stat_result, bytes] | None:
    """Return what a file is and holds, None when there is none.

    Args:
        check_mode: refuse a file that others than its owner may read.

    Raises:
        NotPrivateError: it cannot be used; the text names why, never what is in it.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_NONBLOCK", 0))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise NotPrivateError(error.strerror or "it cannot be opened") from None
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise NotPrivateError("it is no plain file")
        if check_mode and os.name == "posix" and stat.S_IMODE(found.st_mode) & 0o077:
            raise NotPrivateError(f"its mode is {stat.S_IMODE(found.st_mode):04o}; `chmod 600` it")
        data = file.read(most_bytes + 1)
    if len(data) > most_bytes:
        raise NotPrivateError(f"it has more than {most_bytes} bytes")
    return found, data


def write_private(path: Path, data: bytes) -> None:
    """Put a whole file of mode 0600 in place at once, durably; a crash leaves the old one or the new one.

    Raises:
        NotPrivateError: it cannot be written; what was there is untouched.
    """
    beside = path.with_name(f".{path.name}-{token_hex(8)}.tmp")
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
        _flush_folder(path.parent)
    except OSError as error:
        raise NotPrivateError(error.strerror or "it cannot be written") from None


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
