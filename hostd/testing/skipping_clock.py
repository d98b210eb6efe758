"""A clock that stands still until somebody turns it, and knows what it has to be turned to."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import math
from collections.abc import Callable
from typing import Any

HOUSEKEEPING = frozenset({"residence-sweep", "journal-prune", "loop-lag", "timers-refill", "plugin-folders"})
"""Tasks of a host that look after it again and again: time goes on without asking them, they wake when it has."""


class Entry:
    """A sleeper, or a call that was asked for; it is a Timer."""

    __slots__ = ("_cancelled", "args", "callback", "due_ms", "task", "tidies")

    def __init__(self, due_ms: int, callback: Callable[..., object], args: tuple[Any, ...] = ()) -> None:
        self.due_ms = due_ms
        self.callback = callback
        self.args = args
        self.task: Any = None  # who sleeps
        self.tidies = False
        self._cancelled = False

    @property
    def waits(self) -> bool:
        """Whether it is still wanted."""
        return not self._cancelled

    def cancel(self) -> None:
        """Want it no more."""
        self._cancelled = True


class SkippingClock:
    """A Clock in whole milliseconds. Time passes only by `turn`; wall and monotonic time go together."""

    longest_sleep_s = math.inf  # this wall is never set: whoever waits for a moment may sleep until then

    def __init__(self, wall_ms: int) -> None:
        self._start_ms = self._wall_ms = wall_ms
        self._entries: list[tuple[int, int, Entry]] = []
        self._numbers = itertools.count()
        self._endless: set[Any] = set()  # tasks that wait for nothing

    def wall_ms(self) -> int:
        """Return the wall time."""
        return self._wall_ms

    def monotonic_s(self) -> float:
        """Return what has passed."""
        return (self._wall_ms - self._start_ms) / 1000

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock was turned so far; part of a millisecond counts as a whole one."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        task, future = asyncio.current_task(), asyncio.get_running_loop().create_future()
        entry = self._add(Entry(self._wall_ms + _whole_ms(seconds), _wake, (future,)))
        entry.task = task
        entry.tidies = task is not None and task.get_name() in HOUSEKEEPING
        try:
            await future
        finally:
            entry.cancel()

    async def sleep_for_ever(self) -> None:
        """Wait to be cancelled."""
        task = asyncio.current_task()
        self._endless.add(task)
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            self._endless.discard(task)

    def call_later(self, seconds: float, callback: Callable[..., object], *args: Any) -> Entry:
        """Call back once the clock was turned so far."""
        return self._add(Entry(self._wall_ms + _whole_ms(max(0.0, seconds)), callback, args))

    def _add(self, entry: Entry) -> Entry:
        heapq.heappush(self._entries, (entry.due_ms, next(self._numbers), entry))
        return entry

    # -- whoever turns it

    def next_ms(self) -> int | None:
        """Return when something that is waited for is due; housekeeping does not count."""
        return min((entry.due_ms for entry in self._waiting() if not entry.tidies), default=None)

    def asleep(self) -> set[Any]:
        """Return the tasks that wait for this clock themselves."""
        tasks = {entry.task for entry in self._waiting()} | self._endless
        return tasks | {getattr(task, "task", None) for task in tasks}  # of a first step that was sent by hand

    def turn(self, wall_ms: int) -> None:
        """Let it be that time, and wake who is due, in order. Time never goes back."""
        self._wall_ms = max(self._wall_ms, wall_ms)
        while self._entries and self._entries[0][0] <= self._wall_ms:
            entry = heapq.heappop(self._entries)[2]
            if entry.waits:
                entry.cancel()
                asyncio.get_running_loop().call_soon(entry.callback, *entry.args)

    def _waiting(self) -> list[Entry]:
        if len(self._entries) > 2_000 and sum(entry.waits for _, _, entry in self._entries) * 2 < len(self._entries):
            self._entries = [each for each in self._entries if each[2].waits]
            heapq.heapify(self._entries)
        return [entry for _, _, entry in self._entries if entry.waits]


def _whole_ms(seconds: float) -> int:
    return math.ceil(round(seconds * 1000, 3))


def _wake(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
