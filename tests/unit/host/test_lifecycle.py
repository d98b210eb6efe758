"""A component's life: provision once, close always, whatever fails half-way."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from hostd.aio import SystemClock
from hostd.errors.base import HostdError
from hostd.host.contexts import ProvisionScope
from hostd.host.lifecycle import Shared
from hostd.plugin import Action, NotConnected, Options, ProvisionContext
from hostd.plugin.life import alive
from hostd.plugin.testing.clock import settle


class Recorder(Action[Options]):
    """Writes down what happens to it."""

    id = "life.one"

    def __init__(self) -> None:
        self.events: list[str] = []
        self.failure: BaseException | None = None
        self.gate = asyncio.Event()
        self.gate.set()

    async def provision(self, ctx: ProvisionContext) -> None:
        self.events.append("provision")
        await self.gate.wait()
        if self.failure is not None:
            raise self.failure

    def validate(self) -> None:
        self.events.append("validate")

    async def close(self) -> None:
        self.events.append("close")

    async def run(self, ctx: Any, options: Any) -> None: ...


def shared(component: Any) -> Shared:
    """Return the component's shared life."""
    return Shared(component, ProvisionScope("test", "life.one", SystemClock(), None))


async def test_many_first_users_provision_once() -> None:
    """Ten attempts that find it not ready wait for one provision; one that is cancelled disturbs nobody."""
    component = Recorder()
    component.gate.clear()
    life = shared(component)
    async with asyncio.TaskGroup() as tasks:
        users = [tasks.create_task(life.prepare()) for _ in range(10)]
        await settle()
        users[0].cancel()
        await settle()
        component.gate.set()
    assert life.ready
    assert component.events == ["provision", "validate"]
    await life.close()
    await life.close()
    assert component.events == ["provision", "validate", "close"]


@pytest.mark.parametrize(
    "failure, words",
    [
        (RuntimeError("half-way"), "RuntimeError: half-way"),
        (ImportError("No module named 'kafka'; install hostd[kafka]"), "install hostd[kafka]"),
        (SystemExit(1), "SystemExit"),
    ],
)
async def test_a_failed_provision_is_closed_and_tried_again(failure: BaseException, words: str) -> None:
    """close is called after the failure; the error says what failed; the next use provisions anew."""
    component = Recorder()
    component.failure = failure
    life = shared(component)
    with pytest.raises(HostdError) as caught:
        await life.prepare()
    assert caught.value.reason == "PLUGIN_FAILED"
    assert words in caught.value.message
    assert component.events == ["provision", "close"]
    component.failure = None
    await life.prepare()
    assert component.events == ["provision", "close", "provision", "validate"]


async def test_closing_while_provisioning_closes() -> None:
    """A daemon that stops during provision leaves nothing open."""
    component = Recorder()
    component.gate.clear()
    life = shared(component)
    user = asyncio.get_running_loop().create_task(life.prepare())
    await settle()
    await life.close()
    await asyncio.wait([user])
    assert component.events == ["provision", "close"]
    assert not life.ready


async def test_a_trigger_is_closed_whatever_ends_it() -> None:
    """After a normal end, an exception inside, and a provision that steers the host."""
    scope = ProvisionScope("test", "life.one", SystemClock(), None)
    first = Recorder()
    async with alive(first, scope):
        first.events.append("run")
    assert first.events == ["provision", "validate", "run", "close"]
    second = Recorder()
    second.failure = NotConnected("no broker")
    with pytest.raises(NotConnected):
        async with alive(second, scope):
            raise AssertionError("never here")
    assert second.events == ["provision", "close"]


async def test_a_close_that_raises_stops_nobody(caplog: pytest.LogCaptureFixture) -> None:
    """What close raises is logged with the plugin's frame, and goes no further."""

    class Stubborn(Recorder):
        async def close(self) -> None:
            raise RuntimeError("will not close")

    life = shared(Stubborn())
    await life.prepare()
    await life.close()
    assert "will not close" in caplog.text


def test_what_provisions_nothing_is_ready_at_once() -> None:
    """A trivial action never costs an await before its first attempt."""

    class Trivial(Action[Options]):
        id = "life.trivial"

        async def run(self, ctx: Any, options: Any) -> None: ...

    life = shared(Trivial())
    life.prepare_at_once()
    assert life.ready
    recorder = Recorder.__new__(Recorder)
    waiting = shared(recorder)
    waiting.prepare_at_once()
    assert not waiting.ready
