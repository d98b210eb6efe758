"""What is known of a trigger while its last append is still under way: nothing that was answered is written over."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from lab import Lab
from slow_journal import SlowJournal

from hostd.errors.base import HostdError
from hostd.plugin import EmitOutcome
from hostd.plugin.clocks import SlotMark
from hostd.plugin.testing import FakeTriggerContext

NAME = ("default", "w", "t")
SLOT = "2026-01-01T00:00:00Z"
OWN = "trigger: own\ntarget: w@active\nuses: mock.emit\nwith: {count: 0}\n"


def document(version: str = "1.0.0") -> str:
    """Return a workflow with a trigger that emits nothing of itself."""
    return (
        f"workflow: w\nversion: {version}\ntriggers:\n  t: {{uses: mock.emit, with: {{count: 0}}}}\n"
        "steps:\n  a: {uses: flow.pass}\n"
    )


def emitting(lab: Lab, source: Any, event_id: str, cursor: Any = None) -> asyncio.Task[Any]:
    """Begin to emit an event as the trigger would."""
    event = FakeTriggerContext().event(None, id=event_id)
    slot = isinstance(cursor, SlotMark)
    return asyncio.ensure_future(lab.core.emission.emit(source, [event], cursor, slot=slot))


async def until_waits(lab: Lab) -> None:
    """Wait until something waits behind the append that is held."""
    await lab.until(lambda: lab.core.loop.lanes.doors_size)


async def test_a_pause_outlives_an_event_that_came_while_it_was_written(lab: Lab) -> None:
    """The event starts its run, is counted, and the trigger is paused still after a restart."""
    await lab.register(document())
    await lab.core.triggers.start()
    source = lab.trigger("w", "t").source
    slow = SlowJournal(lab)
    pausing = asyncio.ensure_future(lab.core.triggers.pause(NAME, "for now"))
    await lab.until(lambda: slow.held)
    late = emitting(lab, source, "e1", cursor=7)
    await until_waits(lab)
    slow.let_go()
    await pausing
    assert [one.outcome for one in await late] == [EmitOutcome.STARTED]

    for _ in range(2):
        row = lab.trigger("w", "t").source.row
        assert (row.paused, row.pause_reason, row.fired, row.cursor) == (True, "for now", 1, b"7")
        await lab.restart()
        await lab.core.triggers.start()


async def test_an_event_of_the_version_before_takes_nothing_back(lab: Lab) -> None:
    """It is taken in behind an activation and a pause of the next version: cursor, count and pause are all kept."""
    await lab.register(document())
    await lab.core.triggers.start()
    old = lab.trigger("w", "t").source
    await lab.register(document("2.0.0"))
    await lab.core.triggers.settled()
    new = lab.trigger("w", "t").source
    await emitting(lab, new, "e1", cursor=5)
    await lab.core.triggers.pause(NAME, "for now")
    await emitting(lab, old, "e2")

    assert new is not old
    for _ in range(2):
        row = lab.trigger("w", "t").source.row
        assert (row.cursor, row.fired, row.paused) == (b"5", 2, True)
        await lab.restart()
        await lab.core.triggers.start()


async def test_a_slot_whose_append_fails_during_an_activation_is_owed_still(lab: Lab) -> None:
    """The next version began while the slot's append was under way: what failed has not fired, there either."""
    await lab.register(document())
    await lab.core.triggers.start()
    old = lab.trigger("w", "t").source
    await lab.register(document("2.0.0"))
    slow = SlowJournal(lab)
    first = emitting(lab, old, SLOT, SlotMark(SLOT))
    await lab.until(lambda: slow.held)
    await lab.core.triggers.settled()
    new = lab.trigger("w", "t").source
    slow.fail()
    with pytest.raises(HostdError, match="JOURNAL_FULL"):
        await first
    await lab.until(lambda: lab.core.loop.unwritable is None)

    assert new is not old
    assert [one.outcome for one in await emitting(lab, new, SLOT, SlotMark(SLOT))] == [EmitOutcome.STARTED]
    assert [one.outcome for one in await emitting(lab, old, SLOT, SlotMark(SLOT))] == [EmitOutcome.DUPLICATE]


async def test_what_a_deleted_trigger_had_does_not_come_back(lab: Lab) -> None:
    """An event that is taken in behind the deletion starts its run; the next trigger of that name begins anew."""
    await lab.register(document())
    await lab.core.triggers.start()
    desk = lab.core.front.triggers
    asked: dict[str, Any] = {"file": "", "replace": False, "principal": "me", "repeat": None}
    await desk.create("default", OWN.encode(), **asked)
    source = lab.trigger("", "own").source
    await emitting(lab, source, "e1", cursor=5)
    slow = SlowJournal(lab)
    deleting = asyncio.ensure_future(desk.delete("default", "own", principal="me", repeat=None))
    await lab.until(lambda: slow.held)
    late = emitting(lab, source, "e2", cursor=6)
    await until_waits(lab)
    slow.let_go()
    await deleting
    assert [one.outcome for one in await late] == [EmitOutcome.STARTED]
    await desk.create("default", OWN.encode(), **asked)
    row = lab.trigger("", "own").source.row
    assert (row.cursor, row.fired) == (b"", 0)
