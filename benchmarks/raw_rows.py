"""The floor of the durable workloads: the statements a core's journal executed, executed again by nobody but SQLite.

A `Tap` keeps the batches the engine appends. `statements_of` lets the journal's own code write them to a cursor that
only takes notes; `RawFile` executes those notes on a file with the same schema, settings and grown WAL.
"""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from hostd.journal.counters import Counters
from hostd.journal.opening import WAL_PAGES, open_file
from hostd.journal.port import Appended, Batch, Done, Journal
from hostd.journal.statements import write_batch
from hostd.journal.wal import grow_wal, read_wal

_FRAME_BYTES = 4096 + 24

Statement = tuple[str, list[Any]]
"""SQL, and the rows of values it is executed with."""


class Tap:
    """Stands before a journal and keeps what is appended. Costs one call a batch."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.batches: list[Batch] = []

    def append(self, batch: Batch, done: Done, *, alone: bool = False) -> Appended | None:
        """Keep the batch and hand it on."""
        self.batches.append(batch)
        return self._journal.append(batch, done, alone=alone)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._journal, name)

    def take(self) -> list[Batch]:
        """Return what was appended since the last call."""
        taken, self.batches = self.batches, []
        return taken


class _Notes:
    """A cursor that executes nothing."""

    def __init__(self) -> None:
        self.statements: list[Statement] = []
        self.rowcount = 0

    def execute(self, sql: str, values: Any = ()) -> None:
        self.statements.append((sql, [values]))

    def executemany(self, sql: str, rows: list[Any]) -> None:
        self.statements.append((sql, rows))
        self.rowcount = len(rows)


def statements_of(batch: Batch, counters: Counters) -> list[Statement]:
    """Return what the journal would execute for a batch, numbered by (and moving on) `counters`."""
    notes = _Notes()
    write_batch(cast("sqlite3.Cursor", notes), batch, counters)
    return notes.statements


class RawFile:
    """A journal file that nothing but these functions writes."""

    def __init__(self, folder: Path, name: str = "raw.db") -> None:
        path = folder / name
        wal = folder / f"{name}-wal"
        opened = open_file(
            path,
            frames=read_wal(wal),
            seen=None,
            accept_loss=False,
            randomness=random.Random(1),
            wal_pages=WAL_PAGES,
        )
        grow_wal(wal, WAL_PAGES * _FRAME_BYTES)
        self.counters = opened.counters
        self._connection = opened.connection
        self._cursor = opened.connection.cursor()

    def write(self, batches: Sequence[Sequence[Statement]]) -> float:
        """Execute each batch as one transaction, or as one statement where it is one row; return the seconds."""
        cursor = self._cursor
        started_s = time.perf_counter()
        for statements in batches:
            if len(statements) == 1 and len(statements[0][1]) == 1:
                cursor.execute(statements[0][0], statements[0][1][0])
                continue
            cursor.execute("BEGIN IMMEDIATE")
            for sql, rows in statements:
                cursor.executemany(sql, rows)
            cursor.execute("COMMIT")
        return time.perf_counter() - started_s

    def close(self) -> None:
        """Close the file."""
        self._connection.close()
