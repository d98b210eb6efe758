"""Who did what: written beside the effect, once, with the principal of the call."""

from __future__ import annotations

from lab import NAMESPACE, Lab

from hostd.model.requests import Repeat, RunRef

DOCUMENT = (
    "workflow: w\nversion: {version}\ntriggers:\n  t: {{uses: mock.emit, with: {{count: 0}}}}\n"
    "steps:\n  a: {{uses: flow.pass, with: {{output: 1}}}}\n"
)


async def register(lab: Lab, version: str, *, activate: bool) -> None:
    """Register a version as ann."""
    text = DOCUMENT.format(version=version).encode()
    store = lab.core.front.workflows
    await store.register(NAMESPACE, text, file="", activate=activate, principal="ann", repeat=None)


async def test_what_is_done_is_in_the_audit(lab: Lab) -> None:
    """Workflows, triggers and a deleted run: each with verb, resource and who; what changes nothing leaves no row."""
    front = lab.core.front
    await register(lab, "1.0.0", activate=True)
    await register(lab, "1.0.0", activate=False)
    await register(lab, "1.1.0", activate=False)
    activate = {"expected": None, "principal": "bob", "repeat": Repeat("r1", b"digest")}
    for _ in range(2):
        await front.workflows.activate(NAMESPACE, "w", "1.1.0", **activate)
    await lab.core.triggers.start()
    await front.triggers.pause(NAMESPACE, "w", "t", reason="quiet", principal="bob", repeat=None)
    await front.triggers.resume(NAMESPACE, "w", "t", principal="bob", repeat=None)
    fired = await front.triggers.fire(NAMESPACE, "w", "t", data=b"1", event_id="e1", principal="cat")
    await lab.until(lambda: all(row.ended_at_ms for row in lab.runs()))
    await front.runs.delete(NAMESPACE, RunRef(fired.run_ids[0]), principal="cat", repeat=None)
    await front.workflows.delete(NAMESPACE, "w", "1.0.0", principal="ann", repeat=None)

    events = await lab.core.front.admin.audit(NAMESPACE, after=0, limit=100)
    assert [(event.principal, event.verb, event.resource) for event in events] == [
        ("ann", "workflow.register", "w"),
        ("ann", "workflow.register", "w"),
        ("bob", "workflow.activate", "w"),
        ("bob", "trigger.pause", "w/t"),
        ("bob", "trigger.resume", "w/t"),
        ("cat", "trigger.fire", "w/t"),
        ("cat", "run.delete", fired.run_ids[0]),
        ("ann", "workflow.delete", "w"),
    ]
    assert events[0].details["active"] == "1.0.0"
    assert "active" not in events[1].details
    assert events[3].details == {"reason": "quiet"}
    assert events[5].details == {"event_id": "e1", "outcomes": "STARTED=1"}
    assert [event.number for event in await lab.core.front.admin.audit(NAMESPACE, after=events[6].number, limit=9)] == [
        events[7].number
    ]
    assert await lab.core.front.admin.audit("other", after=0, limit=9) == []
