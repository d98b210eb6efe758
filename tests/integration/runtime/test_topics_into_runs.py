"""Topics and keys in workflows on a real core: subscriptions through restarts and kills, publishing once, counting."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from clocks import HandClock
from lab import Lab
from nurseries import kill_often

from hostd.plugin import Event

NURSERY = "topic_nursery.py"
SUBSCRIBER = """
workflow: listener
triggers:
  heard:
    uses: event.subscribe
    with: {topics: ["orders.*"], types: [paid], match: {country: [DE, FR]}}
    if: event.data.total > 10
    key: ${{ event.publishedid }}
    input: {total: "${{ event.data.total }}", topic: "${{ event.topic }}"}
steps:
  note: {uses: mock.echo, with: {value: "${{ input }}"}}
"""
PUBLISHER = """
workflow: teller
steps:
  tell: {uses: event.publish, with: {topic: orders.new, type: paid, data: {total: 50, country: DE}}}
  count: {uses: kv.add, needs: tell, with: {key: told}}
  again: {uses: kv.get, needs: count, with: {key: told}}
output: ${{ steps.again.output.value }}
"""


async def publish(lab: Lab, topic: str, *names: str, kind: str = "paid", **data: Any) -> list[int]:
    told = {"total": 20, "country": "DE"} | data
    now = datetime.now(UTC)
    events = [(topic, Event(id=name, source="/lab", type=kind, time=now, data=told)) for name in names]
    return await lab.core.topics.publish("default", events)


def keys(lab: Lab) -> list[str]:
    return sorted(row.key for row in lab.runs() if row.workflow == "listener")


async def test_what_is_published_after_activation_becomes_runs(lab: Lab) -> None:
    """From the very moment of activation on, by topic, type, fields and `if`; what was there before does not count."""
    await lab.core.triggers.start()
    await publish(lab, "orders.new", "before")
    await lab.register(SUBSCRIBER)
    await publish(lab, "orders.new", "a", "b")
    await publish(lab, "orders.new", "small", total=5)
    await publish(lab, "orders.new", "foreign", country="US")
    await publish(lab, "orders.new", "other", kind="canceled")
    await publish(lab, "bills", "bill")
    await publish(lab, "orders.old", "c")
    await lab.until(lambda: len(keys(lab)) == 3)
    assert keys(lab) == ["a", "b", "c"]


@pytest.mark.parametrize("step_s", [-10_000, 10_000], ids=["back", "forth"])
async def test_a_subscription_begins_at_its_activation_whatever_the_wall_does(make_lab: Any, step_s: int) -> None:
    """The wall jumps by hours before it, and before the daemon that first runs the trigger; it hears what is later."""
    clock = HandClock()
    lab = await make_lab(clock=clock)
    await publish(lab, "orders.new", "early-1", "early-2")
    clock.step(step_s)
    await publish(lab, "orders.new", "early-3")
    await lab.register(SUBSCRIBER)
    await publish(lab, "orders.new", "a")
    clock.step(-step_s)
    await lab.restart()
    await publish(lab, "orders.new", "b")
    clock.step(2 * step_s)
    await lab.restart()
    await lab.core.triggers.start()
    await publish(lab, "orders.new", "c")
    await lab.until(lambda: "c" in keys(lab))
    assert keys(lab) == ["a", "b", "c"]


async def test_a_subscription_goes_on_where_it_was_after_restarts(lab: Lab) -> None:
    """Paused, restarted, or not running at all: nothing published meanwhile is lost, nothing comes twice."""
    await lab.core.triggers.start()
    await lab.register(SUBSCRIBER)
    await publish(lab, "orders.new", "a")
    await lab.until(lambda: keys(lab) == ["a"])
    await lab.core.triggers.pause(("default", "listener", "heard"), "lunch")
    await publish(lab, "orders.new", "b")
    await lab.restart()
    await publish(lab, "orders.new", "c")
    await lab.core.triggers.start()
    assert keys(lab) == ["a"]
    await lab.core.triggers.resume(("default", "listener", "heard"))
    await lab.until(lambda: len(keys(lab)) == 3)
    await lab.restart()
    await lab.core.triggers.start()
    await publish(lab, "orders.new", "d")
    await lab.until(lambda: len(keys(lab)) == 4)
    assert keys(lab) == ["a", "b", "c", "d"]


async def test_two_publishers_may_use_the_same_id(lab: Lab) -> None:
    """Ids are unique for their source: equal ones of two sources are two events, and two runs."""
    await lab.core.triggers.start()
    await lab.register(SUBSCRIBER.replace("    key: ${{ event.publishedid }}\n", ""))
    now = datetime.now(UTC)
    data = {"total": 20, "country": "DE"}
    for source in ("/one", "/two"):
        event = Event(id="1", source=source, type="paid", time=now, data=data)
        await lab.core.topics.publish("default", [("orders.new", event)])
    await lab.until(lambda: len(keys(lab)) == 2)


async def test_a_workflow_publishes_and_counts(lab: Lab) -> None:
    """One workflow's event starts another; keys are shared by all runs and outlive them."""
    await lab.core.triggers.start()
    await lab.register(SUBSCRIBER)
    await lab.run(PUBLISHER)
    row = await lab.ended(await lab.start("teller"))
    assert row.reason == ""
    await lab.until(lambda: len(keys(lab)) == 2)
    await lab.restart()
    entry = await lab.core.key_values.get("default", "told")
    assert entry is not None and (entry.value, entry.version) == (2, 2)


@pytest.mark.timeout(600)
def test_every_event_leads_to_one_run_and_one_event_across_kills(tmp_path: Path) -> None:
    """After 15 kills at random instants each published event has one run, which has told and kept once."""
    verdict = kill_often(NURSERY, tmp_path / "data", 15, 1)

    assert verdict["faults"] == []
    assert verdict["acknowledged"] > 50


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", range(10, 13))
def test_a_hundred_kills(tmp_path: Path, seed: int) -> None:
    """The same after 100 kills in one journal."""
    assert kill_often(NURSERY, tmp_path / "data", 100, seed)["faults"] == []
