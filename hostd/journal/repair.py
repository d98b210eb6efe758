"""Mending a journal."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator

from hostd.journal.pool import ReadPool
from hostd.journal.statements import Counters

Work = Callable[[sqlite3.Cursor, Counters], int]


def repair_journal(pool: ReadPool, write: Callable[[Work], int]) -> Iterator[str]:
    """Yield."""
    return iter(())
