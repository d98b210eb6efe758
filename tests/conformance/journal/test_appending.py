"""What an append promises: all or nothing, in order, durable before `done`, numbered once."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable

import pytest
from journals import append, end_batch, new_run, start_batch, step_row, whole_run

from hostd.errors.base import HostdError
from hostd.journal.port import Appended, Batch, Journal, Obligation, RequestId, Row, RunUpdate


async def test_rows_come_back_as_they_were_appended(journal: Journal) -> None:
    """A run's history holds its rows in order, with what the store added."""
    run = await whole_run(journal, steps=3)
    rows = journal.history(run)
    assert [(row.seq, row.n) for row in rows] == [(0, 2), (2, 2), (4, 2), (6, 2), (8, 2)]
    assert [row.at_ms for row in rows] == [1_000, 1_000, 1_001, 1_002, 1_003]
    assert rows[0].principal == "unix:0"
    assert rows[1].body == step_row(run, 0).body


async def test_positions_index_records(journal: Journal) -> None:
    """A row takes as many positions as it has records, so record i of a row has position pos + i."""
    run = await whole_run(journal, steps=2)
    rows = journal.history(run)
    assert [after.pos - before.pos for before, after in itertools.pairwise(rows)] == [2, 2, 2]
    assert journal.last_pos() == rows[-1].pos + 1


async def test_done_comes_after_the_append_is_durable_and_in_order(journal: Journal) -> None:
    """Each `done` is called once, on the loop, in the order of the appends, when the rows can be read."""
    seen: list[tuple[int, bool]] = []
    all_done = asyncio.Event()
    first = journal.allocate_runs(20)

    def done(run: int) -> Callable[[Appended | None, BaseException | None], None]:
        def called(appended: Appended | None, error: BaseException | None) -> None:
            seen.append((run, error is None and journal.run_row(run) is not None))
            if len(seen) == 20:
                all_done.set()

        return called

    for run in range(first, first + 20):
        journal.append(start_batch(run), done(run))
    assert seen == []
    await all_done.wait()
    assert seen == [(run, True) for run in range(first, first + 20)]


async def test_an_append_alone_may_be_durable_at_once(journal: Journal) -> None:
    """An append that returns what it did has done it, and does not call back; else it calls back."""
    run = journal.allocate_runs(1)
    future: asyncio.Future[Appended | None] = asyncio.get_running_loop().create_future()
    appended = journal.append(start_batch(run), lambda result, _error: future.set_result(result), alone=True)
    if appended is None:
        appended = await future
    assert appended is not None
    assert journal.history(run)[0].pos == appended.first_pos
    await asyncio.sleep(0)
    assert not future.done() or future.result() == appended


async def test_a_batch_that_contradicts_is_refused_whole(journal: Journal) -> None:
    """One bad part, and nothing of the batch is there, in any table; later batches go on."""
    run = journal.allocate_runs(2)
    await append(journal, start_batch(run))
    bad = start_batch(run + 1)
    bad.rows.append(Row(run, 0, 1, b"again"))  # this record is there
    bad.request_ids.append(RequestId("default", "StartRun", "r1", b"d", b"x"))
    bad.obligations.append(Obligation(7, "default", "tell", b""))
    with pytest.raises(HostdError) as caught:
        await append(journal, bad)
    assert caught.value.reason == "JOURNAL_CONFLICT"
    assert journal.run_row(run + 1) is None
    assert journal.history(run + 1) == []
    assert journal.request_ids([("default", "StartRun", "r1")]) == {}
    assert journal.obligations() == []
    await append(journal, start_batch(run + 1))
    assert journal.run_row(run + 1) is not None


@pytest.mark.parametrize("what", ["run key", "run id", "unknown run"])
async def test_the_run_index_cannot_be_contradicted(journal: Journal, what: str) -> None:
    """A run key or id that is there, or a change of a run that is not, is refused."""
    run = journal.allocate_runs(2)
    await append(journal, start_batch(run))
    batches = {
        "run key": Batch(at_ms=1, new_runs=[new_run(run, run_id=b"x" * 17)]),
        "run id": Batch(at_ms=1, new_runs=[new_run(run + 1, run_id=new_run(run).run_id)]),
        "unknown run": Batch(at_ms=1, run_updates=[RunUpdate(run + 1, 10)]),
    }
    with pytest.raises(HostdError, match="JOURNAL_CONFLICT"):
        await append(journal, batches[what])


async def test_what_was_decided_on_a_failed_batch_fails_too(journal: Journal) -> None:
    """Batches appended before a failure came back fail with it, and those after it go on."""
    run = journal.allocate_runs(1)
    await append(journal, start_batch(run))
    outcomes: list[bool] = []
    both = asyncio.Event()

    def done(appended: Appended | None, error: BaseException | None) -> None:
        outcomes.append(error is None)
        if len(outcomes) == 2:
            both.set()

    journal.append(Batch(at_ms=1, rows=[Row(run, 0, 1, b"again")]), done)
    journal.append(Batch(at_ms=1, rows=[step_row(run, 0)]), done)
    await both.wait()
    assert outcomes == [False, False]
    assert len(journal.history(run)) == 1
    await append(journal, Batch(at_ms=1, rows=[step_row(run, 0)]))
    assert len(journal.history(run)) == 2


async def test_an_append_id_tells_what_became_of_an_append(journal: Journal) -> None:
    """The store says of an append id which batch it was, or that it never happened; it is good for one append."""
    run = journal.allocate_runs(1)
    batch = start_batch(run)
    batch.append_id = 4711
    appended = await append(journal, batch)
    assert journal.append_outcome(4711) == appended
    assert journal.append_outcome(4712) is None
    with pytest.raises(HostdError, match="JOURNAL_CONFLICT"):
        await append(journal, Batch(at_ms=1, rows=[step_row(run, 0)], append_id=4711))


async def test_an_empty_append_is_durable_too(journal: Journal) -> None:
    """A batch without records counts and can be asked for, but is in nobody's history."""
    appended = await append(journal, Batch(at_ms=5, append_id=9))
    assert journal.append_outcome(9) == appended
    assert journal.rows_after(0) == []
    following = await append(journal, start_batch(journal.allocate_runs(1)))
    assert following.number == appended.number + 1
    assert following.first_pos > appended.first_pos


async def test_numbers_are_never_given_out_twice(journal: Journal, reopened: Callable[[Journal], Journal]) -> None:
    """After the newest run is deleted, and after reopening, positions, run keys and batch numbers go on rising."""
    run = await whole_run(journal)
    last, batch = journal.last_pos(), await append(journal, Batch(at_ms=3_000, run_deletes=[run]))
    assert journal.rows_after(0) == []
    store = reopened(journal)
    assert store.last_pos() >= last
    fresh = store.allocate_runs(1)
    assert fresh > run
    appended = await append(store, start_batch(fresh))
    assert appended.first_pos > last
    assert appended.number > batch.number
    store.close()


async def test_everything_is_there_after_reopening(journal: Journal, reopened: Callable[[Journal], Journal]) -> None:
    """What was appended is read back the same from a journal that was closed and opened."""
    run = await whole_run(journal, labels={"team": "a"}, key="k")
    before = (journal.history(run), journal.run_row(run), journal.last_pos())
    store = reopened(journal)
    assert (store.history(run), store.run_row(run), store.last_pos()) == before
    assert list(store.check()) == []
    store.close()


async def test_readers_see_a_prefix(journal: Journal) -> None:
    """A reader that pages by position while batches are written never meets a gap."""
    first = journal.allocate_runs(30)
    appended = []
    seen: list[int] = []

    async def write() -> None:
        for run in range(first, first + 30):
            appended.append(await append(journal, start_batch(run)))
            await append(journal, end_batch(run, 0))

    writing = asyncio.get_running_loop().create_task(write())
    pos = 0
    while not writing.done() or journal.rows_after(pos):
        rows = journal.rows_after(pos, limit=7)
        seen += [row.pos for row in rows]
        pos = rows[-1].pos if rows else pos
        await asyncio.sleep(0)
    await writing
    assert seen == list(range(seen[0], seen[0] + 2 * len(seen), 2))
    assert len(seen) == 60
