"""Coroutines are driven in place until they wait; whatever they hold of their task works all the same."""

from __future__ import annotations

import asyncio
import contextvars
import sys
from typing import Any

import pytest
from aiohttp import ClientSession, web

from hostd.runtime.attempts import drive as module
from hostd.runtime.attempts.drive import Ended, drive

EAGER_TASKS = sys.version_info >= (3, 12)
PLACE: contextvars.ContextVar[str] = contextvars.ContextVar("PLACE", default="nowhere")


@pytest.fixture(autouse=True, params=["by hand", "eager"] if EAGER_TASKS else ["by hand"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run each test in both ways where the Python has both: they must not differ."""
    assert module.EAGER is EAGER_TASKS, "the daemon takes eager tasks where there are any"
    monkeypatch.setattr(module, "EAGER", request.param == "eager")


async def result_of(begun: Ended | asyncio.Task[Any]) -> Any:
    """Return what a driven coroutine returns, or raise what it raised."""
    if isinstance(begun, Ended):
        if begun.error is not None:
            raise begun.error
        return begun.value
    return await begun


async def test_what_does_not_wait_ends_at_once() -> None:
    """A value or an error, without a task."""

    async def fine() -> int:
        return 5

    async def bad() -> None:
        raise KeyError("x")

    begun, broken = drive(fine(), name="a"), drive(bad(), name="a")
    assert isinstance(begun, Ended) and begun.value == 5
    assert isinstance(broken, Ended) and isinstance(broken.error, KeyError)


async def test_a_timeout_entered_in_the_first_step_fires() -> None:
    """`asyncio.timeout` keeps the task it was entered in."""

    async def slow() -> str:
        try:
            async with asyncio.timeout(0.01):
                await asyncio.Event().wait()
        except TimeoutError:
            await asyncio.sleep(0)
            return "timed out"
        return "never"

    assert await result_of(drive(slow(), name="a")) == "timed out"


async def test_a_task_group_entered_in_the_first_step_works_and_cancels() -> None:
    """Children run; one that fails cancels the body, and the group's error comes out."""

    async def child(value: int) -> int:
        await asyncio.sleep(0)
        if value < 0:
            raise ValueError("bad child")
        return value

    async def parent(*values: int) -> int:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(child(value)) for value in values]
            if -1 in values:
                await asyncio.Event().wait()
        return sum(task.result() for task in tasks)

    assert await result_of(drive(parent(1, 2), name="a")) == 3
    with pytest.raises(ExceptionGroup, match="unhandled"):
        await result_of(drive(parent(1, -1), name="a"))


async def test_a_cancel_reaches_the_coroutine_where_it_waits() -> None:
    """It may clean up, waiting, and the task is cancelled after it."""
    seen: list[str] = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            seen.append("cleaned")

    task = drive(work(), name="a")
    assert isinstance(task, asyncio.Task)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert seen == ["cleaned"]


async def test_each_coroutine_has_a_context_of_its_own() -> None:
    """What it sets is there in its later steps, can be reset, and is not seen outside."""

    async def work() -> tuple[str, str]:
        token = PLACE.set("inside")
        await asyncio.sleep(0)
        inside = PLACE.get()
        PLACE.reset(token)
        return inside, PLACE.get()

    async def quick() -> None:
        PLACE.set("quick")

    drive(quick(), name="a")
    assert PLACE.get() == "nowhere"
    assert await result_of(drive(work(), name="a")) == ("inside", "nowhere")
    assert PLACE.get() == "nowhere"


@pytest.mark.parametrize("waits", [False, True])
async def test_system_exit_is_an_error_of_the_coroutine(waits: bool) -> None:
    """It does not leave through the event loop, and is told of under its own name."""

    async def leave() -> None:
        if waits:
            await asyncio.sleep(0)
        raise SystemExit(3)

    begun = drive(leave(), name="a")
    if isinstance(begun, Ended):
        assert not waits and isinstance(begun.error, SystemExit)
    else:
        with pytest.raises(RuntimeError, match="3") as caught:
            await begun
        assert type(caught.value).__name__ == "SystemExit"  # as it is told


async def test_the_current_task_is_the_coroutines_own() -> None:
    """During the first step and after it `current_task` is not the driver's, and the driver's comes back."""
    outer = asyncio.current_task()

    async def look() -> list[Any]:
        first = asyncio.current_task()
        await asyncio.sleep(0)
        return [first, asyncio.current_task()]

    task = drive(look(), name="a")
    assert asyncio.current_task() is outer
    first, later = await result_of(task)
    assert first is not outer and later is task
    assert first.get_name() == "a" and first.done()


async def test_aiohttp_inside_the_first_step() -> None:
    """A request made from the first step on is answered, and its timeout counts."""

    async def answer(request: web.Request) -> web.Response:
        if request.path == "/slow":
            await asyncio.sleep(5)
        return web.Response(text="hello")

    app = web.Application()
    app.router.add_get("/{tail:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]

    async def fetch(session: ClientSession, path: str) -> str:
        async with (
            asyncio.timeout(0.2 if path == "/slow" else 120),
            session.get(f"http://127.0.0.1:{port}{path}") as got,
        ):
            return await got.text()

    async with ClientSession() as session:
        assert await result_of(drive(fetch(session, "/"), name="a")) == "hello"
        with pytest.raises(TimeoutError):
            await result_of(drive(fetch(session, "/slow"), name="a"))
    await runner.cleanup()
