"""Mending the run index and the labels from the records, and dropping snapshots and progress of no use.

A run at a time, so that a live journal can be mended too.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator

import msgspec

from hostd.errors.base import HostdError
from hostd.journal import rows
from hostd.journal.check import unfit_snapshots
from hostd.journal.check_notes import unfit_progress
from hostd.journal.counters import Counters
from hostd.journal.expected import expected_row, index_fault, index_values
from hostd.journal.pool import ReadPool
from hostd.journal.port import RunRow
from hostd.journal.rows import RUN_COLUMNS
from hostd.model.states import run_is_final

Work = Callable[[sqlite3.Cursor, Counters], int]
_NEXT = "SELECT DISTINCT run FROM records WHERE run > ? ORDER BY run LIMIT 500"


def repair_journal(pool: ReadPool, write: Callable[[Work], int]) -> Iterator[str]:
    """Yield one line a run that was mended.

    Args:
        write: runs its argument in a transaction of the writer's.
    """
    yield from _drop_snapshots(pool, write)
    yield from _drop_progress(pool, write)
    run = 0
    while True:
        with pool.connection() as connection:
            page = [found for (found,) in connection.execute(_NEXT, (run,))]
        if not page:
            return
        for run in page:
            with pool.connection() as connection:
                expected = expected_row(connection, run)
                fault = index_fault(connection, expected) if expected is not None else ""
            if expected is not None and fault:
                write(_mend(expected))
                yield f"run key {run}: {fault}; mended"


def _drop_snapshots(pool: ReadPool, write: Callable[[Work], int]) -> Iterator[str]:
    for run, fault in list(unfit_snapshots(pool)):
        write(_drop(run))
        yield f"run key {run}: {fault}; dropped"


def _drop_progress(pool: ReadPool, write: Callable[[Work], int]) -> Iterator[str]:
    for run, step, fault in list(unfit_progress(pool)):
        write(lambda cursor, _counters, key=(run, step): _delete_progress(cursor, key))  # type: ignore[misc]
        yield f"run key {run}: {fault}; dropped"


def _delete_progress(cursor: sqlite3.Cursor, key: tuple[int, int]) -> int:
    return cursor.execute("DELETE FROM progress WHERE run = ? AND step = ?", key).rowcount


def _drop(run: int) -> Work:
    def work(cursor: sqlite3.Cursor, _counters: Counters) -> int:
        return cursor.execute("DELETE FROM snapshots WHERE run = ?", (run,)).rowcount

    return work


def _mend(expected: RunRow) -> Work:
    def work(cursor: sqlite3.Cursor, _counters: Counters) -> int:
        row = _kept(cursor, expected)
        cursor.execute("DELETE FROM runs WHERE run = ? OR run_id = ?", (row.run, row.run_id))
        marks = ", ".join("?" * len(index_values(row)))
        cursor.execute(f"INSERT INTO runs ({RUN_COLUMNS}) VALUES ({marks})", index_values(row))
        cursor.execute("DELETE FROM labels WHERE run = ?", (row.run,))
        labels = [(row.namespace, name, value, row.run) for name, value in row.labels.items()]
        cursor.executemany("INSERT OR REPLACE INTO labels VALUES (?, ?, ?, ?)", labels)
        return 1

    return work


def _kept(cursor: sqlite3.Cursor, expected: RunRow) -> RunRow:
    """Keep what only the index knows: how long the run is kept, and of one that lives its state, timer and debts."""
    found = cursor.execute(f"SELECT {RUN_COLUMNS} FROM runs WHERE run = ?", (expected.run,)).fetchone()
    try:
        row = rows.run_row(found) if found is not None else None
    except HostdError:
        row = None
    if row is None:
        return expected
    expected = msgspec.structs.replace(expected, keep_ms=row.keep_ms, keep_logs_ms=row.keep_logs_ms)
    if run_is_final(expected.state) or run_is_final(row.state):
        return expected
    return msgspec.structs.replace(expected, state=row.state, due_at_ms=row.due_at_ms, owes=row.owes, reason=row.reason)
