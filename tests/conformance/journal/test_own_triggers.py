"""Triggers of their own, and which events a trigger had, over all stores."""

from __future__ import annotations

from collections.abc import Callable

from journals import append

from hostd.journal.port import Batch, EventRow, Journal, OwnTriggerRow, Retention

Reopen = Callable[[Journal], Journal]


def own(name: str, document: bytes = b"{}", namespace: str = "default") -> OwnTriggerRow:
    """Return a trigger of its own."""
    return OwnTriggerRow(namespace, name, b"d" * 32, document, b"trigger: x", 7, "owner")


def event(trigger: str, event_id: str, *run_ids: str, workflow: str = "w") -> EventRow:
    """Return an event of a trigger."""
    return EventRow("default", workflow, trigger, event_id, b"{}", "STARTED", run_ids)


async def test_a_trigger_of_its_own_is_what_was_last_written(journal: Journal, reopened: Reopen) -> None:
    """It is replaced and deleted by name, apart by namespace, listed in order, and there after a restart."""
    await append(journal, Batch(at_ms=1, own_triggers=[own("b"), own("a"), own("a", namespace="other")]))
    await append(
        journal, Batch(at_ms=2, own_triggers=[own("a", b"2"), own("c")], own_trigger_deletes=[("default", "b")])
    )
    journal = reopened(journal)
    assert journal.own_triggers("default") == [own("a", b"2"), own("c")]
    assert journal.own_triggers() == [own("a", b"2"), own("c"), own("a", namespace="other")]
    assert list(journal.check()) == []
    journal.close()


async def test_the_events_of_one_trigger_are_found_by_number(journal: Journal) -> None:
    """Only those of the trigger within the numbers, with the runs they started; the first number moves when pruned."""
    assert journal.first_event() == 0
    await append(journal, Batch(at_ms=1, events=[event("t", "e1", "r1"), event("u", "e2"), event("t", "e3")]))
    await append(journal, Batch(at_ms=9, events=[event("t", "e4", "r4"), event("t", "e5", workflow="")]))
    last = journal.last_event()
    assert journal.events_of("default", "w", "t", after=0, until=last) == {"e1": ("r1",), "e3": (), "e4": ("r4",)}
    assert journal.events_of("default", "w", "t", after=1, until=3) == {"e3": ()}
    assert journal.events_of("default", "", "t", after=0, until=last) == {"e5": ()}
    assert journal.events_of("other", "w", "t", after=0, until=last) == {}
    assert journal.first_event() == 1
    journal.prune(now_ms=10, retention=Retention(events_ms=5))
    assert journal.first_event() == 4
