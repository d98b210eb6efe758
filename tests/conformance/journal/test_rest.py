"""What is not a run: blobs, request ids, definitions, triggers, events, obligations, and retention over all of it."""

from __future__ import annotations

import asyncio

import pytest
from journals import HOUR_MS, append, end_batch, new_run, start_batch, whole_run

from hostd.errors.base import HostdError
from hostd.journal.port import (
    Batch,
    Blob,
    DeadLetter,
    Dedup,
    EventRow,
    Journal,
    Obligation,
    RequestId,
    Retention,
    RunUpdate,
    Snapshot,
    TriggerRow,
    WorkflowRow,
    WorkflowVersion,
)
from hostd.model.ids import text_id
from hostd.model.payload import blob_digest

DAY_MS = 24 * HOUR_MS
NOW_MS = 100 * DAY_MS


def a_blob(run: int, data: bytes = b"x" * 40_000) -> Blob:
    """Return a blob that a run refers to."""
    return Blob("default", blob_digest(data), data, run, "text/plain")


async def test_a_blob_goes_with_its_last_reference(journal: Journal) -> None:
    """A value is kept once however many runs refer to it, and until the last of them is deleted."""
    first, second = await whole_run(journal), await whole_run(journal)
    blob = a_blob(first)
    await append(journal, Batch(at_ms=1, blobs=[blob, a_blob(second), a_blob(second)]))
    found = journal.blob("default", blob.digest)
    assert found is not None
    assert (found.data, found.content_type) == (blob.data, "text/plain")
    assert journal.blob("other", blob.digest) is None
    await append(journal, Batch(at_ms=1, run_deletes=[first]))
    assert journal.blob("default", blob.digest) is not None
    await append(journal, Batch(at_ms=1, run_deletes=[second]))
    assert journal.blob("default", blob.digest) is None


async def test_a_deleted_run_leaves_nothing(journal: Journal) -> None:
    """Index row, records, labels and snapshot of a deleted run are gone, and only its."""
    run, other = await whole_run(journal, labels={"a": "b"}), await whole_run(journal, labels={"a": "b"})
    await append(journal, Batch(at_ms=1, snapshots=[Snapshot(run, 2, 1, b"s")]))
    await append(journal, Batch(at_ms=1, run_deletes=[run]))
    assert journal.run_row(run) is None
    assert journal.find_run("default", new_run(run).run_id) is None
    assert journal.history(run) == []
    assert journal.snapshot(run) is None
    assert {row.run for row in journal.rows_after(0)} == {other}
    assert list(journal.check()) == []


async def test_the_first_answer_to_a_request_id_stays(journal: Journal) -> None:
    """A request id is known with its first answer, by namespace and verb."""
    first = RequestId("default", "StartRun", "r1", b"digest", b"run1")
    await append(journal, Batch(at_ms=1, request_ids=[first]))
    await append(journal, Batch(at_ms=2, request_ids=[RequestId("default", "StartRun", "r1", b"other", b"run2")]))
    key = ("default", "StartRun", "r1")
    assert journal.request_ids([key, ("default", "StartRun", "r2"), ("b", "StartRun", "r1")]) == {key: first}


async def test_versions_are_immutable_and_in_order(journal: Journal) -> None:
    """Versions come in the order they were registered; one that is there is not written over, but can be deleted."""
    versions = [
        WorkflowVersion("default", "order", v, b"d", b"{}", b"src", "text", 5, "me") for v in ("2.0.0", "1.0.0")
    ]
    await append(journal, Batch(at_ms=1, versions=versions))
    assert journal.versions("default", "order") == versions
    assert journal.version("default", "order", "1.0.0") == versions[1]
    assert journal.version("default", "order", "3.0.0") is None
    with pytest.raises(HostdError, match="JOURNAL_CONFLICT"):
        await append(journal, Batch(at_ms=1, versions=[versions[0]]))
    await append(journal, Batch(at_ms=1, version_deletes=[("default", "order", "2.0.0")]))
    assert journal.versions("default", "order") == [versions[1]]


async def test_workflows_and_triggers_are_written_over(journal: Journal) -> None:
    """Workflows and triggers are what was last said of them; they list by name and can be deleted."""
    rows = [WorkflowRow("default", name) for name in ("b", "a", "c")] + [WorkflowRow("other", "a")]
    await append(journal, Batch(at_ms=1, workflows=rows))
    await append(journal, Batch(at_ms=1, workflows=[WorkflowRow("default", "b", "1.0.0", 9, 7)]))
    assert [row.workflow for row in journal.workflows("default")] == ["a", "b", "c"]
    assert [row.workflow for row in journal.workflows("default", after="a", limit=1)] == ["b"]
    assert len(journal.workflows()) == 4
    assert journal.workflow("default", "b") == WorkflowRow("default", "b", "1.0.0", 9, 7)
    trigger = TriggerRow("default", "b", "tick", "cron.every", b'{"n":1}', True, "why", 3, 99)
    await append(journal, Batch(at_ms=1, triggers=[TriggerRow("default", "b", "tick", "cron.every"), trigger]))
    assert journal.triggers() == journal.triggers("default") == [trigger]
    assert journal.trigger(trigger.namespace, trigger.workflow, trigger.name) == trigger
    assert journal.trigger(trigger.namespace, trigger.workflow, "other") is None
    deletes = Batch(at_ms=1, workflow_deletes=[("default", "b")], trigger_deletes=[("default", "b", "tick")])
    await append(journal, deletes)
    assert journal.workflow("default", "b") is None
    assert journal.triggers() == []


async def test_events_and_dead_letters_page_by_number(journal: Journal) -> None:
    """Events and dead letters come in the order they were appended, by namespace, after a number."""
    events = [EventRow("default", "order", "hook", f"e{n}", b"{}", "STARTED", ("r1", "r2")) for n in range(5)]
    letters = [DeadLetter("default", "order", "hook", f"e{n}", b"{}", "INPUT_INVALID", "why") for n in range(3)]
    foreign = EventRow("other", "order", "hook", "e", b"{}", "STARTED")
    await append(journal, Batch(at_ms=7, events=[*events[:2], foreign, *events[2:]], dead_letters=letters))
    found = journal.events("default", limit=3)
    assert [(at_ms, event) for _, at_ms, event in found] == [(7, event) for event in events[:3]]
    assert [event for _, _, event in journal.events("default", after=found[-1][0])] == events[3:]
    assert [letter for _, _, letter in journal.dead_letters("default")] == letters
    assert journal.dead_letters("other") == []


async def test_event_ids_are_remembered_by_scope(journal: Journal) -> None:
    """An event id seen by a trigger is known with its runs, and unknown to the others."""
    await append(journal, Batch(at_ms=1, dedup=[Dedup("default", "order/hook", "e1", ("r1",))]))
    assert journal.dedup_seen("default", "order/hook", ["e1", "e2"]) == {"e1": ("r1",)}
    assert journal.dedup_seen("default", "order/other", ["e1"]) == {}


async def test_obligations_are_kept_until_met(journal: Journal) -> None:
    """What is owed is listed by number until it is met."""
    owed = [Obligation(number, "default", "tell_parent", b"x") for number in (5, 2)]
    await append(journal, Batch(at_ms=1, obligations=owed))
    assert [item.number for item in journal.obligations()] == [2, 5]
    await append(journal, Batch(at_ms=1, obligations_met=[2]))
    assert journal.obligations() == [owed[0]]


def pruned(journal: Journal, retention: Retention) -> int:
    """Prune until nothing is left to prune; return how many things went."""
    total = 0
    while gone := journal.prune(now_ms=NOW_MS, retention=retention, limit=7):
        assert gone <= 7
        total += gone
    return total


async def test_finished_runs_go_when_they_are_old(journal: Journal) -> None:
    """Retention takes runs that ended before its time, with their history, and moves the first position."""
    old = [await whole_run(journal, at_ms=NOW_MS - 31 * DAY_MS) for _ in range(10)]
    young = await whole_run(journal, at_ms=NOW_MS - DAY_MS)
    live = journal.allocate_runs(1)
    await append(journal, start_batch(live, at_ms=NOW_MS - 90 * DAY_MS))
    assert pruned(journal, Retention()) == 10
    assert [journal.run_row(run) for run in old] == [None] * 10
    assert {row.run for row in journal.rows_after(0)} == {young, live}
    assert journal.first_pos() >= journal.history(young)[0].pos - 1
    assert list(journal.check()) == []
    assert pruned(journal, Retention(runs_ms=0)) == 0


async def test_a_run_outlives_retention_while_its_parent_lives_or_it_owes(journal: Journal) -> None:
    """An old child stays while its parent goes on, an old run while it owes; both go afterwards."""
    old_ms = NOW_MS - 60 * DAY_MS
    parent, child, owing = journal.allocate_runs(3), 0, 0
    child, owing = parent + 1, parent + 2
    await append(journal, start_batch(parent, at_ms=old_ms))
    await append(journal, start_batch(child, at_ms=old_ms, parent=text_id(new_run(parent).run_id)))
    await append(journal, end_batch(child, 0, at_ms=old_ms))
    await append(journal, start_batch(owing, at_ms=old_ms))
    await append(journal, Batch(at_ms=old_ms, run_updates=[RunUpdate(owing, 10, owes=True)]))
    assert pruned(journal, Retention()) == 0
    await append(journal, end_batch(parent, 0, at_ms=NOW_MS))
    await append(journal, Batch(at_ms=NOW_MS, run_updates=[RunUpdate(owing, 10)]))
    assert pruned(journal, Retention()) == 2
    assert journal.run_row(parent) is not None


def notes_of(at_ms: int, count: int) -> list[Batch]:
    """Return batches of that time, each with a note of every kind."""
    return [
        Batch(
            at_ms=at_ms,
            request_ids=[RequestId("default", "v", f"{at_ms} {at}", b"", b"")],
            events=[EventRow("default", "w", "t", f"{at_ms} {at}", b"", "STARTED")],
            dead_letters=[DeadLetter("default", "w", "t", f"{at_ms} {at}", b"", "X", "")],
            dedup=[Dedup("default", "s", f"{at_ms} {at}")],
        )
        for at in range(count)
    ]


async def test_what_a_clock_that_was_ahead_wrote_keeps_nothing_else(journal: Journal) -> None:
    """However many rows say a time to come, what lies behind them goes when it is old, and they when their time has."""
    old_ms, ahead_ms = NOW_MS - 40 * DAY_MS, NOW_MS + 40 * DAY_MS
    for batch in [*notes_of(ahead_ms, 30), *notes_of(old_ms, 10)]:
        await append(journal, batch)
    assert pruned(journal, Retention()) >= 40
    names = {event.event_id for _, _, event in journal.events("default", limit=100)}
    assert names == {f"{ahead_ms} {at}" for at in range(30)}
    while journal.prune(now_ms=ahead_ms + 40 * DAY_MS, retention=Retention(), limit=7):
        pass
    assert (journal.events("default"), journal.dead_letters("default")) == ([], [])
    keys = [("default", "v", f"{ms} {at}") for ms in (old_ms, ahead_ms) for at in range(30)]
    assert journal.request_ids(keys) == {}


async def test_notes_go_when_they_are_old_or_too_many(journal: Journal) -> None:
    """Request ids, events, dead letters and dedup keys each go by their own age; dedup keys also past a number."""
    for at_ms in (NOW_MS - 40 * DAY_MS, NOW_MS - HOUR_MS):
        name = str(at_ms)
        await append(
            journal,
            Batch(
                at_ms=at_ms,
                request_ids=[RequestId("default", "v", name, b"", b"")],
                events=[EventRow("default", "w", "t", name, b"", "STARTED")],
                dead_letters=[DeadLetter("default", "w", "t", name, b"", "X", "")],
                dedup=[Dedup("default", "s", f"{name}-{n}") for n in range(10)],
            ),
        )
    recent = str(NOW_MS - HOUR_MS)
    assert pruned(journal, Retention(dedup_per_trigger=4)) >= 3 + 10 + 6
    assert [event.event_id for _, _, event in journal.events("default")] == [recent]
    assert [letter.event_id for _, _, letter in journal.dead_letters("default")] == [recent]
    keys = [("default", "v", name) for name in (str(NOW_MS - 40 * DAY_MS), recent)]
    assert list(journal.request_ids(keys)) == keys[1:]
    kept = journal.dedup_seen("default", "s", [f"{recent}-{n}" for n in range(10)])
    assert sorted(kept) == [f"{recent}-{n}" for n in range(6, 10)]


async def test_namespaces_are_counted(journal: Journal) -> None:
    """By name: those with runs, and how many of these are open; a checkpoint changes nothing of it."""
    assert journal.namespaces() == []
    run = journal.allocate_runs(1)
    await append(journal, start_batch(run))
    await whole_run(journal)
    (found,) = journal.namespaces()
    assert (found.runs, found.open_runs, found.workflows) == (2, 1, 0)
    room = await asyncio.to_thread(journal.checkpoint)
    assert room.size_bytes >= room.free_bytes >= 0
    assert journal.namespaces() == [found]
