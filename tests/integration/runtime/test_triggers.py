"""Triggers on a real core: what they emit starts runs once, and they live as their word and ours say."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest
from lab import Lab

from hostd.errors.base import HostdError, Kind
from hostd.model.requests import TrialEvent
from hostd.plugin import EmitOutcome
from hostd.plugin.clocks import SlotMark
from hostd.plugin.testing import FakeTriggerContext
from hostd.runtime.triggers.emit_gate import EmitGate


def document(options: str = "{}", *, uses: str = "mock.emit", more: str = "", version: str = "1.0.0") -> str:
    """Return a workflow with one trigger."""
    return (
        f"workflow: w\nversion: {version}\ntriggers:\n  t:\n    uses: {uses}\n    with: {options}\n{more}"
        "steps:\n  a: {uses: flow.pass, with: {output: 1}}\n"
    )


async def emit(lab: Lab, *ids: str, cursor: Any = None, data: Any = None, slot: bool = False) -> list[Any]:
    """Emit by hand, as the trigger would."""
    events = [FakeTriggerContext().event(data, id=name) for name in ids]
    return await lab.core.emission.emit(lab.trigger("w", "t").source, events, cursor, slot=slot)


def outcomes(emitted: list[Any]) -> list[EmitOutcome]:
    """Return what became of each."""
    return [entry.outcome for entry in emitted]


IDLE = "{count: 0}"


async def test_an_event_starts_one_run_however_often_it_comes(lab: Lab) -> None:
    """Twice in one emission, in two, and after a restart: DUPLICATE, with the first run's id."""
    await lab.register(document(IDLE))
    await lab.core.triggers.start()
    first = await emit(lab, "e1", "e1")
    again = await emit(lab, "e1")
    await lab.restart()
    await lab.core.triggers.start()
    later = await emit(lab, "e1", "e2")

    assert outcomes(first) == [EmitOutcome.STARTED, EmitOutcome.DUPLICATE]
    assert outcomes(again) == [EmitOutcome.DUPLICATE]
    assert outcomes(later) == [EmitOutcome.DUPLICATE, EmitOutcome.STARTED]
    assert later[0].run_ids == first[0].run_ids
    assert len(lab.runs()) == 2


async def test_a_slot_fires_once_and_never_after_a_later_one(lab: Lab) -> None:
    """The high-water mark is the cursor: no dedup keys; it holds across a restart."""
    await lab.register(document(IDLE))
    await lab.core.triggers.start()
    noon, later = "2026-01-01T12:00:00Z", "2026-01-01T12:01:00Z"
    assert outcomes(await emit(lab, "s1", cursor=later, slot=True)) == [EmitOutcome.STARTED]
    await lab.restart()
    await lab.core.triggers.start()

    assert outcomes(await emit(lab, "s1", cursor=later, slot=True)) == [EmitOutcome.DUPLICATE]
    assert outcomes(await emit(lab, "s0", cursor=noon, slot=True)) == [EmitOutcome.DUPLICATE]
    assert not lab.core.journal.dedup_seen("default", "w/t", ["s1"])


async def test_a_cursor_of_text_that_looks_like_a_time_is_no_slot(lab: Lab) -> None:
    """Two events under the same time-like cursor both start; only a time given as a time is a mark."""
    await lab.register(document(IDLE))
    await lab.core.triggers.start()
    stamp = "2026-01-01T12:00:00Z"

    for name in ("e1", "e2"):
        assert outcomes(await emit(lab, name, cursor=stamp)) == [EmitOutcome.STARTED]
    assert isinstance(SlotMark(stamp), str)


async def test_cursor_and_start_are_one_append(lab: Lab) -> None:
    """Where the append fails neither is there; the next emission finds the cursor as it was."""
    await lab.register(document(IDLE))
    await lab.core.triggers.start()
    await emit(lab, "e1", cursor=1)
    batches = []
    append = lab.core.journal.append

    def refuse(batch: Any, done: Any, *, alone: bool = False) -> Any:
        batches.append(batch)
        raise HostdError(Kind.UNAVAILABLE, "JOURNAL_FULL", "full", retry_after_s=1.0)

    lab.core.journal.append = refuse  # type: ignore[method-assign]
    with pytest.raises(HostdError, match="JOURNAL_FULL"):
        await emit(lab, "e2", cursor=2)
    lab.core.journal.append = append  # type: ignore[method-assign]
    await lab.until(lambda: lab.core.loop.unwritable is None)

    [batch] = batches
    assert len(batch.new_runs) == len(batch.triggers) == len(batch.events) == len(batch.dedup) == 1
    assert lab.trigger("w", "t").source.row.cursor == b"1"
    assert outcomes(await emit(lab, "e2", cursor=2)) == [EmitOutcome.STARTED]


async def test_what_matches_nothing_is_noted_and_what_fails_is_dead_lettered(
    lab: Lab, caplog: pytest.LogCaptureFixture
) -> None:
    """NO_MATCH leaves an event and no run; a failing condition, a bad input and a taken key leave a dead letter.

    The log tells of the first of them, and then of one a minute: events that lead nowhere must not go unseen.
    """
    more = '    if: event.data.n > 0\n    key: "${{ event.data.key }}"\n'
    text = document(IDLE, more=more).replace(
        "steps:\n  a: {uses: flow.pass, with: {output: 1}}",
        (
            "inputs: {type: object, properties: {n: {type: integer}}}\n"
            "steps:\n  a: {uses: flow.wait, with: {duration: 1h}}"
        ),
    )
    await lab.register(text)
    await lab.core.triggers.start()

    assert outcomes(await emit(lab, "e0", data={"n": 0, "key": "k"})) == [EmitOutcome.NO_MATCH]
    assert outcomes(await emit(lab, "e1", data={"n": 1, "key": "k"})) == [EmitOutcome.STARTED]
    assert outcomes(await emit(lab, "e2", data={"n": 1, "key": "k"})) == [EmitOutcome.DEAD_LETTERED]
    assert outcomes(await emit(lab, "e3", data={"key": "k"})) == [EmitOutcome.DEAD_LETTERED]
    assert outcomes(await emit(lab, "e4", data={"n": 1.5, "key": "j"})) == [EmitOutcome.DEAD_LETTERED]
    letters = [letter for _, _, letter in lab.core.journal.dead_letters("default")]
    assert [letter.reason for letter in letters] == ["RUN_OPEN", "EXPRESSION_FAILED", "INPUT_INVALID"]
    assert len(lab.core.journal.events("default")) == 5
    told = [line for line in caplog.messages if line.startswith("event_dead_lettered")]
    assert len(told) == 1
    assert told[0].startswith("event_dead_lettered namespace=default workflow=w trigger=t reason=RUN_OPEN message=")


async def test_a_trigger_that_raises_is_started_again(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """With back-off, from its durable cursor: nothing is emitted twice."""
    monkeypatch.setattr("hostd.runtime.triggers.trigger_life.BACKOFF_S", (0.001,))
    await lab.register(document("{count: 3, then: raise}"))
    await lab.core.triggers.start()
    live = lab.trigger("w", "t")
    await lab.until(lambda: live.restarts >= 3)

    assert "told to raise" in live.message
    assert len(lab.runs()) == 3


@pytest.mark.parametrize(("then", "state"), [("permanent", "FAILED"), ("end", "ENDED"), ("return", "ENDED")])
async def test_a_trigger_that_is_done_stays_done(lab: Lab, then: str, state: str) -> None:
    """PermanentFailure, EndOfTrigger and a plain return: no restart until somebody resumes it."""
    await lab.register(document(f"{{then: {then}}}"))
    await lab.core.triggers.start()
    live = lab.trigger("w", "t")
    await lab.until(lambda: live.state == state)
    assert live.restarts == 0 and live.task is not None and live.task.done()

    first = live.task
    await lab.core.triggers.resume(("default", "w", "t"))
    assert live.task is not first


async def test_a_pause_survives_a_restart_and_an_activation(lab: Lab) -> None:
    """Only a resume ends it."""
    name = ("default", "w", "t")
    await lab.register(document(IDLE))
    await lab.core.triggers.start()
    await lab.core.triggers.pause(name, "for now")
    await lab.restart()
    await lab.core.triggers.start()
    assert lab.trigger("w", "t").state == "PAUSED"
    await lab.register(document(IDLE, version="2.0.0"))
    await lab.until(lambda: lab.trigger("w", "t").source.ready.plan.version == "2.0.0")
    assert lab.trigger("w", "t").state == "PAUSED"

    await lab.core.triggers.resume(name)
    await lab.until(lambda: lab.trigger("w", "t").state == "ACTIVE")


async def test_an_activation_keeps_the_cursor_and_another_plugin_resets_it(lab: Lab) -> None:
    """The next version goes on where the last stopped; with other `uses` it begins anew."""
    await lab.register(document("{count: 3, then: wait}"))
    await lab.core.triggers.start()
    await lab.until(lambda: len(lab.runs()) == 3)
    await lab.register(document("{count: 5, then: wait}", version="2.0.0"))
    await lab.until(lambda: len(lab.runs()) == 5)
    assert msgspec.json.decode(lab.trigger("w", "t").source.row.cursor) == 5

    await lab.register(document("{period: 1h}", uses="cron.every", version="3.0.0"))
    await lab.until(lambda: lab.trigger("w", "t").source.plan.uses == "cron.every")
    assert lab.trigger("w", "t").source.row.cursor == b""


async def test_a_flood_of_events_waits_and_nothing_of_it_is_lost(lab: Lab) -> None:
    """With room for a few, hundreds of emissions at once wait their turn, few hold anything, and all of them start."""
    await lab.register(document(IDLE))
    await lab.core.triggers.start()
    gate = lab.core.emission._gate = EmitGate(events_max=5)
    lab.core.loop.lanes.doors_max = 2
    held: list[int] = []

    async def one(number: int) -> Any:
        emitted = await emit(lab, f"e{number}")
        held.append(gate.events)
        return emitted[0].outcome

    answers = await asyncio.gather(*(one(number) for number in range(300)))

    assert set(answers) == {EmitOutcome.STARTED} and len(lab.runs()) == 300
    assert max(held) <= 5


async def test_who_activates_a_version_has_its_triggers(lab: Lab) -> None:
    """Asked for, tried, fired or paused right behind the activation, a trigger is there, as that version has it."""
    await lab.core.triggers.start()
    desk = lab.core.front.triggers
    asked = [
        lambda: desk.get("default", "w", "t"),
        lambda: desk.fire("default", "w", "t", data=b"1", event_id="", principal="me"),
        lambda: desk.pause("default", "w", "t", reason="", principal="me", repeat=None),
        lambda: desk.resume("default", "w", "t", principal="me", repeat=None),
        lambda: lab.core.front.trials.test(("default", "w", "t"), b"", TrialEvent(data=1)),
    ]
    for number, ask in enumerate(asked):
        await lab.register(document(IDLE, version=f"{number}.0.0"))
        found = await ask()
        assert getattr(found, "version", f"{number}.0.0") == f"{number}.0.0"
        await lab.core.workflows.activate("default", "w", "")
        with pytest.raises(HostdError, match="TRIGGER_MISSING"):
            await ask()


async def test_triggers_of_a_daemon_that_stops_are_not_missing(lab: Lab) -> None:
    """Who fires one, or fills one in, as they stop is told to come again; nothing makes them live anew."""
    await lab.register(document(IDLE))
    await lab.core.triggers.start()
    await lab.core.triggers.stop()
    await lab.core.triggers.reconcile()
    with pytest.raises(HostdError, match="DRAINING"):
        await lab.core.front.triggers.get("default", "w", "t")
    await lab.core.triggers.start()
    assert (await lab.core.front.triggers.get("default", "w", "t")).name == "t"
