"""Compacting a journal that nobody has open: what retention lets go is gone, and so is its room."""

from __future__ import annotations

from pathlib import Path

import pytest
from journals import open_journal, whole_run

from hostd.errors.base import HostdError
from hostd.journal.port import Retention
from hostd.journal.tools import check_file, compact_file

FOR_EVER = Retention(0, 0, 0, 0, 0, 0, 0, 0, 0)


async def filled(path: Path, runs: int) -> None:
    """Make a journal with finished runs."""
    journal = open_journal(path)
    for _ in range(runs):
        await whole_run(journal)
    journal.close()


async def test_room_is_given_back(tmp_path: Path) -> None:
    """The file is smaller, sound, and opens as the journal it was; nothing is left beside it."""
    path = tmp_path / "journal.db"
    await filled(path, 600)
    before = path.stat().st_size
    told: list[tuple[str, int]] = []
    retention = Retention(runs_ms=1, request_ids_ms=1, events_ms=1, dedup_ms=1)
    done = compact_file(path, retention=retention, now_ms=1 << 50, progress=lambda *what: told.append(what))

    assert done.deleted >= 600
    assert done.size_before_bytes == before
    assert done.size_bytes == path.stat().st_size < before / 2
    assert told[-1] == ("writing the file anew", done.deleted)
    assert list(check_file(path)) == []
    journal = open_journal(path)
    await whole_run(journal)
    assert journal.checkpoint().free_bytes < before / 2
    journal.close()


async def test_without_retention_nothing_is_deleted(tmp_path: Path) -> None:
    """Every run is there afterwards."""
    path = tmp_path / "journal.db"
    await filled(path, 20)
    journal = open_journal(path)
    rows = journal.rows_after(0, limit=10_000)
    journal.close()
    assert compact_file(path, retention=FOR_EVER, now_ms=1 << 50, progress=lambda *_: None).deleted == 0
    journal = open_journal(path)
    assert journal.rows_after(0, limit=10_000) == rows
    journal.close()


async def test_an_open_journal_is_left_alone(tmp_path: Path) -> None:
    """JOURNAL_LOCKED while somebody has it, JOURNAL_MISSING where there is none."""
    journal = open_journal(tmp_path / "journal.db")
    with pytest.raises(HostdError, match="JOURNAL_LOCKED"):
        compact_file(tmp_path / "journal.db", retention=FOR_EVER, now_ms=0, progress=lambda *_: None)
    journal.close()
    with pytest.raises(HostdError, match="JOURNAL_MISSING"):
        compact_file(tmp_path / "none.db", retention=FOR_EVER, now_ms=0, progress=lambda *_: None)
