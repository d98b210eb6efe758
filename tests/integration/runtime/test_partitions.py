"""Triggers with partitions on a real core: one supervised run and one cursor for each key they list."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from lab import Lab

from hostd.host.registry import HostRegistry, TriggerEntry
from hostd.plugin import PARTITIONS, Options, PermanentFailure, Trigger
from hostd.runtime.triggers import trigger_life

DOCUMENT = "workflow: w\ntriggers:\n  t: {uses: sample.parts}\nsteps:\n  a: {uses: flow.pass}\n"


class Stream:
    """What the trigger reads: numbered messages by partition. `faults`: what its next run, or listing, raises."""

    def __init__(self) -> None:
        self.messages: dict[str, int] = {"p0": 3, "p1": 2}
        self.faults: dict[str, Exception] = {}
        self.runs: Counter[str] = Counter()
        self.began_at: dict[str, list[Any]] = {}
        self.listings = 0


def parts_of(stream: Stream) -> type[Trigger[Options]]:
    """Return a trigger over a stream."""

    class Parts(Trigger[Options]):
        """Reads a stream by partition."""

        id, instances = "sample.parts", PARTITIONS

        async def partitions(self, ctx: Any) -> list[str]:
            stream.listings += 1
            if fault := stream.faults.pop("list", None):
                raise fault
            return list(stream.messages)

        async def run(self, ctx: Any) -> None:
            stream.runs[ctx.partition] += 1
            stream.began_at.setdefault(ctx.partition, []).append(ctx.cursor)
            if fault := stream.faults.pop(ctx.partition, None):
                raise fault
            for number in range((ctx.cursor or 0) + 1, stream.messages[ctx.partition] + 1):
                await ctx.emit(ctx.event(number, id=f"{ctx.partition}/{number}"), cursor=number)
            await ctx.stopped()

    return Parts


def serve(lab: Lab, stream: Stream) -> None:
    """Have the core's registry provide the trigger, as if a plugin had registered it."""
    host = lab.core.host
    entry = TriggerEntry(parts_of(stream), Options, settings=Options(), plugin="sample", origin="test")
    there = host.registry
    host.registry = HostRegistry(
        actions=there.actions,
        triggers={**there.triggers, "sample.parts": entry},
        secrets=there.secrets,
        plugins=there.plugins,
    )


async def live(lab: Lab, stream: Stream) -> Any:
    """Register the workflow and let its trigger live."""
    serve(lab, stream)
    await lab.register(DOCUMENT)
    await lab.core.triggers.start()
    return lab.trigger("w", "t")


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask for partitions and restart without waiting."""
    monkeypatch.setattr(trigger_life, "PARTITIONS_EVERY_S", 0.01)
    monkeypatch.setattr(trigger_life, "BACKOFF_S", (0.001,))


async def test_each_partition_has_its_own_run_and_cursor_which_a_restart_keeps(lab: Lab) -> None:
    """Every message starts one run; after a restart each partition goes on behind its own last one."""
    stream = Stream()
    await live(lab, stream)
    await lab.until(lambda: len(lab.runs()) == 5)
    await lab.restart()
    stream.messages = {"p0": 4, "p1": 2}
    again = await live(lab, stream)
    await lab.until(lambda: len(lab.runs()) == 6)

    assert stream.began_at == {"p0": [None, 3], "p1": [None, 2]}
    assert again.state == "ACTIVE" and set(again.parts) == {"p0", "p1"}
    assert again.source.row.fired == 6


async def test_partitions_come_and_go_while_it_runs(lab: Lab) -> None:
    """A new key begins, one that is gone is stopped; when it comes back it goes on where it was."""
    stream = Stream()
    trigger = await live(lab, stream)
    await lab.until(lambda: len(lab.runs()) == 5)
    stream.messages = {"p1": 2, "p2": 1}
    await lab.until(lambda: set(trigger.parts) == {"p1", "p2"} and len(lab.runs()) == 6)
    stream.messages = {"p0": 3, "p1": 2, "p2": 1}
    await lab.until(lambda: stream.runs["p0"] == 2)

    assert stream.began_at["p0"] == [None, 3]
    assert stream.runs == {"p0": 2, "p1": 1, "p2": 1}


async def test_a_partition_that_breaks_is_restarted_alone(lab: Lab) -> None:
    """The others do not notice; the trigger shows the restart."""
    stream = Stream()
    stream.faults["p0"] = ValueError("oops")
    trigger = await live(lab, stream)
    await lab.until(lambda: len(lab.runs()) == 5)

    assert stream.runs == {"p0": 2, "p1": 1}
    assert trigger.restarts == 1
    await lab.until(lambda: trigger.state == "ACTIVE")


async def test_a_partition_that_fails_for_good_shows_in_the_trigger_until_it_is_resumed(lab: Lab) -> None:
    """FAILED with the partition's name while the others go on; resuming runs it again."""
    stream = Stream()
    stream.faults["p1"] = PermanentFailure("no such topic")
    trigger = await live(lab, stream)
    await lab.until(lambda: len(lab.runs()) == 3 and trigger.state == "FAILED")
    assert "p1" in trigger.message and "no such topic" in trigger.message

    await lab.core.triggers.resume(trigger.name)
    await lab.until(lambda: len(lab.runs()) == 5)
    assert trigger.state == "ACTIVE"


async def test_a_listing_that_fails_changes_nothing_that_runs(lab: Lab) -> None:
    """The first one is a failed run of the trigger, tried again; a later one leaves the partitions alone."""
    stream = Stream()
    stream.faults["list"] = ConnectionError("away")
    trigger = await live(lab, stream)
    await lab.until(lambda: len(lab.runs()) == 5)
    assert trigger.restarts == 1
    stream.faults["list"] = ConnectionError("away")
    count = stream.listings
    await lab.until(lambda: stream.listings >= count + 2)

    assert stream.runs == {"p0": 1, "p1": 1} and trigger.state == "ACTIVE"


async def test_pausing_stops_every_partition(lab: Lab) -> None:
    """Nothing runs while it is paused; its cursors stay."""
    stream = Stream()
    trigger = await live(lab, stream)
    await lab.until(lambda: len(lab.runs()) == 5)
    tasks = [part.task for part in trigger.parts.values()]
    await lab.core.triggers.pause(trigger.name, "a break")
    assert all(task.done() for task in tasks)
    await lab.core.triggers.resume(trigger.name)
    await lab.until(lambda: stream.runs == {"p0": 2, "p1": 2})

    assert stream.began_at == {"p0": [None, 3], "p1": [None, 2]}


@pytest.mark.parametrize("keys", [[""], [7], [f"p{n}" for n in range(1_001)], ["x" * 201]])
async def test_keys_that_are_none_are_refused(lab: Lab, keys: Any) -> None:
    """Empty, no text, too many or too long: the trigger says so."""
    stream = Stream()
    stream.messages = dict.fromkeys(keys, 1)
    trigger = await live(lab, stream)
    await lab.until(lambda: "sample.parts lists" in trigger.message)

    assert lab.runs() == []
