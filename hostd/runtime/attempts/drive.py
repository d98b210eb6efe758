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

import msgspec

EAGER = sys.version_info >= (3, 12)


class Ended(msgspec.Struct, frozen=True, eq=False):
    """The coroutine ended in its first step."""

    value: Any
    error: BaseException | None


class _StandIn(msgspec.Struct, eq=False, weakref=True):
    """What `asyncio.current_task()` answers during the first step; later calls reach the task that took over."""

    _loop: asyncio.AbstractEventLoop
    _name: str
    task: asyncio.Task[Any] | None = None

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


class _Rest(Coroutine[Any, Any, Any]):
    """What is left of a coroutine after its first step: first yields what that step waits for.

    A task that is cancelled before its own first step throws into it, so the coroutine hears of that where it waits.
    """

    __slots__ = ("_begun", "_coroutine", "_waits_for")

    def __init__(self, coroutine: Coroutine[Any, Any, Any], waits_for: Any) -> None:
        self._coroutine = coroutine
        self._waits_for = waits_for
        self._begun = False

    def send(self, value: Any) -> Any:
        if not self._begun:
            self._begun = True
            return self._waits_for
        try:
            return self._coroutine.send(value)
        except SystemExit as error:
            raise _exit(error) from error

    def throw(self, *error: Any) -> Any:
        self._begun = True
        try:
            return self._coroutine.throw(*error)
        except SystemExit as raised:
            raise _exit(raised) from raised

    def close(self) -> None:
        self._coroutine.close()

    def __await__(self) -> Generator[Any, Any, Any]:
        raise TypeError("only a task goes on with it")


class _Exited(RuntimeError):
    """SystemExit, in a form that no event loop takes for its own; told of under its own name."""


_Exited.__name__ = _Exited.__qualname__ = "SystemExit"
_Exited.__module__ = "builtins"


async def _fenced(work: Coroutine[Any, Any, Any]) -> Any:
    try:
        return await work
    except SystemExit as error:
        raise _exit(error) from error


def _exit(error: SystemExit) -> _Exited:
    return _Exited(str(error))


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
        if isinstance(error, _Exited):
            error = error.__cause__  # as it is where the first step is sent by hand
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
    stand_in.task = loop.create_task(_Rest(coroutine, waits_for), name=name, context=context)
    return stand_in.task
