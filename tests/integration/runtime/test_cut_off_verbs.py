"""Verbs whose caller goes away while the append is under way: memory and journal agree on what became of them."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from lab import Lab
from slow_journal import SlowJournal

NAME = ("default", "w", "t")
OWN = "trigger: own\ntarget: w@active\nuses: mock.emit\nwith: {count: 0}\n"


def document(version: str) -> str:
    """Return a workflow with a trigger that emits nothing of itself."""
    return (
        f"workflow: w\nversion: {version}\ntriggers:\n  t: {{uses: mock.emit, with: {{count: 0}}}}\n"
        "steps:\n  a: {uses: flow.pass}\n"
    )


async def cut_off(lab: Lab, verb: Coroutine[Any, Any, Any]) -> None:
    """Cancel a verb whose append is under way, then let the append end."""
    slow = SlowJournal(lab)
    asked = asyncio.ensure_future(verb)
    await lab.until(lambda: slow.held)
    asked.cancel()
    await asyncio.wait([asked])
    slow.let_go()
    assert asked.cancelled()


async def test_a_version_is_active_though_who_registered_it_went_away(lab: Lab) -> None:
    """Runs and triggers are of the version that the journal calls active; so with an activation and a deletion."""
    await lab.register(document("1.0.0"))
    await lab.core.triggers.start()
    workflows = lab.core.workflows

    def version() -> str:
        return lab.trigger("w", "t").source.ready.plan.version

    await cut_off(lab, lab.register(document("2.0.0")))
    await lab.until(lambda: version() == "2.0.0")
    assert (await workflows.plans.resolve("default", "w")).plan.version == "2.0.0"
    await cut_off(lab, workflows.activate("default", "w", "1.0.0"))
    await lab.until(lambda: version() == "1.0.0")
    assert (await workflows.plans.resolve("default", "w")).plan.version == "1.0.0"
    await cut_off(lab, workflows.delete("default", "w", "2.0.0"))
    await lab.until(lambda: ("default", "w", "2.0.0") not in workflows.plans._plans)


async def test_a_trigger_is_paused_and_resumed_though_who_asked_went_away(lab: Lab) -> None:
    """It neither stands still as ACTIVE nor goes on as PAUSED."""
    await lab.register(document("1.0.0"))
    await lab.core.triggers.start()
    await lab.until(lambda: lab.trigger("w", "t").state == "ACTIVE")
    await cut_off(lab, lab.core.triggers.pause(NAME, "for now"))
    await lab.until(lambda: lab.trigger("w", "t").state == "PAUSED")
    await cut_off(lab, lab.core.triggers.resume(NAME))
    await lab.until(lambda: lab.trigger("w", "t").state == "ACTIVE")


async def test_a_trigger_of_its_own_is_made_and_deleted_though_who_asked_went_away(lab: Lab) -> None:
    """What the journal has lives, and what it has not does not."""
    await lab.register(document("1.0.0"))
    await lab.core.triggers.start()
    desk = lab.core.front.triggers

    def there() -> bool:
        return any(live.name == ("default", "", "own") for live in lab.core.triggers.everywhere())

    making = desk.create("default", OWN.encode(), file="", replace=False, principal="me", repeat=None)
    await cut_off(lab, making)
    await lab.until(there)
    await cut_off(lab, desk.delete("default", "own", principal="me", repeat=None))
    await lab.until(lambda: not there())
    await lab.core.triggers.reconcile()
    assert not there()
