"""Asyncio, kept tidy: named tasks that somebody holds, and clocks that tests can turn."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from typing import Any, Protocol, TypeVar

from hostd.errors.base import HostdError

T = TypeVar("T")

_held: set[asyncio.Task[Any]] = set()
_log = logging.getLogger("hostd.aio")


def spawn(coroutine: Coroutine[Any, Any, T], *, name: str) -> asyncio.Task[T]:
    """Start a task that is named and kept until it ends; an exception nobody awaits is logged with the name."""
    return _started(coroutine, name, _ended)


async def to_its_end(coroutine: Coroutine[Any, Any, T], *, name: str) -> T:
    """Return what a coroutine returns, or raise what it raises. Where who asks is cancelled, it goes on without them.

    For what writes and then changes memory: cut off between the two, memory would not know what the journal has.
    """
    task = _kept(coroutine, name)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        task.add_done_callback(_left)
        raise


async def waited_to_its_end(coroutine: Coroutine[Any, Any, T], *, name: str) -> T:
    """Do the same as `to_its_end`, but have who is cancelled wait for the end before the cancellation is passed on.

    For what opens and closes: half open, or half closed, it keeps its folder from everybody.
    """
    task = _kept(coroutine, name)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        task.add_done_callback(_left)
        await asyncio.wait([task])
        raise


def _kept(coroutine: Coroutine[Any, Any, T], name: str) -> asyncio.Task[T]:
    """Start a task whose exception is for who awaits it."""
    return _started(coroutine, name, _held.discard)


def _started(
    coroutine: Coroutine[Any, Any, T], name: str, ended: Callable[[asyncio.Task[Any]], object]
) -> asyncio.Task[T]:
    """Start a task and hold it; `ended` lets it go."""
    task = asyncio.get_running_loop().create_task(coroutine, name=name)
    _held.add(task)
    task.add_done_callback(ended)
    return task


def _ended(task: asyncio.Task[Any]) -> None:
    _held.discard(task)
    if task.cancelled():
        return
    error = task.exception()
    if error is not None:
        _log.error("task_failed name=%s", task.get_name(), exc_info=error)


def _left(task: asyncio.Task[Any]) -> None:
    """Tell how a task ended whose asker went away: a refusal in a line, a mistake as one."""
    if task.cancelled():
        return
    error = task.exception()
    if isinstance(error, HostdError):
        _log.info("refused_unheard name=%s reason=%s message=%s", task.get_name(), error.reason, error.message)
    elif error is not None:
        _log.error("task_failed name=%s", task.get_name(), exc_info=error)


class Clock(Protocol):
    """Wall and monotonic time, and sleeping by it."""

    def wall_ms(self) -> int:
        """Milliseconds since 1970, UTC."""
        ...

    def monotonic_s(self) -> float:
        """Seconds that never jump."""
        ...

    async def sleep(self, seconds: float) -> None: ...


class Timer(Protocol):
    """A call that was asked for."""

    def cancel(self) -> None: ...


def call_later(clock: Clock, seconds: float, callback: Callable[..., object], *args: Any) -> Timer:
    """Call back by a clock that has a `call_later` of its own, as those of tests have, else by the running loop."""
    own = getattr(clock, "call_later", None)
    if own is None:
        own = asyncio.get_running_loop().call_later
    timer: Timer = own(seconds, callback, *args)
    return timer


class SystemClock:
    """The machine's clocks."""

    def wall_ms(self) -> int:
        """Return milliseconds since 1970, UTC."""
        return time.time_ns() // 1_000_000

    def monotonic_s(self) -> float:
        """Return seconds that never jump."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Sleep on the running loop."""
        await asyncio.sleep(seconds)
