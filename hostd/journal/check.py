"""Checking a journal, in pages short enough for a live file: one line a fault, naming where it is.

rows      each fits its checksum, holds as many records as it says, and follows its run's row before it
batches   each is whole and its link follows from the batch before it, where retention has taken neither
index     each run's row in `runs` says what its records say
values    each blob holds the bytes its digest names, each snapshot fits its checksum and ends where a row does,
          each durable key and each progress fits its checksum, the sizes of events add up
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any

import msgspec

from hostd.errors.base import HostdError
from hostd.journal import rows
from hostd.journal.chain import BatchHead, decode_head, next_link
from hostd.journal.check_notes import check_notes
from hostd.journal.codec import decode_records
from hostd.journal.expected import expected_row, index_fault
from hostd.journal.faults import SQLITE_ERRORS
from hostd.journal.pool import ReadPool
from hostd.journal.port import StoredRow
from hostd.journal.rows import RECORD_COLUMNS
from hostd.model.payload import blob_digest
from hostd.model.records import AnyRecord, RunEnded, Terminated

PAGE_ROWS = 1_000
PAGE_VALUES = 20
_PAGE = f"SELECT {RECORD_COLUMNS}, batch FROM records WHERE pos > ? ORDER BY pos LIMIT {PAGE_ROWS}"


def check_journal(pool: ReadPool) -> Iterator[str]:
    """Yield one line a fault. Reads everything once."""
    yield from _Records(pool).check()
    yield from _lonely_runs(pool)
    yield from _blobs(pool)
    for run, fault in unfit_snapshots(pool):
        yield f"run key {run}: {fault}"
    yield from check_notes(pool)


def structure_faults(connection: sqlite3.Connection) -> Iterator[str]:
    """Yield what SQLite itself finds. One long read: for files that nobody writes."""
    connection.text_factory = lambda data: data.decode("utf-8", "replace")
    try:
        for (line,) in connection.execute("PRAGMA integrity_check(100)"):
            if line != "ok":
                yield f"file: {line}"
    except SQLITE_ERRORS as error:
        yield f"file: {error}"


class _Records:
    """One walk over all rows, in position order."""

    def __init__(self, pool: ReadPool) -> None:
        self._pool = pool
        self._next_seq: dict[int, int] = {}  # of runs that have not ended
        self._number = 0  # of the batch before, 0 = not known
        self._link = b""
        self._head: BatchHead | None = None
        self._crcs: list[int] = []

    def check(self) -> Iterator[str]:
        pos = -1
        while page := self._page(pos):
            for values in page:
                yield from self._row(values)
            pos = page[-1][0]
        yield from self._end_batch()

    def _page(self, pos: int) -> list[tuple[Any, ...]]:
        with self._pool.connection() as connection:
            return connection.execute(_PAGE, (pos,)).fetchall()

    def _row(self, values: tuple[Any, ...]) -> Iterator[str]:
        *columns, batch = values
        yield from self._batch(batch, pos=columns[0], crc=columns[8])
        try:
            row = rows.stored_row(tuple(columns))
            if row.run:
                yield from self._records(row, decode_records(row.body))
        except HostdError as error:
            yield f"position {columns[0]}, run key {columns[1]}: {error}"

    def _records(self, row: StoredRow, records: list[AnyRecord]) -> Iterator[str]:
        if len(records) != row.n:
            yield f"position {row.pos}, run key {row.run}: the row holds {len(records)} records and says {row.n}"
        due = self._next_seq.get(row.run)
        if due is None:
            due = self._seq_before(row)
        if row.seq != due:
            yield f"position {row.pos}, run key {row.run}: record {due} should follow, {row.seq} does"
        ended = isinstance(records[-1], RunEnded | Terminated) if records else False
        if ended:
            self._next_seq.pop(row.run, None)
        else:
            self._next_seq[row.run] = row.seq + row.n
        if row.seq == 0 or ended:
            yield from self._index(row)

    def _seq_before(self, row: StoredRow) -> int:
        """Return where the records before a row end, for runs not seen yet or that have ended."""
        sql = "SELECT seq + n FROM records WHERE run = ? AND seq < ? ORDER BY seq DESC LIMIT 1"
        with self._pool.connection() as connection:
            found = connection.execute(sql, (row.run, row.seq)).fetchone()
        return int(found[0]) if found else 0

    def _index(self, row: StoredRow) -> Iterator[str]:
        with self._pool.connection() as connection:
            expected = expected_row(connection, row.run)
            fault = index_fault(connection, expected) if expected is not None else ""
        if fault:
            yield f"run key {row.run}: {fault}"

    # -- batches

    def _batch(self, batch: bytes | None, *, pos: int, crc: int) -> Iterator[str]:
        if batch is not None:
            yield from self._end_batch()
            try:
                self._head = decode_head(batch)
            except (msgspec.DecodeError, TypeError):
                yield f"position {pos}: the head of its batch is damaged"
                self._head = None
        self._crcs.append(crc)

    def _end_batch(self) -> Iterator[str]:
        head, crcs, self._crcs = self._head, self._crcs, []
        if head is None:
            self._number = 0
            return
        if self._number and head.number <= self._number:
            yield f"batch {head.number}: it follows batch {self._number}"
        follows = self._number == head.number - 1 and self._number > 0
        if len(crcs) > head.rows:
            yield f"batch {head.number}: it has {len(crcs)} rows and says {head.rows}"
        elif follows and len(crcs) == head.rows and next_link(self._link, head.number, crcs) != head.link:
            yield f"batch {head.number}: its link does not follow from its rows and the batch before"
        self._number, self._link = head.number, head.link


def _lonely_runs(pool: ReadPool) -> Iterator[str]:
    sql = """SELECT run, EXISTS (SELECT 1 FROM records WHERE records.run = runs.run) FROM runs
        WHERE run > ? ORDER BY run LIMIT 1000"""
    run = 0
    while True:
        with pool.connection() as connection:
            page = connection.execute(sql, (run,)).fetchall()
        if not page:
            return
        for run, has_records in page:
            if not has_records:
                yield f"run key {run}: the index lists it, but there is no record of it"


def _blobs(pool: ReadPool) -> Iterator[str]:
    sql = f"SELECT blob, digest, data FROM blobs WHERE blob > ? ORDER BY blob LIMIT {PAGE_VALUES}"
    number = 0
    while True:
        with pool.connection() as connection:
            page = connection.execute(sql, (number,)).fetchall()
        if not page:
            return
        for number, digest, data in page:
            if not isinstance(data, bytes) or blob_digest(data) != digest:
                yield f"blob {number}: its bytes are not those its digest names"


_SNAPSHOTS = f"""SELECT run, seq, ver, crc, body,
    (SELECT records.seq + n FROM records WHERE records.run = snapshots.run AND records.seq < snapshots.seq
        ORDER BY records.seq DESC LIMIT 1)
    FROM snapshots WHERE run > ? ORDER BY run LIMIT {PAGE_VALUES}"""


def unfit_snapshots(pool: ReadPool) -> Iterator[tuple[int, str]]:
    """Yield the runs whose snapshot nobody can use, and why. Nothing is lost: they fold from their records."""
    run = 0
    while True:
        with pool.connection() as connection:
            page = connection.execute(_SNAPSHOTS, (run,)).fetchall()
        if not page:
            return
        for *values, end_seq in page:
            run = values[0]
            if rows.snapshot(tuple(values)) is None:
                yield run, "its snapshot does not fit its checksum (the run folds from its records)"
            elif end_seq != values[1]:
                yield run, "its snapshot does not end where a row does (the run folds from its records)"
