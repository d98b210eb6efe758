"""Damaged files: every damage is named, and nothing acknowledged is missing where none is."""

from __future__ import annotations

import random
import re
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from journals import append, open_journal, start_batch

from hostd.errors.base import HostdError
from hostd.journal.port import Batch, EventRow, KvWrite, Progress, RunQuery
from hostd.journal.sqlite import SqliteJournal
from hostd.journal.tools import check_file
from hostd.journal.wal import read_wal


def content(journal: SqliteJournal) -> list[Any]:
    """Return all rows, runs and values of a journal. Raises what reading raises."""
    found: list[Any] = []
    pos = 0
    while rows := journal.rows_after(pos):
        found += rows
        pos = rows[-1].pos
    runs = journal.query_runs(RunQuery("default", limit=1000))
    found += [
        (row.run, row.run_id, row.workflow, row.version, row.state, row.labels, row.created_at_ms) for row in runs
    ]
    with journal._pool.connection() as connection:
        digests = connection.execute("SELECT digest FROM blobs ORDER BY blob").fetchall()
    blobs = [journal.blob("default", digest) for (digest,) in digests]
    return found + [blob and blob.data for blob in blobs]  # its type and holders stand in the records too


def opened(path: Path) -> tuple[list[str], list[Any]]:
    """Open, check and read; return what was named and what is there."""
    try:
        journal = open_journal(path)
    except HostdError as error:
        return [str(error)], []
    try:
        named = [*journal.notices, *journal.check()]
        return named, content(journal)
    except HostdError as error:
        return [str(error)], []
    finally:
        journal.close()


def copies(path: Path, folder: Path, count: int) -> Iterator[Path]:
    """Yield fresh copies of a journal with all its files."""
    for number in range(count):
        target = folder / f"copy{number}"
        shutil.copytree(path.parent, target)
        yield target / path.name
        shutil.rmtree(target)


def flip(path: Path, offset: int, bit: int) -> None:
    """Change one bit of a file."""
    with path.open("r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ 1 << bit]))


def test_a_cut_wal_is_named(crashed: Path, tmp_path: Path) -> None:
    """A WAL cut anywhere: all is there, or opening says that some is lost; accepted, a sound prefix goes on."""
    wal = crashed.with_name("journal.db-wal")
    size, (_, found) = wal.stat().st_size, opened_copy(crashed, tmp_path)
    frame_ends = [32 + number * (24 + 4096) for number in range(0, (size - 32) // 4120 + 1, 4)]
    chance = random.Random(1)
    offsets = [0, 1, 31, *frame_ends, *(chance.randrange(size) for _ in range(25))]
    lost = 0
    for offset, copy in zip(offsets, copies(crashed, tmp_path, len(offsets)), strict=True):
        with copy.with_name(wal.name).open("r+b") as file:
            file.truncate(offset)
        named, now = opened(copy)
        if named:
            lost += 1
            assert "JOURNAL_TRUNCATED" in named[0]
            journal = open_journal(copy, accept_loss=True)
            assert list(journal.check()) == []
            rows = journal.rows_after(0, limit=1000)
            assert rows == [row for row in found if row in rows]
            journal.close()
        else:
            assert now == found
    assert lost > 10


def opened_copy(path: Path, folder: Path) -> tuple[list[str], list[Any]]:
    """Open a copy, so that the original stays as it is."""
    for copy in copies(path, folder, 1):
        named, found = opened(copy)
        assert named == []
        assert len(found) == 12 * 5 + 12 + 12
    return named, found


@pytest.mark.parametrize("tries", [50, pytest.param(1500, marks=[pytest.mark.slow, pytest.mark.timeout(600)])])
def test_a_flipped_bit_in_the_wal_is_named(crashed: Path, tmp_path: Path, tries: int) -> None:
    """One bit of the WAL flipped: everything is there, or the damage is named."""
    wal = crashed.with_name("journal.db-wal")
    _, found = opened_copy(crashed, tmp_path)
    frames = read_wal(wal)
    used = 32 + frames.last_of_pass * 4120
    chance = random.Random(tries)
    named_count = 0
    for copy in copies(crashed, tmp_path, tries):
        offset = chance.choice(
            [chance.randrange(used), 32 + chance.randrange(frames.last_of_pass) * 4120 + chance.randrange(24)]
        )
        flip(copy.with_name(wal.name), offset, chance.randrange(8))
        named, now = opened(copy)
        named_count += bool(named)
        assert named or now == found, f"offset {offset}"
    assert named_count > tries / 2


@pytest.mark.parametrize("tries", [80, pytest.param(2500, marks=[pytest.mark.slow, pytest.mark.timeout(900)])])
def test_a_flipped_bit_in_the_file_is_named(crashed: Path, tmp_path: Path, tries: int) -> None:
    """One bit of a closed journal's file flipped: opening, reading or checking names it, or everything is there."""
    open_journal(crashed).close()
    _, found = opened_copy(crashed, tmp_path)
    chance = random.Random(tries)
    size = crashed.stat().st_size
    for copy in copies(crashed, tmp_path, tries):
        offset = chance.randrange(size)
        flip(copy, offset, chance.randrange(8))
        named = list(check_file(copy))
        more, now = opened(copy)
        assert named or more or now == found, f"offset {offset}"


ALTERED = [
    ("UPDATE records SET body = substr(body, 1, length(body) - 1) || x'01' WHERE pos = 14", "position 14"),
    ("UPDATE records SET at_ms = 5 WHERE pos = 14", "position 14"),
    ("UPDATE records SET principal = 'root' WHERE pos = 1", "position 1"),
    ("DELETE FROM records WHERE run = 2 AND seq = 4", "record 4 should follow, 6 does"),
    ("DELETE FROM records WHERE run = 12 AND seq = 8", "run key 12: the index says that it has ended"),
    ("DELETE FROM records WHERE run = 3", "run key 3: the index lists it, but there is no record"),
    ("DELETE FROM runs WHERE run = 4", "run key 4: it has records, but the index does not list it"),
    ("UPDATE runs SET workflow = 'other' WHERE run = 4", "run key 4: the index has another workflow"),
    ("UPDATE runs SET state = 2, ended_at_ms = 0 WHERE run = 4", "run key 4: it has ended"),
    ("DELETE FROM labels WHERE run = 4", "run key 4: its label n is not in the label index"),
    ("UPDATE blobs SET data = x'00' WHERE blob = 2", "blob 2"),
    ("INSERT INTO snapshots VALUES (4, 6, 1, 7, x'00')", "run key 4: its snapshot does not fit"),
    ("INSERT INTO snapshots VALUES (4, 6, 1, 7, 'text')", "run key 4: its snapshot does not fit"),
    ("UPDATE records SET batch = x'93CD0010' WHERE pos = 14 AND batch IS NOT NULL", "head of its batch|link"),
]


@pytest.mark.parametrize("sql, expected", ALTERED)
def test_an_altered_row_is_named(crashed: Path, sql: str, expected: str) -> None:
    """A row that somebody changed or removed with SQLite itself is named where it is."""
    open_journal(crashed).close()
    connection = sqlite3.connect(crashed)
    connection.execute(sql)
    connection.commit()
    connection.close()
    named = "\n".join(check_file(crashed))
    assert re.search(expected, named), named


def test_a_mended_index_says_what_the_records_say(crashed: Path) -> None:
    """With `repair` a lost run index and labels come back from the records, and the check is clean."""
    journal = open_journal(crashed)
    before = [row for row in journal.query_runs(RunQuery("default", limit=100)) if row.state >= 10]
    journal.close()
    connection = sqlite3.connect(crashed)
    connection.execute("DELETE FROM runs WHERE run % 2")
    connection.execute("DELETE FROM labels WHERE run % 3")
    connection.execute("INSERT INTO snapshots VALUES (4, 6, 1, 7, x'00')")
    connection.execute("UPDATE runs SET workflow = 'other', state = 3 WHERE run = 4")
    connection.commit()
    connection.close()
    assert len(list(check_file(crashed, repair=True))) >= 6
    assert list(check_file(crashed)) == []
    journal = open_journal(crashed)
    assert journal.query_runs(RunQuery("default", limit=100)) == before
    journal.close()


async def test_damage_to_what_is_no_runs_is_named(tmp_path: Path) -> None:
    """An altered durable key, progress and event's size are named; the key is not read; mending drops the progress."""
    path = tmp_path / "journal.db"
    journal = open_journal(path)
    await append(journal, start_batch(1))
    events = [EventRow("default", "", "", f"e{n}", b"{}", "PUBLISHED", topic="t") for n in range(3)]
    notes = Batch(at_ms=1, kv=[KvWrite("default", "k", b"1", 1)], progress=[Progress(1, 0, b"1")], events=events)
    await append(journal, notes)
    journal.close()
    connection = sqlite3.connect(path)
    connection.execute("UPDATE kv SET value = x'32'")
    connection.execute("UPDATE progress SET body = x'32'")
    connection.execute("UPDATE events SET body = x'3232323232' WHERE number = 2")
    connection.commit()
    connection.close()

    named = "\n".join(check_file(path))
    assert re.search("durable key 1: .*'k'.*progress of its step 0.*event 2: its size", named, re.DOTALL), named
    mended = "\n".join(check_file(path, repair=True))
    assert "dropped" in mended
    journal = open_journal(path)
    assert journal.progress(1) == {}
    with pytest.raises(HostdError, match="RECORD_CORRUPT"):
        journal.kv("default", ["k"])
    journal.close()


async def test_an_event_without_a_size_is_named(tmp_path: Path) -> None:
    """A check goes on behind it, and holds nothing against the events that follow."""
    path = tmp_path / "journal.db"
    journal = open_journal(path)
    events = [EventRow("default", "", "", f"e{n}", b"{}", "PUBLISHED", topic="t") for n in range(4)]
    await append(journal, Batch(at_ms=1, events=events))
    journal.close()
    connection = sqlite3.connect(path)
    connection.execute("UPDATE events SET total = 'x' WHERE number = 1")
    connection.execute("UPDATE events SET body = x'3232323232' WHERE number = 3")
    connection.commit()
    connection.close()

    named = [line for line in check_file(path) if "event " in line]
    assert [line.partition("event ")[2] for line in named] == [
        "1: it has no size, or no body",
        "3: its size does not add up with the events before it",
    ]


def test_checking_leaves_the_evidence(crashed: Path) -> None:
    """Checking a crashed journal changes nothing: the WAL that tells what is lost is still there."""
    wal = crashed.with_name("journal.db-wal")
    flip(wal, 32 + 4120 * 3 + 100, 1)
    before = (crashed.read_bytes(), wal.read_bytes())
    list(check_file(crashed))
    assert (crashed.read_bytes(), wal.read_bytes()) == before
    with pytest.raises(HostdError, match="JOURNAL_TRUNCATED"):
        open_journal(crashed)


def test_a_file_of_another_time_is_named(crashed: Path) -> None:
    """An old copy of the file put back beside a newer sidecar is named with the number of batches it lacks."""
    open_journal(crashed).close()
    old = crashed.read_bytes()
    journal = open_journal(crashed)
    journal._transactions.append([start_batch(500)])
    journal.close()
    crashed.write_bytes(old)
    with pytest.raises(HostdError, match="JOURNAL_TRUNCATED.* lost 1 acknowledged batches"):
        open_journal(crashed)


def test_accepting_a_loss_goes_on_with_fresh_numbers(crashed: Path) -> None:
    """After an accepted loss no position or run key that was given out comes again, and the journal has a new id."""
    wal = crashed.with_name("journal.db-wal")
    journal = open_journal(crashed)
    info, last = journal._journal_id, journal.last_pos()
    journal.close()
    connection = sqlite3.connect(crashed)
    connection.execute("DELETE FROM records WHERE pos > 60")
    connection.execute("DELETE FROM runs WHERE run > 5")
    connection.commit()
    connection.close()
    with pytest.raises(HostdError, match="JOURNAL_TRUNCATED"):
        open_journal(crashed)
    journal = open_journal(crashed, accept_loss=True)
    assert journal._journal_id != info
    assert journal.last_pos() > last
    assert journal.allocate_runs(1) > 12
    assert "accepted" in journal.notices[-1]
    journal.close()
    open_journal(crashed).close()
    assert not wal.exists()


@pytest.mark.parametrize("data", [b"not a database at all" * 500, b"SQLite format 3\0" + bytes(90), b"\0" * 8192])
def test_a_file_that_is_no_journal_is_named(tmp_path: Path, data: bytes) -> None:
    """Something else under the journal's name is JOURNAL_CORRUPT, and stays as it was."""
    path = tmp_path / "journal.db"
    path.write_bytes(data)
    with pytest.raises(HostdError, match="JOURNAL_CORRUPT"):
        open_journal(path)
    assert path.read_bytes() == data


def test_newer_and_changed_schemas_are_named(crashed: Path) -> None:
    """A journal with a later migration was written by a newer hostd; one with another text is refused too."""
    open_journal(crashed).close()
    changes = {
        "JOURNAL_TOO_NEW": "INSERT INTO schema_migrations VALUES (99, '0099_later.sql', 'x')",
        "JOURNAL_MIGRATION": "UPDATE schema_migrations SET checksum = 'x' WHERE number = 1",
    }
    for reason, sql in changes.items():
        connection = sqlite3.connect(crashed)
        connection.execute("DELETE FROM schema_migrations WHERE number = 99")
        connection.execute(sql)
        connection.commit()
        connection.close()
        with pytest.raises(HostdError, match=reason):
            open_journal(crashed)


def test_a_journal_that_is_gone_is_named(crashed: Path) -> None:
    """No file, or an empty one, where batches were durable: never an empty journal in silence."""
    open_journal(crashed).close()
    for left in (None, b""):
        for file in crashed.parent.glob("journal.db*"):
            file.unlink()
        if left is not None:
            crashed.write_bytes(left)

        with pytest.raises(HostdError, match="were durable there") as refused:
            open_journal(crashed)
        assert refused.value.reason == "JOURNAL_TRUNCATED"

    journal = open_journal(crashed, accept_loss=True)
    assert journal.rows_after(0) == []
    journal.close()
