"""A journal that cannot be written: refused by name, read on, and written again as soon as it can be."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from journals import append, open_journal, start_batch, whole_run

from hostd.errors.base import HostdError
from hostd.journal import writer
from hostd.journal.port import Batch, Blob
from hostd.journal.sqlite import SqliteJournal
from hostd.model.payload import blob_digest


@pytest.fixture(autouse=True)
def _quick_probes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try again after milliseconds, so that tests need not wait for a second."""
    monkeypatch.setattr(writer, "RETRY_S", 0.01)
    monkeypatch.setattr(writer, "LOOK_S", 0.0)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqliteJournal]:
    """Yield an open journal."""
    store = open_journal(tmp_path / "journal.db")
    yield store
    store.close()


def large_batch(number: int) -> Batch:
    """Return a batch of some 100 KiB."""
    data = number.to_bytes(4, "big") * 25_000
    return Batch(at_ms=1, blobs=[Blob("default", blob_digest(data), data, 1)])


async def fill(journal: SqliteJournal) -> HostdError:
    """Append until it is refused; return the refusal."""
    for number in range(1_000):
        try:
            await append(journal, large_batch(number))
        except HostdError as error:
            return error
    raise AssertionError("never full")


async def accepted_again(journal: SqliteJournal, batch: Callable[[], Batch]) -> None:
    """Append until it is accepted."""
    async with asyncio.timeout(120):
        while True:
            with contextlib.suppress(HostdError):
                await append(journal, batch())
                return
            await asyncio.sleep(0.01)


async def refuses_reads_recovers(journal: SqliteJournal, make_room: Callable[[], None]) -> None:
    """Fill a journal's disk, read, make room, and write again; at last check it."""
    run = await whole_run(journal)
    error = await fill(journal)
    assert error.reason == "JOURNAL_FULL"
    assert error.retry_after_s == 1.0
    assert len(journal.history(run)) == 5
    with pytest.raises(HostdError, match="JOURNAL_FULL"):
        await append(journal, start_batch(journal.allocate_runs(1)))
    make_room()
    await accepted_again(journal, lambda: start_batch(journal.allocate_runs(1)))
    assert len(journal.history(run)) == 5
    assert list(journal.check()) == []


async def test_a_full_file_refuses_and_recovers(journal: SqliteJournal) -> None:
    """SQLite's own bound gives the same error as a full disk: refused, read on, accepted after it is lifted."""
    connection = journal._transactions.connection
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages + 100}").fetchall()
    await refuses_reads_recovers(
        journal, lambda: connection.execute("PRAGMA max_page_count = 1000000").fetchall() and None
    )


async def test_a_full_disk_refuses_and_recovers() -> None:
    """On a file system without space left nothing is acknowledged, reading goes on, and freed space is used."""
    folder = Path(tempfile.mkdtemp())
    mount = ["mount", "-t", "tmpfs", "-o", "size=3m", "none", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        folder.rmdir()
        pytest.skip("needs the right to mount")
    try:
        (folder / "ballast").write_bytes(bytes(1 << 20))
        store = open_journal(folder / "journal.db")
        await refuses_reads_recovers(store, (folder / "ballast").unlink)
        store.close()
        open_journal(folder / "journal.db").close()
    finally:
        subprocess.run(["umount", str(folder)], check=True)
        folder.rmdir()


async def test_a_file_that_somebody_holds_is_busy(journal: SqliteJournal, tmp_path: Path) -> None:
    """While another program has a write transaction open appends are refused as JOURNAL_BUSY, and accepted after it."""
    other = sqlite3.connect(tmp_path / "journal.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    run = journal.allocate_runs(1)
    with pytest.raises(HostdError, match="JOURNAL_BUSY"):
        await append(journal, start_batch(run))
    assert journal.run_row(run) is None
    other.execute("ROLLBACK")
    other.close()
    await accepted_again(journal, lambda: start_batch(journal.allocate_runs(1)))


async def test_an_inline_append_is_refused_the_same_way(
    journal: SqliteJournal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A commit on the loop's own thread that meets a held file raises, and the writer takes over waiting."""
    monkeypatch.setattr(writer, "INLINE_COMMIT_MAX_S", 60.0)
    other = sqlite3.connect(tmp_path / "journal.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    for _ in range(2):
        with pytest.raises(HostdError, match="JOURNAL_BUSY"):
            journal.append(start_batch(journal.allocate_runs(1)), lambda _appended, _error: None, alone=True)
    other.execute("ROLLBACK")
    other.close()
    await accepted_again(journal, lambda: start_batch(journal.allocate_runs(1)))


def test_a_journal_that_is_open_is_locked(journal: SqliteJournal, tmp_path: Path) -> None:
    """A second daemon on the same data folder is told which process has it."""
    with pytest.raises(HostdError, match=f"JOURNAL_LOCKED.*Process {os.getpid()} "):
        open_journal(tmp_path / "journal.db")
    journal.close()
    open_journal(tmp_path / "journal.db").close()


def as_nobody(work: Callable[[], None]) -> str:
    """Run something in a forked process without root's rights; return the error it raised, as text."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            if os.geteuid() == 0:
                os.setgid(65534)
                os.setuid(65534)
            work()
            os.write(writing, b"nothing raised")
        except BaseException as error:
            os.write(writing, str(error).encode()[:4000])
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        text = pipe.read().decode()
    os.waitpid(child, 0)
    return text


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # fork beside a thread that has ended
@pytest.mark.parametrize("file_mode, folder_mode", [(0o444, 0o777), (0o666, 0o555)])
def test_what_cannot_be_written_is_named(file_mode: int, folder_mode: int) -> None:
    """A journal file or data folder that this user may not write is JOURNAL_READ_ONLY."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        open_journal(folder / "journal.db").close()
        for file in folder.iterdir():
            file.chmod(0o666)
        (folder / "journal.db").chmod(file_mode)
        folder.chmod(folder_mode)
        assert as_nobody(lambda: open_journal(folder / "journal.db").close()).startswith("JOURNAL_READ_ONLY")
        folder.chmod(0o700)


@pytest.mark.parametrize("alone", [True, False])
async def test_a_file_that_was_replaced_takes_nothing_more(journal: SqliteJournal, tmp_path: Path, alone: bool) -> None:
    """What is not at the path is not acknowledged, from the first append on; all before it can still be saved."""
    await append(journal, start_batch(1))
    for file in tmp_path.glob("journal.db*"):
        file.unlink()
    open_journal(tmp_path / "other.db").close()
    (tmp_path / "other.db").rename(tmp_path / "journal.db")

    for number in (2, 3):
        with pytest.raises(HostdError, match="JOURNAL_REPLACED.*removed or replaced"):
            await append(journal, start_batch(number), alone=alone)
    with pytest.raises(HostdError, match="JOURNAL_REPLACED"):
        journal.rows_after(0, limit=9)  # by a connection of its own, which would be one to the other file
    await asyncio.to_thread(journal.backup, str(tmp_path / "saved.db"))

    saved = open_journal(tmp_path / "saved.db")
    assert len(saved.rows_after(0, limit=9)) == 1
    saved.close()


async def test_a_file_that_was_put_back_is_written_again(journal: SqliteJournal, tmp_path: Path) -> None:
    """Nothing needs to be tried for it to be seen, and it goes on by itself once the file is there again."""
    await append(journal, start_batch(journal.allocate_runs(1)))
    (tmp_path / "journal.db").rename(tmp_path / "away.db")
    assert journal.refusing is None
    journal.look()
    assert journal.refusing is not None and journal.refusing.reason == "JOURNAL_REPLACED"

    (tmp_path / "away.db").rename(tmp_path / "journal.db")

    await accepted_again(journal, lambda: start_batch(journal.allocate_runs(1)))
    assert journal.refusing is None
    assert list(journal.check()) == []


async def test_a_journal_is_its_owners_alone(tmp_path: Path) -> None:
    """The file and SQLite's own beside it hold inputs and the key of tokens: whatever folder and umask allow."""
    tmp_path.chmod(0o755)
    before = os.umask(0)
    try:
        journal = open_journal(tmp_path / "journal.db")
        await append(journal, start_batch(1))
        modes = {file.name: oct(file.stat().st_mode & 0o777) for file in tmp_path.iterdir()}
        journal.close()
    finally:
        os.umask(before)
    assert set(modes.values()) == {"0o600"}, modes
    assert "journal.db-wal" in modes
