"""Driving a coroutine: one that does not wait ends at once, without a task; one that waits becomes a task.

From Python 3.12 on, eager tasks do this. On 3.11 the first step is sent by hand with a stand-in as the current task,
because `asyncio.timeout`, TaskGroup and aiohttp ask for one; what they keep of it is forwarded to the real task.

Either way the coroutine has a context (contextvars) of its own from its first step to its last, and SystemExit, which
asyncio would carry out of the event loop, stays an error of the coroutine.
"""

from __future__ import annotations

import asyncio
import contextvars
import sys
from collections.abc import Coroutine, Generator
from typing import Any

EAGER = sys.version_info >= (3, 12)


class Ended:
    """The coroutine ended in its first step."""

    __slots__ = ("error", "value")

    def __init__(self, value: Any, error: BaseException | None) -> None:
        self.value = value
        self.error = error


class _StandIn:
    """What `asyncio.current_task()` answers during the first step; later calls reach the task that took over."""

    __slots__ = ("__weakref__", "_loop", "_name", "task")

    def __init__(self, loop: asyncio.AbstractEventLoop, name: str) -> None:
        self._loop = loop
        self._name = name
        self.task: asyncio.Task[Any] | None = None

    def cancel(self, msg: Any = None) -> bool:
        if self.task is not None:
            return self.task.cancel(msg)
        raise RuntimeError("a step cannot cancel itself before it waits")

    def cancelling(self) -> int:
        return self.task.cancelling() if self.task is not None else 0

    def uncancel(self) -> int:
        return self.task.uncancel() if self.task is not None else 0

    def __getattr__(self, name: str) -> Any:
        if self.task is None:
            raise AttributeError(name)
        return getattr(self.task, name)

    def done(self) -> bool:
        return self.task is not None and self.task.done()

    def get_name(self) -> str:
        return self._name

    def get_loop(self) -> asyncio.AbstractEventLoop:
        return self._loop


class _Rest:
    """Awaits what the first step waits for, then goes on with the coroutine inside the new task."""

    __slots__ = ("_coroutine", "_waits_for")

    def __init__(self, coroutine: Coroutine[Any, Any, Any], waits_for: Any) -> None:
        self._coroutine = coroutine
        self._waits_for = waits_for

    def __await__(self) -> Generator[Any, Any, Any]:
        waits_for = self._waits_for
        while True:
            error: BaseException | None = None
            sent = None
            try:
                sent = yield waits_for
            except BaseException as thrown:  # noqa: BLE001 it is handed on, not swallowed
                error = thrown
            try:
                waits_for = self._coroutine.send(sent) if error is None else self._coroutine.throw(error)
            except StopIteration as stop:
                return stop.value


async def _fenced(work: Any) -> Any:
    try:
        return await work
    except SystemExit as error:
        raise RuntimeError(f"SystemExit: {error}") from error


def drive(coroutine: Coroutine[Any, Any, Any], *, name: str) -> Ended | asyncio.Task[Any]:
    """Start a coroutine; return how it ended, or the task that goes on with it."""
    loop = asyncio.get_running_loop()
    if EAGER:
        task = asyncio.Task(_fenced(coroutine), loop=loop, name=name, eager_start=True)  # type: ignore[call-arg,unused-ignore]
        if not task.done():
            return task
        if task.cancelled():
            return Ended(None, asyncio.CancelledError())
        error = task.exception()
        return Ended(None if error else task.result(), error)
    return _drive_by_hand(coroutine, loop, name)


def _drive_by_hand(
    coroutine: Coroutine[Any, Any, Any], loop: asyncio.AbstractEventLoop, name: str
) -> Ended | asyncio.Task[Any]:
    stand_in = _StandIn(loop, name)
    context = contextvars.copy_context()
    outer = asyncio.current_task(loop)
    if outer is not None:
        asyncio._leave_task(loop, outer)
    asyncio._enter_task(loop, stand_in)  # type: ignore[arg-type]
    try:
        waits_for = context.run(coroutine.send, None)
    except StopIteration as stop:
        return Ended(stop.value, None)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 it is handed on, not swallowed
        return Ended(None, error)
    finally:
        asyncio._leave_task(loop, stand_in)  # type: ignore[arg-type]
        if outer is not None:
            asyncio._enter_task(loop, outer)
    stand_in.task = loop.create_task(_fenced(_Rest(coroutine, waits_for)), name=name, context=context)
    return stand_in.task
