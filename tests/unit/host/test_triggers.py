"""One run of a trigger: closed and taken back whatever ends it; the end says what happens next."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest

from hostd.aio import SystemClock
from hostd.host.contexts import TriggerScope
from hostd.host.discover import find_built_in
from hostd.host.found import Choices
from hostd.host.guard import TriggerNext, TriggerVerdict
from hostd.host.host import PluginHost
from hostd.host.routes import RouteTable
from hostd.host.triggers import run_once
from hostd.plugin import ActionError, EmitOutcome, Emitted, Event
from hostd.plugin.testing import FakeActionContext


@pytest.fixture
def host() -> PluginHost:
    """A host with what these tests use."""
    made = PluginHost(Choices(allow=frozenset({"mock", "http"}), settings={"http": {"private": True}}))
    made.load([plugin for plugin in find_built_in() if plugin.id in ("mock", "http")])
    return made


class Harness:
    """What is behind a trigger."""

    def __init__(self) -> None:
        self.routes = RouteTable()
        self.events: list[Event] = []
        self.begun = asyncio.Event()

    async def emit(self, events: tuple[Event, ...], cursor: Any) -> list[Emitted]:
        self.events += events
        return [Emitted(event.id, EmitOutcome.STARTED, ("run",)) for event in events]

    async def run(self, host: PluginHost, uses: str, options: Any) -> TriggerVerdict:
        """Run a trigger once."""
        entry = host.registry.triggers[uses]
        context = TriggerScope(
            namespace="default",
            workflow="w",
            name="t",
            component=uses,
            clock=SystemClock(),
            emit=self.emit,
            routes=self.routes,
            read_secret=host.secrets.get,
            dice=random.Random(1),
            begun=self.begun.set,
        )
        return await run_once(entry, entry.parse(options), context=context, provision=host.provision_scope(entry))


@pytest.mark.parametrize(
    "then, following",
    [
        ("end", TriggerNext.ENDED),
        ("return", TriggerNext.ENDED),
        ("raise", TriggerNext.RESTART),
        ("later", TriggerNext.LATER),
        ("disconnect", TriggerNext.RECONNECT),
        ("permanent", TriggerNext.FAILED),
    ],
)
async def test_the_end_says_what_happens_next(host: PluginHost, then: str, following: TriggerNext) -> None:
    """Events arrive first; a bug comes with the plugin's traceback."""
    harness = Harness()
    verdict = await harness.run(host, "mock.emit", {"count": 3, "then": then})
    assert verdict.next is following
    assert [event.id for event in harness.events] == ["event-1", "event-2", "event-3"]
    assert ("emit.py" in verdict.traceback) is (then == "raise")


async def test_stopping_a_webhook_frees_its_path(host: PluginHost) -> None:
    """A taken path fails for good; cancelled from outside, the cancellation passes on and the path is free."""
    harness = Harness()
    task = asyncio.get_running_loop().create_task(harness.run(host, "http.webhook", {"path": "in"}))
    await harness.begun.wait()
    assert harness.routes.find("/hooks/default/in", "POST") is not None
    verdict = await harness.run(host, "http.webhook", {"path": "in"})
    assert verdict.next is TriggerNext.FAILED
    assert "PATH_TAKEN" in verdict.message
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert harness.routes.find("/hooks/default/in", "POST") is None


async def test_an_actions_first_attempt_provisions_it(host: PluginHost) -> None:
    """Nobody has to prepare anything; after the first attempt the instance is the action itself."""
    entry = host.registry.actions["http.request"]
    assert not entry.life.ready
    options = entry.parse({"url": "http://127.0.0.1:1/"})
    with pytest.raises(ActionError):
        await entry.instance.run(FakeActionContext(), options)
    assert entry.life.ready
    assert entry.instance is entry.life.component
    assert host.registry.actions["mock.noop"].instance is host.registry.actions["mock.noop"].life.component
    assert await host.prepare() == {}
    await host.close()
    assert not entry.life.ready
