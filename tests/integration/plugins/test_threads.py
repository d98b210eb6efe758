"""A plugin in a thread: what blocks its loop is given up and counted, and the daemon goes on."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from lab import HARMFUL, Lab

from hostd.model.states import RunState

BLOCK = "workflow: block\nsteps:\n  a: {uses: mock.block, with: {duration: 30s}, timeout: 100ms}\n"
AFTER = "workflow: after\nsteps:\n  a: {uses: mock.block, with: {duration: 10ms}}\n"
OTHER = "workflow: other\nsteps:\n  a: {uses: kv.get, with: {key: a, default: 1}}\n"


@pytest.fixture
async def lab() -> AsyncIterator[Lab]:
    """A core whose mock plugin runs in a thread."""
    opened = await Lab(None, plugins={**HARMFUL["plugins"], "thread": ["mock"]}).open()
    yield opened
    await opened.close()


async def test_three_calls_past_their_deadline_disable_the_action(lab: Lab) -> None:
    """Each is abandoned at its deadline; the fourth is refused with what to do; other plugins notice nothing."""
    workflow = await lab.register(BLOCK)
    row = await lab.ended(*[await lab.start(workflow) for _ in range(3)])
    assert row.reason == "ATTEMPT_TIMEOUT"
    assert lab.core.effects.stuck()["mock.block"] == 3

    refused, _ = await lab.run(AFTER)
    assert refused.reason == "PLUGIN_FAILED"
    other, _ = await lab.run(OTHER)
    assert other.state == RunState.SUCCEEDED
    assert lab.core.loop_watch.stalls["mock"] == 0


async def test_the_list_says_that_it_runs_in_a_thread(lab: Lab) -> None:
    """Isolation and executors, as an operator sees them."""
    found = lab.core.front.plugins.get("mock")
    assert found.isolation == "thread"
    assert {part.executors for part in found.components if part.kind == "action"} == {("thread",)}
