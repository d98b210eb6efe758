"""Backups of a live journal and of one at rest."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest
from journals import append, open_journal, start_batch, step_row, whole_run

from hostd.errors.base import HostdError
from hostd.journal import backup
from hostd.journal.port import Batch
from hostd.journal.tools import backup_file, check_file


async def test_a_backup_is_a_sound_prefix_taken_between_commits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While runs go on, a backup is finished, commits go through between its steps, and the copy opens as a journal."""
    monkeypatch.setattr(backup, "STEP_PAGES", 4)
    journal = open_journal(tmp_path / "a" / "journal.db")
    for _ in range(40):
        await whole_run(journal)
    run = journal.allocate_runs(1)
    await append(journal, start_batch(run))
    steps: list[tuple[int, int]] = []
    saving = asyncio.get_running_loop().create_task(
        asyncio.to_thread(journal.backup, str(tmp_path / "copy.db"), progress=lambda done, of: steps.append((done, of)))
    )
    appended = 0
    while not saving.done():
        await append(journal, Batch(at_ms=1, rows=[step_row(run, appended)]))
        appended += 1
    assert await saving == (tmp_path / "copy.db").stat().st_size
    assert steps[-1][0] == steps[-1][1]
    assert appended > 1
    rows, journal_id = journal.rows_after(0, limit=10_000), journal._journal_id
    journal.close()
    copy = open_journal(tmp_path / "copy.db")
    copied = copy.rows_after(0, limit=10_000)
    assert copied == rows[: len(copied)]
    assert len(copied) > 200
    assert list(copy.check()) == []
    assert copy._journal_id != journal_id
    await append(copy, start_batch(copy.allocate_runs(1)))
    copy.close()


async def test_a_restored_backup_is_not_measured_by_the_old_sidecar(tmp_path: Path) -> None:
    """A backup put in the place of the journal opens, though the sidecar there tells of later batches."""
    journal = open_journal(tmp_path / "journal.db")
    await whole_run(journal)
    await asyncio.to_thread(journal.backup, str(tmp_path / "copy.db"))
    await whole_run(journal)
    journal.close()
    shutil.copy(tmp_path / "copy.db", tmp_path / "journal.db")
    journal = open_journal(tmp_path / "journal.db")
    assert len(journal.rows_after(0)) == 5
    journal.close()


async def test_a_backup_overwrites_nothing(tmp_path: Path) -> None:
    """A file in the way is left alone, and an impossible target leaves nothing behind."""
    journal = open_journal(tmp_path / "journal.db")
    (tmp_path / "taken.db").write_text("mine")
    for target in (tmp_path / "taken.db", tmp_path / "missing" / "copy.db"):
        with pytest.raises(HostdError):
            await asyncio.to_thread(journal.backup, str(target))
    assert (tmp_path / "taken.db").read_text() == "mine"
    await whole_run(journal)
    journal.close()
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "journal.db",
        "journal.last",
        "journal.lock",
        "taken.db",
    ]


async def test_what_a_killed_backup_left_is_cleared(tmp_path: Path) -> None:
    """An unfinished copy and SQLite's files beside it go with the next backup to the same place, which is sound."""
    journal = open_journal(tmp_path / "a" / "journal.db")
    await whole_run(journal)
    for ending in (".partial", ".partial-journal", ".partial-wal"):
        (tmp_path / f"copy.db{ending}").write_bytes(b"left over" * 1_000)
    await asyncio.to_thread(journal.backup, str(tmp_path / "copy.db"))
    journal.close()
    assert list(check_file(tmp_path / "copy.db")) == []
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a", "copy.db"]


async def test_checking_leaves_no_file(tmp_path: Path) -> None:
    """Checking a copy, or a journal whose folder holds nothing else, leaves no lock and nothing of SQLite's."""
    journal = open_journal(tmp_path / "live" / "journal.db")
    await whole_run(journal)
    await asyncio.to_thread(journal.backup, str(tmp_path / "copy.db"))
    journal.close()
    (tmp_path / "moved").mkdir()
    shutil.copy(tmp_path / "live" / "journal.db", tmp_path / "moved" / "journal.db")
    for file in (tmp_path / "copy.db", tmp_path / "moved" / "journal.db"):
        before = sorted(file.parent.iterdir())
        assert list(check_file(file)) == []
        assert sorted(file.parent.iterdir()) == before


async def test_the_tools_leave_an_open_journal_to_its_daemon(tmp_path: Path) -> None:
    """A live file can be checked beside the daemon, but not mended or copied; at rest all three work."""
    path = tmp_path / "journal.db"
    journal = open_journal(path)
    await whole_run(journal)
    assert await asyncio.to_thread(lambda: list(check_file(path))) == []
    with pytest.raises(HostdError, match="JOURNAL_LOCKED"):
        backup_file(path, tmp_path / "copy.db")
    with pytest.raises(HostdError, match="JOURNAL_LOCKED"):
        list(check_file(path, repair=True))
    await whole_run(journal)
    journal.close()
    assert backup_file(path, tmp_path / "copy.db") == (tmp_path / "copy.db").stat().st_size
    assert list(check_file(path, repair=True)) == []
    assert list(check_file(tmp_path / "copy.db")) == []
    with pytest.raises(HostdError, match="JOURNAL_MISSING"):
        list(check_file(tmp_path / "none.db"))
