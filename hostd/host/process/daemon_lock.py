"""The file by which reapers see whether there is a daemon: held locked for as long as one lives, however it dies."""

from __future__ import annotations

import os
from pathlib import Path

try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None  # type: ignore[assignment]


def hold(path: Path) -> int:
    """Lock the file, beside whoever has it locked already, and return what `let_go` takes. Blocks. Raises OSError."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    if fcntl is not None:
        fcntl.flock(descriptor, fcntl.LOCK_SH)  # a reaper that looks has it for a moment
    return descriptor


def let_go(descriptor: int | None) -> None:
    """Hold it no more."""
    if descriptor is not None:
        os.close(descriptor)
