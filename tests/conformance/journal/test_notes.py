"""Durable keys, progress, topics, single letters, the audit, and how long single runs and all events are kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from journals import HOUR_MS, append, end_batch, start_batch, whole_run

from hostd.journal.port import (
    EVENT_FIXED_BYTES,
    AuditRow,
    Batch,
    DeadLetter,
    EventRow,
    Journal,
    KvWrite,
    Progress,
    Retention,
    RunUpdate,
)
from hostd.model.states import RunState

DAY_MS = 24 * HOUR_MS
NOW_MS = 500 * DAY_MS
Reopen = Callable[[Journal], Journal]


def key(name: str, value: bytes = b"1", version: int = 1, *, expires_at_ms: int = 0) -> KvWrite:
    """Return a key of the default namespace."""
    return KvWrite("default", name, value, version, expires_at_ms)


def event(topic: str, name: str = "e", body: bytes = b"{}") -> EventRow:
    """Return an event, published where it has a topic."""
    return EventRow("default", "", "", name, body, "PUBLISHED", topic=topic, type="t")


async def test_a_key_is_what_was_last_written(journal: Journal, reopened: Reopen) -> None:
    """Keys are written over, deleted by empty bytes, apart by namespace, and in the order of one batch."""
    foreign = KvWrite("other", "a", b"9", 1)
    await append(journal, Batch(at_ms=1, kv=[key("a"), key("b"), foreign, key("a", b"2", 2)]))
    await append(journal, Batch(at_ms=2, kv=[key("b", b"", 2), key("c", b"3", 1, expires_at_ms=9), key("c", b"", 2)]))
    await append(journal, Batch(at_ms=3, kv=[key("c", b"4", 3, expires_at_ms=9)]))
    journal = reopened(journal)
    expected = {"a": key("a", b"2", 2), "c": key("c", b"4", 3, expires_at_ms=9)}
    assert journal.kv("default", ["a", "b", "c", "d"]) == expected
    assert journal.kv("other", ["a"]) == {"a": foreign}
    assert list(journal.check()) == []
    journal.close()


async def test_keys_are_listed_by_prefix_in_the_order_of_their_bytes(journal: Journal) -> None:
    """A list begins after a key, holds one prefix only, and goes by UTF-8, where U+FF5E comes before U+1F600."""
    names = ["a/2", "a/1", "b", "a", "a/\U0001f600", "a/\uff5e", "a/%", "a0"]
    await append(journal, Batch(at_ms=1, kv=[key(name) for name in names]))
    found = [write.key for write in journal.kv_list("default", prefix="a/")]
    assert found == ["a/%", "a/1", "a/2", "a/\uff5e", "a/\U0001f600"]
    assert [write.key for write in journal.kv_list("default", prefix="a/", after="a/1", limit=2)] == found[2:4]
    assert [write.key for write in journal.kv_list("default", after="a/\U0001f600")] == ["a0", "b"]
    assert journal.kv_list("default", prefix="z") == journal.kv_list("other") == []


async def test_expired_keys_are_pruned(journal: Journal) -> None:
    """A key whose time is past goes with the next pruning; until then it is told, for the caller has the clock."""
    keys = [key("old", expires_at_ms=NOW_MS), key("young", expires_at_ms=NOW_MS + 1), key("for ever")]
    await append(journal, Batch(at_ms=1, kv=keys))
    assert len(journal.kv_list("default")) == 3
    assert journal.prune(now_ms=NOW_MS, retention=Retention()) == 1
    assert [write.key for write in journal.kv_list("default")] == ["for ever", "young"]


async def test_the_highest_version_of_a_key_that_is_gone_is_remembered(journal: Journal, reopened: Reopen) -> None:
    """Deleting and pruning raise the floor, nothing lowers it, and it is there after a restart."""
    assert journal.kv_floor() == 0
    await append(journal, Batch(at_ms=1, kv=[key("a", version=9), key("b", version=4, expires_at_ms=NOW_MS)]))
    assert journal.kv_floor() == 0
    assert journal.prune(now_ms=NOW_MS, retention=Retention()) == 1
    assert journal.kv_floor() == 4
    await append(journal, Batch(at_ms=2, kv=[key("a", b"", 9), key("c", version=2), key("c", b"", 2)]))
    journal = reopened(journal)
    assert (journal.kv_floor(), list(journal.check())) == (9, [])
    journal.close()


async def test_progress_is_the_newest_and_ends_with_the_run(journal: Journal, reopened: Reopen) -> None:
    """What steps report is written over, is there after a restart, and goes when its run ends or is deleted."""
    first, second = journal.allocate_runs(2), 0
    second = first + 1
    await append(journal, start_batch(first))
    await append(journal, start_batch(second))
    said = [Progress(first, 0, b"1"), Progress(first, 3, b"2"), Progress(second, 0, b"3"), Progress(first, 0, b"4")]
    await append(journal, Batch(at_ms=1, progress=said))
    journal = reopened(journal)
    assert journal.progress(first) == {0: b"4", 3: b"2"}
    await append(journal, end_batch(first, 0))
    await append(journal, Batch(at_ms=1, progress=[Progress(first, 0, b"late"), Progress(77, 0, b"of none")]))
    assert journal.progress(first) == journal.progress(77) == {}
    await append(journal, Batch(at_ms=1, run_updates=[RunUpdate(second, int(RunState.PAUSED))]))
    assert journal.progress(second) == {0: b"3"}
    await append(journal, Batch(at_ms=1, run_deletes=[second]))
    assert journal.progress(second) == {}
    journal.close()


async def test_events_are_read_by_topic(journal: Journal) -> None:
    """Topics are named whole or by prefix; what several names cover comes once, in order, within the namespace."""
    topics = ["orders.new", "", "orders.paid", "orders", "bills.new", "orders.new", "orders.new.eu"]
    foreign = EventRow("other", "", "", "e", b"{}", "PUBLISHED", topic="orders.new")
    appended = await append(journal, Batch(at_ms=7, events=[*(event(topic) for topic in topics), foreign]))
    first = appended.first_event

    def found(*names: str, after: int = 0, limit: int = 100) -> list[int]:
        page = journal.events("default", topics=names, after=after, limit=limit)
        assert all(row == event(topics[number - first]) for number, _, row in page)
        return [number - first for number, _, _ in page]

    assert found() == [0, 1, 2, 3, 4, 5, 6]
    assert found("orders.new") == [0, 5]
    assert found("orders.*") == [0, 2, 5, 6]
    assert found("*") == [0, 2, 3, 4, 5, 6]
    assert found("bills.new", "orders.*", "orders.new", "orders.new.*") == [0, 2, 4, 5, 6]
    assert found("orders.new", "bills.new", after=first, limit=1) == [4]
    assert found("orders.*", after=first, limit=2) == [2, 5]
    assert found("none", "none.*", "order*") == []


async def test_a_page_of_events_ends_where_it_is_full(journal: Journal) -> None:
    """The event that reaches the size is the last, one that is larger than it comes alone."""
    rows = [msgspec.structs.replace(event("t"), body=b"x" * size) for size in (10, 10, 100, 10)]
    first = (await append(journal, Batch(at_ms=7, events=rows))).first_event

    def found(size_bytes: int, **wanted: Any) -> list[int]:
        return [number - first for number, _, _ in journal.events("default", size_bytes=size_bytes, **wanted)]

    for wanted in ({}, {"topics": ["t"]}, {"topics": ["*"]}):
        assert [found(size, **wanted) for size in (0, 10, 11, 120, 121)] == [
            [0, 1, 2, 3], [0], [0, 1], [0, 1, 2], [0, 1, 2, 3],
        ]  # fmt: skip
        assert found(10, after=first + 1, **wanted) == [2]


async def test_event_numbers_are_never_given_out_twice(journal: Journal, reopened: Reopen) -> None:
    """A batch tells its first number; after retention took all events, and a restart, the next number is a new one."""
    assert journal.last_event() == 0
    assert (await append(journal, Batch(at_ms=1))).first_event == 0
    first = await append(journal, Batch(at_ms=1, events=[event("a"), event("b")]))
    second = await append(journal, Batch(at_ms=1, events=[event("c")]))
    assert (first.first_event, second.first_event, journal.last_event()) == (1, 3, 3)
    while journal.prune(now_ms=NOW_MS, retention=Retention()):
        pass
    assert journal.events("default") == []
    journal = reopened(journal)
    assert journal.last_event() == 3
    assert (await append(journal, Batch(at_ms=1, events=[event("d")]))).first_event == 4
    assert [number for number, _, _ in journal.events("default")] == [4]
    journal.close()


async def test_letters_are_met_one_by_one(journal: Journal) -> None:
    """A dead letter is found by number in its namespace, until it is met."""
    letters = [DeadLetter("default", "order", "hook", f"e{n}", b"{}", "INPUT_INVALID", "why") for n in range(3)]
    await append(journal, Batch(at_ms=7, dead_letters=letters))
    numbers = [number for number, _, _ in journal.dead_letters("default")]
    assert journal.dead_letter("default", numbers[1]) == (7, letters[1])
    assert journal.dead_letter("other", numbers[1]) is None
    await append(journal, Batch(at_ms=8, dead_letters_met=numbers[:2]))
    assert journal.dead_letter("default", numbers[1]) is None
    assert [letter for _, _, letter in journal.dead_letters("default")] == letters[2:]


async def test_the_audit_pages_by_number_and_follows_retention(journal: Journal) -> None:
    """Audit rows come in order, by namespace, and go after their own time."""
    rows = [AuditRow("default", "key:ann", "ActivateWorkflow", f"order{n}", b'{"v":1}') for n in range(3)]
    await append(journal, Batch(at_ms=NOW_MS - 400 * DAY_MS, audit=rows[:1]))
    await append(journal, Batch(at_ms=NOW_MS, audit=[*rows[1:], AuditRow("other", "", "x", "y")]))
    found = journal.audit("default", limit=2)
    assert [row for _, _, row in found] == rows[:2]
    assert [(at_ms, row) for _, at_ms, row in journal.audit("default", after=found[-1][0])] == [(NOW_MS, rows[2])]
    assert journal.prune(now_ms=NOW_MS, retention=Retention(audit_ms=0)) == 0
    assert journal.prune(now_ms=NOW_MS, retention=Retention()) == 1
    assert [row for _, _, row in journal.audit("default")] == rows[1:]


async def test_a_run_is_kept_as_long_as_its_workflow_says(journal: Journal) -> None:
    """A run's own retention goes before the operator's, be it shorter, longer, or where the operator keeps all."""
    ended_ms = NOW_MS - 10 * DAY_MS
    short = await whole_run(journal, at_ms=ended_ms, keep_ms=DAY_MS)
    long = await whole_run(journal, at_ms=ended_ms, keep_ms=20 * DAY_MS)
    plain = await whole_run(journal, at_ms=ended_ms)
    live = journal.allocate_runs(1)
    await append(journal, start_batch(live, at_ms=ended_ms, keep_ms=1))
    assert journal.prune(now_ms=NOW_MS, retention=Retention(runs_ms=0)) == 1
    assert journal.run_row(short) is None
    assert journal.prune(now_ms=NOW_MS, retention=Retention(runs_ms=5 * DAY_MS)) == 1
    assert [journal.run_row(run) is not None for run in (long, plain, live)] == [True, False, True]


async def test_events_are_bounded_by_their_size(journal: Journal, reopened: Reopen) -> None:
    """The oldest events go while all count more than the bound; a restart and earlier pruning change nothing."""
    for number in range(10):
        await append(journal, Batch(at_ms=NOW_MS, events=[event("a", f"e{number}", b"x" * 800)]))
    assert journal.prune(now_ms=NOW_MS, retention=Retention(events_bytes=10_000)) == 0
    assert journal.prune(now_ms=NOW_MS, retention=Retention(events_bytes=7_999), limit=2) == 2
    journal = reopened(journal)
    await append(journal, Batch(at_ms=NOW_MS, events=[event("a", "last", b"")]))
    assert journal.prune(now_ms=NOW_MS, retention=Retention(events_bytes=8_200)) == 0
    assert journal.prune(now_ms=NOW_MS, retention=Retention(events_bytes=2_200)) == 6
    assert [row.event_id for _, _, row in journal.events("default")] == ["e8", "e9", "last"]
    assert list(journal.check()) == []
    journal.close()


async def test_the_latest_time_of_an_event_that_went_is_kept(journal: Journal, reopened: Reopen) -> None:
    """Whatever took them, age or bytes, and though times fall where the wall clock went back."""
    for at_ms in (9 * DAY_MS, 2 * DAY_MS, 3 * DAY_MS):
        await append(journal, Batch(at_ms=at_ms, events=[event("t", f"e{at_ms}")] * 2))
    assert journal.events_gone_ms() == 0
    young = Retention(events_ms=7 * DAY_MS, events_bytes=0)
    assert journal.prune(now_ms=16 * DAY_MS, retention=young, limit=3) == 3
    journal = reopened(journal)
    assert journal.events_gone_ms() == 9 * DAY_MS
    few = Retention(events_ms=0, events_bytes=EVENT_FIXED_BYTES + 2)
    assert journal.prune(now_ms=16 * DAY_MS, retention=few) == 2
    assert (journal.first_event(), journal.events_gone_ms()) == (6, 9 * DAY_MS)
    assert journal.events_gone_to() == 5
