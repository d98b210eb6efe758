"""Commits on the one writing connection: one batch or several in a transaction, and what their failures mean.

    begin -> batches -> commit -> durable
                 |          |-- FULL, BUSY: rolled back, nothing written
                 |          '-- anything else: nobody knows what the disk holds: the process ends (`on_fatal`)
                 '-- any error: rolled back, nothing written

Invariant: the counters always tell what the last durable batch left.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec

from hostd.errors.base import HostdError
from hostd.journal.counters import Counters
from hostd.journal.deletes import delete_runs, move_pruned
from hostd.journal.faults import SQLITE_ERRORS, as_hostd_error, can_wait, primary_code
from hostd.journal.port import Appended, Batch
from hostd.journal.statements import rows_only, write_batch, write_rows

T = TypeVar("T")
OnFatal = Callable[[BaseException], None]
_log = logging.getLogger("hostd.journal")
_WEIGHT = 1 / 8
FATAL_EXIT_CODE = 70


def end_process(error: BaseException) -> None:
    """End the process at once: after a failed commit nothing in memory may be believed, and nothing may be answered."""
    _log.critical("journal_commit_failed error=%r: the process ends; what was acknowledged is in the journal", error)
    logging.shutdown()
    os._exit(FATAL_EXIT_CODE)


class Transactions:
    """Owns the writing connection's transactions. One thread at a time: see writer.py."""

    def __init__(self, connection: sqlite3.Connection, counters: Counters, *, on_fatal: OnFatal = end_process) -> None:
        self.connection = connection
        self.counters = counters
        self.commit_s = 0.0  # moving average of recent commits
        self._cursor = connection.cursor()
        self._on_fatal = on_fatal

    def append(self, batches: Sequence[Batch]) -> list[Appended]:
        """Make batches durable in one commit, all or none.

        Raises:
            HostdError: JOURNAL_*; nothing was written.
        """
        started = time.perf_counter()
        before = msgspec.structs.replace(self.counters)
        try:
            if len(batches) == 1 and rows_only(batches[0]):
                appended = [self._statement(batches[0])]
            else:
                appended = self._transaction(lambda: [self._write(batch) for batch in batches])
        except BaseException:
            self.counters = before
            raise
        self.commit_s += (time.perf_counter() - started - self.commit_s) * _WEIGHT
        return appended

    def run(self, work: Callable[[sqlite3.Cursor, Counters], int]) -> int:
        """Run other writing (pruning, mending) in a transaction of its own. Raises as `append`."""
        before = msgspec.structs.replace(self.counters)
        try:
            return self._transaction(lambda: work(self._cursor, self.counters))
        except BaseException:
            self.counters = before
            raise

    def _write(self, batch: Batch) -> Appended:
        appended = write_batch(self._cursor, batch, self.counters)
        if batch.run_deletes:
            move_pruned(self._cursor, delete_runs(self._cursor, batch.run_deletes, self.counters))
        return appended

    def _statement(self, batch: Batch) -> Appended:
        """One INSERT in autocommit: the statement is the transaction, so its failure may be the commit's."""
        try:
            return write_rows(self._cursor, batch, self.counters)
        except SQLITE_ERRORS as error:
            self._rollback()
            if primary_code(error) == sqlite3.SQLITE_IOERR:
                self._on_fatal(error)
            raise as_hostd_error(error, writing=True) from error

    def _transaction(self, work: Callable[[], T]) -> T:
        try:
            self._cursor.execute("BEGIN IMMEDIATE")
            result = work()
        except (*SQLITE_ERRORS, OverflowError, TypeError) as error:
            self._rollback()
            raise as_hostd_error(error, writing=True) from error
        except BaseException:
            self._rollback()
            raise
        self._commit()
        return result

    def _commit(self) -> None:
        try:
            self._cursor.execute("COMMIT")
        except SQLITE_ERRORS as error:
            if not can_wait(error):
                self._on_fatal(error)
            self._rollback()
            raise as_hostd_error(error, writing=True) from error

    def _rollback(self) -> None:
        if self.connection.in_transaction:
            self._cursor.execute("ROLLBACK")

    def probe(self) -> HostdError | None:
        """Try a small write, the way appends go; return what still stands in the way."""
        try:
            self.run(_touch)
        except HostdError as error:
            return error
        return None


def _touch(cursor: sqlite3.Cursor, counters: Counters) -> int:
    cursor.execute("INSERT OR REPLACE INTO meta VALUES ('probe', ?)", (counters.batch,))
    return 1
