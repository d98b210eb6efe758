"""Connections to read with: few, borrowed for one short statement, never shared by two threads at once."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from hostd.errors.base import HostdError, Kind
from hostd.journal.faults import SQLITE_ERRORS, as_hostd_error

READERS_MAX = 4
_BUSY_MS = 1000


class ReadPool:
    """At most `READERS_MAX` read-only connections; who comes when all are out waits.

    Args:
        read_only: open the file itself read-only: closing then leaves the WAL as it was found.
        still: nobody writes the file and it has no WAL: it is read without making files beside it.
    """

    def __init__(self, path: Path, *, read_only: bool = False, still: bool = False) -> None:
        self._target = f"{path.as_uri()}?mode={'ro' if read_only else 'rw'}{'&immutable=1' if still else ''}"
        self.check: Callable[[], HostdError | None] = lambda: None  # says that another file lies at the path by now
        self._idle: list[sqlite3.Connection] = []
        self._slots = threading.Semaphore(READERS_MAX)
        self._closed = False

    @contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection. SQLite's errors leave as HostdError JOURNAL_*."""
        with self._slots:
            if self._closed:
                raise HostdError(Kind.UNAVAILABLE, "JOURNAL_FAILED", "The journal is closed.")
            try:
                connection = self._idle.pop() if self._idle else self._open()
            except SQLITE_ERRORS as error:
                raise as_hostd_error(error) from error
            try:
                yield connection
            except SQLITE_ERRORS as error:
                raise as_hostd_error(error) from error
            finally:
                self._idle.append(connection)

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._target, uri=True, isolation_level=None, check_same_thread=False, cached_statements=128
        )
        connection.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
        connection.execute("PRAGMA query_only = 1")
        error = self.check()
        if error is not None:  # it would read what the writer does not write
            connection.close()
            raise error
        return connection

    def close(self) -> None:
        """Close the connections that are idle, which is all once readers have stopped."""
        self._closed = True
        while self._idle:
            self._idle.pop().close()
