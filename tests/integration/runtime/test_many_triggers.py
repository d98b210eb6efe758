"""Many triggers: what one change costs does not grow with how many there are."""

from __future__ import annotations

import asyncio
from collections import Counter
from itertools import pairwise
from typing import Any

import pytest
from lab import Lab

from hostd.errors.base import HostdError, Kind
from hostd.model.views import TriggerView
from hostd.runtime.triggers import trigger_desk
from hostd.runtime.triggers import triggers as triggers_module
from hostd.runtime.triggers.trigger_live import Live
from hostd.runtime.workflows import plans

MANY = 30


def document(number: int, version: str = "1.0.0") -> str:
    """Return one of many workflows, with a trigger that emits nothing of itself."""
    return (
        f"workflow: w{number}\nversion: {version}\ntriggers:\n  t: {{uses: mock.emit, with: {{count: 0}}}}\n"
        "steps:\n  a: {uses: flow.pass}\n"
    )


def own(number: int, target: str = "w0@active") -> bytes:
    """Return one of many triggers of their own."""
    return f"trigger: own{number}\ntarget: {target}\nuses: mock.emit\nwith: {{count: 0}}\n".encode()


async def create(lab: Lab, document: bytes, *, replace: bool = False) -> None:
    """Make a trigger of its own."""
    desk = lab.core.front.triggers
    await desk.create("default", document, file="", replace=replace, principal="me", repeat=None)


def count_reads(lab: Lab) -> Counter[tuple[Any, ...]]:
    """Return what counts, from now on, what is read of workflows and of triggers of their own."""
    counted: Counter[tuple[Any, ...]] = Counter()

    def counting(name: str) -> None:
        read = getattr(lab.core.journal, name)

        def call(*arguments: Any, **more: Any) -> Any:
            counted[name, *arguments] += 1
            return read(*arguments, **more)

        setattr(lab.core.journal, name, call)

    for name in ("workflows", "workflow", "version", "own_triggers", "triggers", "trigger"):
        counting(name)
    return counted


async def test_a_change_reads_nothing_of_the_triggers_that_did_not_change(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing else is read or compiled, though there are far more versions than are kept; all live on."""
    monkeypatch.setattr(plans, "PLANS_MAX", 3)
    await lab.core.triggers.start()
    for number in range(MANY):
        await lab.register(document(number))
        await create(lab, own(number, f"w{number}@active"))
    await lab.core.triggers.settled()
    before = {live.name: live for live in lab.core.triggers.everywhere()}
    counted = count_reads(lab)
    await lab.register(document(7, "2.0.0"))
    await lab.core.triggers.settled()
    await create(lab, own(9, "w10@active"), replace=True)
    await lab.core.front.triggers.delete("default", "own11", principal="me", repeat=None)
    await lab.core.triggers.reconcile()
    after = {live.name: live for live in lab.core.triggers.everywhere()}

    changed = {("default", "w7", "t"), ("default", "", "own9")}
    assert before.keys() - after.keys() == {("default", "", "own11")}
    assert {name for name in after if after[name] is not before[name]} == changed
    assert after["default", "", "own7"].source.ready.plan.version == "2.0.0"
    assert not [name for name in counted if name[0] in ("workflows", "triggers") or len(name) < 3]
    assert {name[1:] for name in counted if name[0] == "trigger"} == changed
    own_read = {name[2] for name in counted if name[0] == "own_triggers"}
    assert own_read <= {"own7", "own9", "own11"}
    assert {name[2] for name in counted if name[0] in ("workflow", "version")} <= {"w7", "w9", "w10"}


async def test_a_plugin_that_changes_is_looked_at_with_every_trigger(lab: Lab) -> None:
    """Those that run with another plugin than the one that is loaded begin anew, the rest go on."""
    await lab.core.triggers.start()
    await lab.register(document(1))
    await create(lab, own(1, "w1@active"))
    await lab.register(document(2).replace("mock.emit, with: {count: 0}", "event.subscribe, with: {topics: [a]}"))
    await lab.core.triggers.settled()
    before = {live.name: live.task for live in lab.core.triggers.everywhere()}
    registry = lab.core.host.registry
    entry = registry.trigger("mock.emit")
    lab.trigger("w1", "t").entry = lab.trigger("", "own1").entry = None  # as if it had not been loaded
    await lab.register(document(3))
    await lab.core.triggers.settled()
    assert {name: lab.core.triggers.get(name).task for name in before} == before
    lab.core.triggers.plugins_changed()
    await lab.core.triggers.settled()
    await lab.until(lambda: lab.trigger("w1", "t").entry is entry and lab.trigger("", "own1").entry is entry)

    after = {live.name: live.task for live in lab.core.triggers.everywhere()}
    anew = {("default", "w1", "t"), ("default", "", "own1")}
    assert {name for name in before if after[name] is not before[name]} == anew


async def test_others_have_their_turn_while_many_triggers_begin(lab: Lab) -> None:
    """No turn of the event loop begins more than a few: a daemon of thousands answers while it starts."""
    for number in range(4):
        triggers = "".join(f"  t{at}: {{uses: mock.emit, with: {{count: 0}}}}\n" for at in range(64))
        await lab.register(document(number).replace("  t: {uses: mock.emit, with: {count: 0}}\n", triggers))
    seen = [0]

    async def look() -> None:
        while True:
            seen.append(len(lab.core.triggers.everywhere()))
            await asyncio.sleep(0)

    looking = asyncio.create_task(look())
    await lab.core.triggers.start()
    looking.cancel()
    assert seen[-1] == 4 * 64
    assert max(later - before for before, later in pairwise(seen)) <= triggers_module.BEGIN_AT_ONCE


async def test_a_list_at_the_start_waits_for_the_triggers(lab: Lab) -> None:
    """A host that has not looked yet does not say that there are none; pages go on behind the last name."""
    await lab.register(document(1))
    await lab.register(document(2))
    await create(lab, own(1, "w1@active"))
    lab.core.triggers.expect()
    desk = lab.core.front.triggers
    listing = asyncio.create_task(desk.list("default", "", after=("", ""), limit=2))
    await asyncio.sleep(0)
    await lab.core.triggers.start()
    first = [(view.workflow, view.name) for view in await listing]
    rest = [(view.workflow, view.name) for view in await desk.list("default", "", after=first[-1], limit=2)]
    assert (first, rest) == ([("", "own1"), ("w1", "t")], [("w2", "t")])


@pytest.mark.parametrize("error", [HostdError(Kind.UNAVAILABLE, "JOURNAL_FAILED", "the disk is away"), KeyError("bug")])
async def test_what_could_not_be_read_is_looked_at_again(lab: Lab, error: Exception) -> None:
    """A look at what changed that fails takes none of it for known, and is not the last one, however it failed."""
    await lab.core.triggers.start()
    await lab.register(document(1))
    await lab.core.workflows.activate("default", "w1", "")
    await lab.core.triggers.settled()
    read = lab.core.journal.workflow
    asked: list[Any] = []

    def fail_second(*arguments: Any) -> Any:
        asked.append(arguments)
        if len(asked) == 2:  # the first is the activation's own
            raise error
        return read(*arguments)

    lab.core.journal.workflow = fail_second  # type: ignore[method-assign]
    await lab.core.workflows.activate("default", "w1", "1.0.0")
    await lab.until(lambda: lab.core.triggers.everywhere())

    assert len(asked) >= 3
    assert lab.trigger("w1", "t").source.ready.plan.version == "1.0.0"


async def test_a_version_that_cannot_be_read_at_the_start_has_its_triggers_soon(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody changes anything meanwhile; the others live at once."""
    monkeypatch.setattr(triggers_module, "AGAIN_S", 0.01)
    await lab.register(document(1))
    await lab.register(document(2))
    await lab.restart()
    read, asked = lab.core.journal.version, Counter[str]()

    def fail_first(namespace: str, workflow: str, version: str) -> Any:
        asked[workflow] += 1
        if workflow == "w1" and asked[workflow] <= 2:
            raise HostdError(Kind.UNAVAILABLE, "JOURNAL_FAILED", "the disk is away")
        return read(namespace, workflow, version)

    lab.core.journal.version = fail_first  # type: ignore[method-assign]
    await lab.core.triggers.start()
    assert [live.name[1] for live in lab.core.triggers.everywhere()] == ["w2"]
    await lab.until(lambda: len(lab.core.triggers.everywhere()) == 2)
    assert asked == {"w1": 3, "w2": 1}


async def test_nothing_begins_behind_a_stop(lab: Lab) -> None:
    """Whoever resumes a trigger while the host stops leaves none that runs."""
    await lab.core.triggers.start()
    await lab.register(document(1))
    await lab.core.triggers.settled()
    live = await lab.core.triggers.pause(("default", "w1", "t"), "for now")
    resuming = asyncio.create_task(lab.core.triggers.resume(live.name))
    while live.source.row.paused:
        await asyncio.sleep(0)
    await lab.core.triggers.stop()
    await resuming
    assert live.task is None


async def test_a_watch_is_told_of_each_change_and_looks_at_nothing_else(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fired, paused, of another version, made, replaced, deleted: of thirty others none is looked at a second time."""
    await lab.core.triggers.start()
    await lab.register(document(0))
    await lab.register(document(1))
    for number in range(MANY):
        await create(lab, own(number))
    await create(lab, own(MANY, "w1@active"))
    await lab.core.triggers.settled()
    desk, viewed, view = lab.core.front.triggers, Counter[str](), trigger_desk._view

    def counting(live: Live) -> TriggerView:
        viewed["/".join(live.name[1:])] += 1
        return view(live)

    async def told(kind: str, name: str, **fields: Any) -> None:
        async for batch in watch:
            for change in batch.changes:
                at = change.trigger
                as_told = all(getattr(at, field) == value for field, value in fields.items())
                if as_told and (change.kind, f"{at.workflow}/{at.name}") == (kind, name):
                    return

    who: dict[str, Any] = {"principal": "me", "repeat": None}
    watch = desk.watch("default", "", after="")
    await told("ADDED", "w1/t")
    monkeypatch.setattr(trigger_desk, "_view", counting)
    await desk.fire("default", "w1", "t", data=b"1", event_id="", principal="me")
    await told("MODIFIED", "w1/t", fired=1)
    await desk.pause("default", "w1", "t", reason="tea", **who)
    await told("MODIFIED", "w1/t", state="PAUSED", message="tea")
    await lab.register(document(1, "2.0.0"))
    await told("MODIFIED", f"/own{MANY}", version="2.0.0")
    await create(lab, own(MANY, "w1@1.0.0"), replace=True)
    await told("MODIFIED", f"/own{MANY}", version="1.0.0", target="w1@1.0.0")
    await desk.delete("default", f"own{MANY}", **who)
    await told("DELETED", f"/own{MANY}")
    await create(lab, own(MANY + 1))
    await told("ADDED", f"/own{MANY + 1}")
    assert viewed.keys() <= {"w1/t", f"/own{MANY}", f"/own{MANY + 1}"}
