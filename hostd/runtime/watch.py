"""Who watches what: durable changes handed to subscribers, each with a bounded queue of its own."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TypeAlias

from hostd.errors.base import HostdError, Kind
from hostd.journal.port import Appended, RunRow
from hostd.model.states import run_is_final
from hostd.runtime.turn import Change

QUEUE_CHANGES_MAX = 20_000


class Gone:
    """A finished run that was deleted."""

    __slots__ = ("at_ms", "pos", "row")

    def __init__(self, row: RunRow, pos: int, at_ms: int) -> None:
        self.row = row
        self.pos = pos
        self.at_ms = at_ms


class Held:
    """A run that nothing moves any more: its row says why."""

    __slots__ = ("at_ms", "pos", "run")

    def __init__(self, run: int, pos: int, at_ms: int) -> None:
        self.run = run
        self.pos = pos
        self.at_ms = at_ms


class Notice:
    """A durable decision of a run, with its position."""

    __slots__ = ("at_ms", "change", "pos")

    def __init__(self, change: Change, pos: int, at_ms: int) -> None:
        self.change = change
        self.pos = pos  # of its first record
        self.at_ms = at_ms


News: TypeAlias = Notice | Gone | Held


class Subscription:
    """A queue of notices. A consumer that does not keep up is ended, not waited for."""

    def __init__(self, hub: Hub, run: int | None) -> None:
        self._hub = hub
        self.run = run
        self._queue: deque[News] = deque()
        self._size = 0
        self._ready = asyncio.Event()
        self._slow = False
        self._over = False

    def put(self, notice: News) -> None:
        """Queue a notice; past the bound the subscription is marked slow and takes no more."""
        if self._slow:
            return
        if self._size >= QUEUE_CHANGES_MAX:
            self._slow = True
        else:
            self._queue.append(notice)
            self._size += 1
        self._ready.set()

    def end(self) -> None:
        """Take nothing more; who waits is told that the daemon stops."""
        self._over = True
        self._ready.set()

    async def take(self, limit: int = 500) -> list[News]:
        """Return what waits, at least one notice. Raises HostdError WATCH_TOO_SLOW, DRAINING."""
        while not self._queue:
            if self._over:
                raise _stopping()
            if self._slow:
                message = "the consumer did not keep up; resume with the last token"
                raise HostdError(Kind.EXHAUSTED, "WATCH_TOO_SLOW", message, retry_after_s=1.0)
            self._ready.clear()
            await self._ready.wait()
        count = min(limit, self._size)
        self._size -= count
        return [self._queue.popleft() for _ in range(count)]

    def close(self) -> None:
        """Stop listening; may be called twice."""
        self._hub.drop(self)


class Hub:
    """Hears of every durable turn and tells subscribers."""

    def __init__(self) -> None:
        self._all: set[Subscription] = set()
        self._by_run: dict[int, set[Subscription]] = {}
        self._ends: dict[int, list[asyncio.Future[None]]] = {}
        self._closed = False

    @property
    def closed(self) -> bool:
        """Whether the daemon stops."""
        return self._closed

    def subscribe(self, run: int | None = None) -> Subscription:
        """Listen to one run, or to all."""
        subscription = Subscription(self, run)
        if run is None:
            self._all.add(subscription)
        else:
            self._by_run.setdefault(run, set()).add(subscription)
        if self._closed:
            subscription.end()
        return subscription

    def drop(self, subscription: Subscription) -> None:
        """Forget a subscription."""
        self._all.discard(subscription)
        if subscription.run is not None:
            listeners = self._by_run.get(subscription.run)
            if listeners is not None:
                listeners.discard(subscription)
                if not listeners:
                    del self._by_run[subscription.run]

    def end_of(self, run: int) -> asyncio.Future[None]:
        """Return a future that is done once the run's end, or that it is HELD, is durable. Ask before looking at it."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self._closed:
            future.set_exception(_stopping())
        else:
            self._ends.setdefault(run, []).append(future)
        return future

    def gone(self, row: RunRow, appended: Appended) -> None:
        """Tell that a run was deleted."""
        notice = Gone(row, appended.first_pos, appended.at_ms)
        for subscription in (*self._all, *self._by_run.get(row.run, ())):
            subscription.put(notice)

    def held(self, run: int, appended: Appended) -> None:
        """Tell that nothing moves a run any more, or that it is let go again: its row says which."""
        self._end(run)
        notice = Held(run, appended.first_pos, appended.at_ms)
        for subscription in (*self._all, *self._by_run.get(run, ())):
            subscription.put(notice)

    def _end(self, run: int) -> None:
        for future in self._ends.pop(run, ()):
            if not future.done():
                future.set_result(None)

    def close(self) -> None:
        """End every watch and every wait: the daemon stops. What comes after is ended at once."""
        self._closed = True
        for subscription in (*self._all, *(each for group in self._by_run.values() for each in group)):
            subscription.end()
        for future in [future for group in self._ends.values() for future in group]:
            if not future.done():
                future.set_exception(_stopping())
        self._ends.clear()

    def forget_end(self, run: int, future: asyncio.Future[None]) -> None:
        """Take a future of `end_of` back."""
        if future.done() and not future.cancelled():
            future.exception()  # nobody waits for it any more
        waiting = self._ends.get(run)
        if waiting is not None and future in waiting:
            waiting.remove(future)
            if not waiting:
                del self._ends[run]

    def publish(self, appended: Appended, changes: list[Change]) -> None:
        """Tell subscribers of a durable turn. Rows lie one behind another, each as wide as its record count."""
        if self._ends:
            for change in changes:
                if run_is_final(change.run.state):
                    self._end(change.resident.key)
        if not self._all and not self._by_run:
            return
        pos = appended.first_pos
        for change in changes:
            notice = Notice(change, pos, appended.at_ms)
            pos += len(change.records)
            for subscription in self._all:
                subscription.put(notice)
            for subscription in self._by_run.get(change.resident.key, ()):
                subscription.put(notice)


def _stopping() -> HostdError:
    return HostdError(Kind.UNAVAILABLE, "DRAINING", "the daemon is stopping; runs go on", retry_after_s=2.0)
