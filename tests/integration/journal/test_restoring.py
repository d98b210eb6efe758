"""A copy is put in the place of a journal: checked first, the old one kept, old or new whatever interrupts it."""

from __future__ import annotations

import gzip
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from golden_journals import FOLDER
from journals import append, open_journal, start_batch, whole_run

from hostd.errors.base import HostdError
from hostd.journal.lock import JournalLock
from hostd.journal.port import RunQuery
from hostd.journal.restore import Restored, restore_file
from hostd.journal.tools import check_file

NOW_MS = 1_795_309_200_000


def restore(copy: Path, path: Path) -> Restored:
    """Restore at a fixed time."""
    return restore_file(copy, path, now_ms=NOW_MS, progress=lambda what: None)


def runs(path: Path) -> int:
    """Open a journal as a daemon would; return how many runs it has."""
    assert list(check_file(path)) == []
    journal = open_journal(path)
    try:
        return len(journal.query_runs(RunQuery("default")))
    finally:
        journal.close()


@pytest.fixture
async def data(tmp_path: Path) -> Path:
    """Return a folder whose journal was left by a kill with three runs, one of them in the WAL only at most.

    `one.db` is a copy of it with one run.
    """
    journal = open_journal(tmp_path / "live" / "journal.db")
    await whole_run(journal)
    (tmp_path / "data").mkdir()
    journal.backup(str(tmp_path / "data" / "one.db"))
    await whole_run(journal)
    await append(journal, start_batch(journal.allocate_runs(1)))
    for file in (tmp_path / "live").iterdir():
        shutil.copy(file, tmp_path / "data" / file.name)
    journal.close()
    return tmp_path / "data"


async def test_the_old_journal_is_kept_and_can_be_put_back(data: Path) -> None:
    """With all that its WAL held; the new one has an id of its own each time, and is its owner's alone."""
    journal = data / "journal.db"
    done = restore(data / "one.db", journal)

    assert done.aside == data / "aside-20261122T010000Z"
    assert sorted(file.name for file in done.aside.iterdir()) == ["journal.db", "journal.db-wal", "journal.last"]
    assert (done.path, done.size_bytes, done.earlier) == (journal, journal.stat().st_size, "")
    assert oct(journal.stat().st_mode & 0o777) == "0o600"
    assert runs(journal) == 1

    again = restore(done.aside / "journal.db", journal)
    assert again.aside == data / "aside-20261122T010000Z-2"
    assert runs(journal) == 3
    ids = set()
    for _ in range(2):
        restore(data / "one.db", journal)
        opened = open_journal(journal)
        ids.add(opened._journal_id)
        opened.close()
    assert len(ids) == 2


async def test_into_a_folder_that_is_not_there(data: Path, tmp_path: Path) -> None:
    """As on a new machine."""
    done = restore(data / "one.db", tmp_path / "new" / "journal.db")

    assert done.aside is None
    assert runs(tmp_path / "new" / "journal.db") == 1


async def test_what_is_in_use_is_refused(data: Path) -> None:
    """A daemon has the folder, or the copy; nothing is changed."""
    before = listing(data)
    for name in ("journal.lock", "one.lock"):
        lock = JournalLock(data / name)
        lock.take()
        with pytest.raises(HostdError, match="JOURNAL_LOCKED"):
            restore(data / "one.db", data / "journal.db")
        lock.release()
        (data / name).unlink()
    assert listing(data) == before


@pytest.mark.parametrize(
    "harm, reason",
    [
        (lambda file: file.write_bytes(b"no journal"), "JOURNAL_CORRUPT"),
        (lambda file: file.write_bytes(b""), "JOURNAL_CORRUPT"),
        (lambda file: file.write_bytes(file.read_bytes()[:40_000]), "JOURNAL_CORRUPT"),
        (lambda file: file.unlink(), "JOURNAL_MISSING"),
    ],
)
async def test_a_copy_that_will_not_do_changes_nothing(data: Path, harm: Callable[[Path], Any], reason: str) -> None:
    """Damaged, none, or of a newer hostd; nor is the journal its own copy."""
    harm(data / "one.db")
    before = listing(data)

    with pytest.raises(HostdError, match=reason):
        restore(data / "one.db", data / "journal.db")
    with pytest.raises(HostdError, match="ARGUMENT_INVALID"):
        restore(data / "journal.db", data / "journal.db")

    assert listing(data) == before


async def test_a_journal_too_damaged_to_open_is_kept_as_it_is(data: Path) -> None:
    """Which is what copies are for."""
    (data / "journal.db").write_bytes(b"\xff" * 8192)
    (data / "journal.db-wal").write_bytes(b"\xee" * 8192)

    done = restore(data / "one.db", data / "journal.db")

    assert done.aside is not None
    assert (done.aside / "journal.db").read_bytes() == b"\xff" * 8192
    assert (done.aside / "journal.db-wal").read_bytes() == b"\xee" * 8192
    assert runs(data / "journal.db") == 1


def test_a_copy_of_an_older_release(tmp_path: Path) -> None:
    """It is sound as it is, and migrated on the way."""
    (tmp_path / "old.db").write_bytes(gzip.decompress((FOLDER / "0.1.0" / "journal.db.gz").read_bytes()))

    assert list(check_file(tmp_path / "old.db")) == []
    restore(tmp_path / "old.db", tmp_path / "journal.db")

    assert runs(tmp_path / "journal.db") > 0


STEPS = ("rename", "link", "unlink", "mkdir", "fsync", "chown")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # fork beside a thread that has ended
async def test_whatever_ends_it_leaves_the_old_or_the_new(data: Path, tmp_path: Path) -> None:
    """Killed before each of its steps: a whole journal is there, and a second restore says which it was."""
    seen, died = set(), 0
    for step in range(100):
        folder = tmp_path / f"step{step}"
        shutil.copytree(data, folder)
        ended = killed_at(step, lambda folder=folder: restore(folder / "one.db", folder / "journal.db"))
        if ended == 0:
            break
        died += 1
        probe = tmp_path / f"probe{step}"
        shutil.copytree(folder, probe)
        found = runs(probe / "journal.db")
        done = restore(folder / "one.db", folder / "journal.db")
        assert runs(folder / "journal.db") == 1
        said = "old" if "still the old" in done.earlier else "new" if "the journal before it" in done.earlier else ""
        seen.add((found, said))
    assert died > 12
    assert seen == {(3, ""), (3, "old"), (1, "new"), (1, "")}


def killed_at(step: int, work: Callable[[], object]) -> int:
    """Do work in a process that ends before that one of its steps; return how it ended."""
    child = os.fork()
    if child == 0:
        left = [step]

        def counted(call: Callable[..., Any]) -> Callable[..., Any]:
            def step_or_end(*arguments: Any, **named: Any) -> Any:
                if left[0] == 0:
                    os._exit(9)
                left[0] -= 1
                return call(*arguments, **named)

            return step_or_end

        for name in STEPS:
            setattr(os, name, counted(getattr(os, name)))
        try:
            work()
        except BaseException:
            os._exit(3)
        os._exit(0)
    ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert ended in (0, 9)
    return ended


def listing(folder: Path) -> dict[str, bytes]:
    """Return the files of a folder and what is in them, but for locks."""
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.suffix != ".lock"}
