"""The stores that keep the journal's promises: each test runs over all of them."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hostd.journal.memory import MemoryJournal
from hostd.journal.port import Journal
from hostd.journal.sqlite import SqliteJournal

Reopen = Callable[[Journal], Journal]


def memory_journal(_folder: Path) -> Journal:
    """Return a memory store."""
    return MemoryJournal(randomness=random.Random(1))


def sqlite_journal(folder: Path) -> Journal:
    """Return a SQLite store in a folder, with a small WAL so that checkpoints happen."""
    return SqliteJournal(folder / "journal.db", randomness=random.Random(1), wal_pages=50)


STORES = {"memory": memory_journal, "sqlite": sqlite_journal}


@pytest.fixture(params=STORES)
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Journal]:
    """Yield an open, empty journal."""
    store = STORES[request.param](tmp_path)
    store.open()
    yield store
    store.close()


@pytest.fixture
def reopened(tmp_path: Path) -> Reopen:
    """Return a function that closes a journal and opens it again; a memory store stays as it is."""

    def again(journal: Journal) -> Journal:
        if isinstance(journal, MemoryJournal):
            return journal
        journal.close()
        store = sqlite_journal(tmp_path)
        store.open()
        return store

    return again
