"""The writer: inline while parked, grouped under load, noted within a second."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from journals import append, open_journal, start_batch, step_row

from hostd.errors.base import HostdError
from hostd.journal import writer
from hostd.journal.port import Appended, Batch, Row
from hostd.journal.sqlite import SqliteJournal


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqliteJournal]:
    """Yield an open journal."""
    store = open_journal(tmp_path / "journal.db")
    yield store
    store.close()


def ignore(_appended: Appended | None, _error: BaseException | None) -> None:
    """Be a `done` that nobody waits for."""


async def test_alone_is_inline_only_while_commits_are_fast(
    journal: SqliteJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch alone is committed on the loop's thread if recent commits were fast, else handed to the writer."""
    run = journal.allocate_runs(1)
    monkeypatch.setattr(writer, "INLINE_COMMIT_MAX_S", 60.0)
    assert journal.append(start_batch(run), ignore, alone=True) is not None
    monkeypatch.setattr(writer, "INLINE_COMMIT_MAX_S", 0.0)
    done = asyncio.Event()
    assert journal.append(Batch(at_ms=1, rows=[step_row(run, 0)]), lambda _a, _e: done.set(), alone=True) is None
    await done.wait()
    assert len(journal.history(run)) == 2


async def test_alone_waits_its_turn_behind_what_is_in_flight(
    journal: SqliteJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While another batch is queued nothing overtakes it, however fast the disk is."""
    monkeypatch.setattr(writer, "INLINE_COMMIT_MAX_S", 60.0)
    run = journal.allocate_runs(1)
    both: list[Appended | None] = []
    done = asyncio.Event()

    def last(appended: Appended | None, _error: BaseException | None) -> None:
        both.append(appended)
        done.set()

    journal.append(start_batch(run), lambda appended, _error: both.append(appended))
    assert journal.append(Batch(at_ms=1, rows=[step_row(run, 0)]), last, alone=True) is None
    await done.wait()
    assert [appended.number for appended in both if appended] == [1, 2]


async def test_what_waits_shares_a_commit(journal: SqliteJournal) -> None:
    """Batches that wait while the writer is held become one transaction, each with its own number and answer."""
    held, go = threading.Event(), threading.Event()
    holding = asyncio.get_running_loop().create_task(
        asyncio.to_thread(journal._writer.call, lambda: (held.set(), go.wait(120))[1])
    )
    await asyncio.to_thread(held.wait)
    commits: list[str] = []
    journal._transactions.connection.set_trace_callback(lambda sql: commits.append(sql) if sql == "COMMIT" else None)
    first = journal.allocate_runs(20)
    appends = [asyncio.get_running_loop().create_task(append(journal, start_batch(first + n))) for n in range(20)]
    await asyncio.sleep(0)
    go.set()
    await holding
    numbers = [(await appended).number for appended in appends]
    assert numbers == list(range(1, 21))
    assert len(commits) == 1


async def test_a_failure_in_a_group_spares_those_before_it(journal: SqliteJournal) -> None:
    """Of batches that share a commit, those before the one that fails are durable, it and those after it fail."""
    held, go = threading.Event(), threading.Event()
    holding = asyncio.get_running_loop().create_task(
        asyncio.to_thread(journal._writer.call, lambda: (held.set(), go.wait(120))[1])
    )
    await asyncio.to_thread(held.wait)
    first = journal.allocate_runs(5)
    batches = [start_batch(first), start_batch(first + 1), start_batch(first), start_batch(first + 3)]
    appends = [asyncio.get_running_loop().create_task(append(journal, batch)) for batch in batches]
    await asyncio.sleep(0)
    go.set()
    await holding
    outcomes = await asyncio.gather(*appends, return_exceptions=True)
    assert [isinstance(outcome, Appended) for outcome in outcomes] == [True, True, False, False]
    assert (await append(journal, start_batch(first + 4))).number == 3


async def test_a_callback_that_raises_takes_no_other_with_it(journal: SqliteJournal) -> None:
    """Each `done` is called though another one raised; the error goes to the loop's handler."""
    seen: list[dict[str, object]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _loop, context: seen.append(context))
    done = asyncio.Event()

    def bad(_appended: Appended | None, _error: BaseException | None) -> None:
        raise ValueError("a mistake of the caller")

    first = journal.allocate_runs(2)
    journal.append(start_batch(first), bad)
    journal.append(start_batch(first + 1), lambda _a, _e: done.set())
    await done.wait()
    assert len(seen) == 1
    assert (await append(journal, start_batch(journal.allocate_runs(1)))).number == 3


@pytest.mark.parametrize("alone", [True, False])
async def test_the_sidecar_follows_within_its_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, alone: bool
) -> None:
    """After a commit, inline or not, the sidecar names it without another append having to come."""
    monkeypatch.setattr(writer, "NOTE_S", 0.01)
    monkeypatch.setattr(writer, "INLINE_COMMIT_MAX_S", 60.0)
    journal = open_journal(tmp_path / "journal.db")
    noted = threading.Event()
    write = journal._sidecar.write
    monkeypatch.setattr(journal._sidecar, "write", lambda seen: (write(seen), noted.set() if seen.number else None)[0])
    journal.append(start_batch(journal.allocate_runs(1)), ignore, alone=alone)
    assert await asyncio.to_thread(noted.wait, 20)
    assert b'"number":1' in (tmp_path / "journal.last").read_bytes()
    journal.close()


async def test_a_closed_journal_takes_nothing(journal: SqliteJournal) -> None:
    """After close appends and reads are refused by name, and closing again does nothing."""
    journal.close()
    journal.close()
    with pytest.raises(HostdError, match="JOURNAL_FAILED"):
        journal.append(start_batch(1), ignore)
    with pytest.raises(HostdError, match="JOURNAL_FAILED"):
        journal.run_row(1)


async def test_close_finishes_what_was_appended(tmp_path: Path) -> None:
    """Batches that were handed over before close are durable after it."""
    journal = open_journal(tmp_path / "journal.db")
    first = journal.allocate_runs(50)
    for run in range(first, first + 50):
        journal.append(start_batch(run), ignore)
    await asyncio.to_thread(journal.close)
    journal = open_journal(tmp_path / "journal.db")
    assert len(journal.rows_after(0)) == 50
    journal.close()


async def test_a_batch_of_nonsense_does_not_stop_the_writer(journal: SqliteJournal) -> None:
    """A batch with values of wrong types is a BUG to its caller, and the next one goes through."""
    run = journal.allocate_runs(1)
    for nonsense in (Row(run, 0, 1, b"x", None), Row("a", 0, 1, b"x"), Row(2**80, 0, 1, b"x"), None):  # type: ignore[arg-type]
        with pytest.raises(HostdError):
            await append(journal, Batch(at_ms=1, rows=[nonsense]))  # type: ignore[list-item]
    assert (await append(journal, start_batch(run))).number == 1
