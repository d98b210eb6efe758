"""One process per journal: flock on `journal.lock`, which the kernel lets go when the process dies."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from hostd.errors.base import HostdError, Kind


class JournalLock:
    """The lock file. It stays where it is: removing it would let two processes lock two files."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = -1

    def take(self, *, make: bool = True) -> None:
        """Take the lock or raise HostdError JOURNAL_LOCKED, naming the process that has it.

        Args:
            make: make the file where there is none; without, nothing is taken then: whoever has a journal open has one.
        """
        flags = os.O_RDWR | os.O_CLOEXEC | (os.O_CREAT if make else 0)
        try:
            file = os.open(self._path, flags, 0o600)
        except FileNotFoundError:
            if not make:
                return
            raise _not_writable(self._path, "its folder is gone") from None
        except OSError as error:
            raise _not_writable(self._path, error) from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.read(file, 32).decode("ascii", "replace").strip() or "unknown"
            os.close(file)
            message = f"Process {holder} uses the journal in {self._path.parent}; stop it, or use another data folder."
            raise HostdError(Kind.UNAVAILABLE, "JOURNAL_LOCKED", message, details={"pid": holder}) from error
        os.ftruncate(file, 0)
        os.pwrite(file, b"%d\n" % os.getpid(), 0)
        self._file = file

    def release(self) -> None:
        """Let go. May be called twice."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def _not_writable(path: Path, why: object) -> HostdError:
    return HostdError(Kind.UNAVAILABLE, "JOURNAL_READ_ONLY", f"{path} cannot be written: {why}.")
