"""Reading runs: the index, filters and pages, timers, histories and snapshots."""

from __future__ import annotations

import pytest
from journals import append, end_batch, new_run, start_batch, step_row, text_run_id, whole_run

from hostd.errors.base import HostdError
from hostd.journal.port import Batch, Journal, NewRun, RunQuery, RunUpdate, Snapshot
from hostd.model.filters import And, Compare, Filter, In, Not, Or, StartsWith
from hostd.model.ids import stored_id
from hostd.model.states import RunState


async def test_a_run_is_found_by_its_id_in_its_namespace(journal: Journal) -> None:
    """The run id finds the index row, with all that was said at the start, but from no other namespace."""
    run = journal.allocate_runs(1)
    new = new_run(run, key="k", labels={"a": "b", "ü": "ö"}, trigger="cron", parent=text_run_id(99), due_at_ms=77)
    await append(journal, Batch(at_ms=500, new_runs=[new]))
    row = journal.find_run("default", new.run_id)
    assert row is not None
    assert row == journal.run_row(run)
    assert (row.key, row.labels, row.trigger, row.parent) == ("k", {"a": "b", "ü": "ö"}, "cron", text_run_id(99))
    assert (row.created_at_ms, row.ended_at_ms, row.due_at_ms, row.owes) == (500, 0, 77, False)
    assert journal.find_run("other", new.run_id) is None
    assert journal.find_run("default", stored_id(text_run_id(12345))) is None


async def test_a_run_ends_once(journal: Journal) -> None:
    """The first final state sets the end; what still changes afterwards does not move it."""
    run = journal.allocate_runs(1)
    await append(journal, start_batch(run))
    await append(journal, Batch(at_ms=50, run_updates=[RunUpdate(run, 11, owes=True, reason="STEP_FAILED")]))
    await append(journal, Batch(at_ms=60, run_updates=[RunUpdate(run, 11, reason="STEP_FAILED")]))
    row = journal.run_row(run)
    assert row is not None
    assert (row.state, row.ended_at_ms, row.reason, row.owes) == (11, 50, "STEP_FAILED", False)


async def test_the_newest_run_of_a_key(journal: Journal) -> None:
    """`newest_run` gives the last run with a key, or the last that lives."""
    first = journal.allocate_runs(3)
    await append(journal, start_batch(first, key="k"))
    await append(journal, start_batch(first + 1, key="k"))
    await append(journal, end_batch(first + 1, 0))
    await append(journal, start_batch(first + 2, key="other"))
    newest, live = journal.newest_run("default", "order", "k"), journal.newest_run("default", "order", "k", live=True)
    assert newest is not None
    assert live is not None
    assert (newest.run, live.run) == (first + 1, first)
    assert journal.newest_run("default", "other", "k") is None


async def test_live_runs_are_those_that_go_on_or_owe(journal: Journal) -> None:
    """Recovery is shown runs that are not final and runs that still owe, by rising key, in pages."""
    first = journal.allocate_runs(6)
    for run in range(first, first + 6):
        await append(journal, start_batch(run))
    await append(journal, end_batch(first + 1, 0))
    await append(journal, Batch(at_ms=9, run_updates=[RunUpdate(first + 3, 10, owes=True)]))
    keys = [first, first + 2, first + 3, first + 4, first + 5]
    assert [row.run for row in journal.live_runs()] == keys
    assert [row.run for row in journal.live_runs(after=first + 2, limit=2)] == keys[2:4]


async def test_due_runs_come_earliest_first(journal: Journal) -> None:
    """Only runs with a timer before the time are due; a timer that was met or moved is not."""
    first = journal.allocate_runs(5)
    for run, due_at_ms in zip(range(first, first + 5), (300, 100, 0, 200, 999), strict=True):
        await append(journal, start_batch(run, due_at_ms=due_at_ms))
    assert journal.due_runs(before_ms=500) == [(100, first + 1), (200, first + 3), (300, first)]
    assert journal.due_runs(before_ms=500, limit=1) == [(100, first + 1)]
    await append(journal, Batch(at_ms=1, run_updates=[RunUpdate(first + 1, 3, due_at_ms=700), RunUpdate(first, 3)]))
    assert journal.due_runs(before_ms=500) == [(200, first + 3)]


async def test_lists_page_newest_first_and_oldest_first(journal: Journal) -> None:
    """Pages by run key give each run of the namespace once, in either direction."""
    first = journal.allocate_runs(12)
    for run in range(first, first + 12):
        await append(journal, start_batch(run, namespace="a" if run % 3 else "b"))
    mine = [run for run in range(first, first + 12) if run % 3]
    for ascending in (False, True):
        found: list[int] = []
        while page := journal.query_runs(RunQuery("a", before=found[-1] if found else 0, limit=3, ascending=ascending)):
            assert len(page) <= 3
            found += [row.run for row in page]
        assert found == (mine if ascending else mine[::-1])
    assert journal.count_runs(RunQuery("a")) == len(mine)
    assert journal.count_runs(RunQuery("c")) == 0


FILTERS: list[tuple[Filter, set[int]]] = [
    (Compare("workflow", "=", "pay"), {2, 5}),
    (Compare("workflow", "!=", "pay"), {0, 1, 3, 4}),
    (Compare("labels.team", "=", "red"), {0, 4}),
    (Compare("labels.team", "!=", "red"), {1, 2, 3, 5}),
    (Compare("labels.team", "=", ""), {1, 2, 5}),
    (Compare('labels.od"d', "=", "x'y"), {5}),
    (StartsWith("labels.team", "re"), {0, 4}),
    (StartsWith("key", "k%"), {3}),
    (In("labels.team", ("red", "blue")), {0, 3, 4}),
    (Compare("state", "=", int(RunState.RUNNING)), {1, 2, 4}),
    (Compare("state", "=", int(RunState.FAILED)), {3}),
    (In("state", (int(RunState.SUCCEEDED), int(RunState.FAILED))), {0, 3, 5}),
    (In("state", ()), set()),
    (Not(Compare("state", "=", int(RunState.RUNNING))), {0, 3, 5}),
    (And((Compare("state", "=", int(RunState.RUNNING)), Compare("labels.team", "=", "red"))), {4}),
    (Or((Compare("state", "=", int(RunState.FAILED)), Compare("workflow", "=", "pay"))), {2, 3, 5}),
    (And(()), {0, 1, 2, 3, 4, 5}),
    (Or(()), set()),
    (Compare("created_at", ">=", 102), {2, 3, 4, 5}),
    (And((Compare("ended_at", ">", 0), Compare("ended_at", "<", 205))), {0, 3}),
    (Compare("trigger", "=", "cron"), {4}),
    (Compare("parent", "=", text_run_id(1000)), {1}),
    (Compare("reason", "=", "STEP_FAILED"), {3}),
    (Compare("version", "<=", "1.0.0"), {0, 1, 2, 3, 4, 5}),
]


async def various(journal: Journal) -> int:
    """Append six runs that differ and return the first one's key."""
    first = journal.allocate_runs(6)
    fields: list[dict[str, object]] = [
        {"labels": {"team": "red"}},
        {"parent": text_run_id(1000)},
        {"workflow": "pay"},
        {"labels": {"team": "blue"}, "key": "k%1"},
        {"labels": {"team": "red"}, "trigger": "cron", "key": "kk"},
        {"workflow": "pay", "labels": {'od"d': "x'y"}},
    ]
    for number, given in enumerate(fields):
        await append(journal, start_batch(first + number, at_ms=100 + number, **given))
    ends = {0: RunState.SUCCEEDED, 3: RunState.FAILED, 5: RunState.SUCCEEDED}
    for number, state in ends.items():
        update = RunUpdate(first + number, int(state), reason="STEP_FAILED" if state is RunState.FAILED else "")
        await append(journal, Batch(at_ms=200 + number, run_updates=[update]))
    return first


async def test_filters_find_what_they_say(journal: Journal) -> None:
    """Each operator over each kind of field gives the same runs on every store, in lists and in counts."""
    first = await various(journal)
    for tree, expected in FILTERS:
        query = RunQuery("default", tree)
        assert {row.run - first for row in journal.query_runs(query)} == expected, tree
        assert journal.count_runs(query) == len(expected), tree


@pytest.mark.parametrize(
    "tree",
    [Compare("state; DROP TABLE runs", "=", 1), Compare("key", "LIKE", "x"), And((Compare("key", "=", "x"),) * 300)],
)
async def test_filters_refuse_what_is_not_indexed(journal: Journal, tree: Filter) -> None:
    """An unknown field or operator, or a filter without measure, is INVALID_FILTER."""
    await append(journal, start_batch(journal.allocate_runs(1)))
    with pytest.raises(HostdError, match="INVALID_FILTER"):
        journal.query_runs(RunQuery("default", tree))


async def test_histories_page(journal: Journal) -> None:
    """A history begins with the row that holds a record, and stops at a size with at least one row."""
    run = await whole_run(journal, steps=4)
    rows = journal.history(run)
    assert journal.history(run, from_seq=4) == rows[2:]
    assert journal.history(run, from_seq=5) == rows[2:]
    assert journal.history(run, from_seq=12) == []
    assert journal.history(run, max_bytes=1) == rows[:1]
    assert journal.history(run, max_bytes=len(rows[0].body) + len(rows[1].body)) == rows[:2]
    assert journal.history(run + 1) == []


async def test_the_newest_snapshot_is_kept(journal: Journal) -> None:
    """A run has one snapshot, the last, until it needs none."""
    run = journal.allocate_runs(1)
    await append(journal, start_batch(run))
    await append(journal, Batch(at_ms=1, snapshots=[Snapshot(run, 2, 1, b"old")]))
    await append(journal, Batch(at_ms=1, snapshots=[Snapshot(run, 4, 1, b"new")]))
    assert journal.snapshot(run) == Snapshot(run, 4, 1, b"new")
    assert journal.snapshot(run + 1) is None
    await append(journal, Batch(at_ms=1, snapshot_deletes=[run, run + 1]))
    assert journal.snapshot(run) is None


async def test_rows_of_all_runs_page_by_position(journal: Journal) -> None:
    """The log gives rows of all runs in position order, bounded by number and size, from any position."""
    first = journal.allocate_runs(3)
    for run in range(first, first + 3):
        await append(journal, start_batch(run))
    await append(journal, Batch(at_ms=1, rows=[step_row(run, 0) for run in range(first, first + 3)]))
    rows = journal.rows_after(0)
    assert [row.run for row in rows] == [first, first + 1, first + 2] * 2
    assert journal.rows_after(rows[1].pos) == rows[2:]
    assert journal.rows_after(0, limit=4) == rows[:4]
    assert journal.rows_after(0, max_bytes=1) == rows[:1]
    assert journal.rows_after(journal.last_pos()) == []
    assert journal.first_pos() < rows[0].pos


def test_an_empty_journal_has_no_rows(journal: Journal) -> None:
    """A new journal answers every question, with nothing."""
    assert journal.first_pos() == journal.last_pos() == 0
    assert journal.rows_after(0) == []
    assert journal.live_runs() == []
    assert journal.query_runs(RunQuery("default")) == []
    assert NewRun(1, "a", b"", "w", "1", 1).labels == {}
