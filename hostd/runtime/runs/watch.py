"""Who watches what: changes of all runs come by queue, each bounded, of one run by bell. Both only once durable.

What every watch needs of a change is made once and kept with its notice: the run's row, and the change as it is told.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TypeAlias

from hostd.engine.codes import RUN_FINAL
from hostd.errors.base import HostdError, Kind
from hostd.journal.port import Appended, RunRow
from hostd.model.views import ChangeWord, RunChange, RunView
from hostd.runtime.ring.turn import Change
from hostd.runtime.runs.run_views import row_view

QUEUE_CHANGES_MAX = 20_000
QUEUE_BYTES_MAX = 32 * 1024 * 1024
NOTICE_BYTES = 512  # what a change costs in memory beside its records


class Gone:
    """A finished run that was deleted."""

    __slots__ = ("at_ms", "last_pos", "pos", "row", "size_bytes")

    def __init__(self, row: RunRow, pos: int, at_ms: int) -> None:
        self.row = row
        self.pos = self.last_pos = pos
        self.at_ms = at_ms
        self.size_bytes = NOTICE_BYTES

    def told(self, word: ChangeWord, row: RunRow) -> RunChange:
        """Return it as watches tell it."""
        return RunChange(word, row_view(row))


class Held:
    """A run that nothing moves any more: its row says why."""

    __slots__ = ("at_ms", "last_pos", "pos", "run", "size_bytes")

    def __init__(self, run: int, pos: int, at_ms: int) -> None:
        self.run = run
        self.pos = self.last_pos = pos
        self.at_ms = at_ms
        self.size_bytes = NOTICE_BYTES

    def told(self, word: ChangeWord, row: RunRow) -> RunChange:
        """Return it as watches tell it."""
        return RunChange(word, row_view(row))


class Notice:
    """A durable decision of a run, with its position. `row`: the run's as it is after it, once somebody made it."""

    __slots__ = ("_told", "_view", "at_ms", "change", "last_pos", "pos", "row", "size_bytes")

    def __init__(self, change: Change, pos: int, at_ms: int) -> None:
        self.change = change
        self.pos = pos  # of its first record
        self.last_pos = pos + len(change.records) - 1
        self.at_ms = at_ms
        self.size_bytes = change.size_bytes + NOTICE_BYTES
        self.row: RunRow | None = None
        self._view: RunView | None = None
        self._told: dict[ChangeWord, RunChange] = {}

    def told(self, word: ChangeWord, row: RunRow) -> RunChange:
        """Return it as watches tell it: one object for all of them."""
        change = self._told.get(word)
        if change is None:
            if self._view is None:
                self._view = row_view(row)
            change = self._told[word] = RunChange(word, self._view)
        return change


News: TypeAlias = Notice | Gone | Held


class Bell:
    """Rings when something of one run has become durable; what it was is in the journal."""

    def __init__(self, hub: Hub, run: int) -> None:
        self._hub = hub
        self.run = run
        self._woken = asyncio.Event()
        self._rung = False
        self._over = False

    def ring(self) -> None:
        """Wake who waits."""
        self._rung = True
        self._woken.set()

    def end(self) -> None:
        """Ring no more; who waits is told that the daemon stops."""
        self._over = True
        self._woken.set()

    async def wait(self) -> None:
        """Wait until it has rung since the last time. Raises HostdError DRAINING."""
        await self._woken.wait()
        if not self._rung:
            raise stopping()
        self._rung = False
        if not self._over:
            self._woken.clear()

    def close(self) -> None:
        """Stop listening; may be called twice."""
        self._hub.drop_bell(self)


class Subscription:
    """A queue of notices, bounded by count and bytes. A consumer that does not keep up is ended, not waited for."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._queue: deque[News] = deque()
        self._bytes = 0
        self._ready = asyncio.Event()
        self.slow = False
        self._over = False

    def put(self, notice: News) -> None:
        """Queue a notice; past the bounds the subscription is marked slow and takes no more."""
        if self.slow:
            return
        queue, size_bytes = self._queue, self._bytes + notice.size_bytes
        if queue and (len(queue) >= QUEUE_CHANGES_MAX or size_bytes > QUEUE_BYTES_MAX):
            self.slow = True
        else:
            queue.append(notice)
            self._bytes = size_bytes
        self._ready.set()

    def end(self) -> None:
        """Take nothing more; who waits is told that the daemon stops."""
        self._over = True
        self._ready.set()

    async def take(self, limit: int = 500) -> list[News]:
        """Return what waits, at least one notice. Raises HostdError WATCH_TOO_SLOW, DRAINING."""
        while not self._queue:
            if self._over:
                raise stopping()
            if self.slow:
                raise too_slow()
            self._ready.clear()
            await self._ready.wait()
        queue = self._queue
        count = min(limit, len(queue))
        while count < len(queue) and queue[count].pos <= queue[count - 1].last_pos:
            count += 1  # a deletion stands where the records of its turn do: a position stands for all of a turn
        return self._first(count)

    def take_to(self, pos: int) -> list[News]:
        """Return what waits up to a position, without waiting. Raises HostdError WATCH_TOO_SLOW."""
        if self.slow:
            raise too_slow()
        return self._first(sum(notice.pos <= pos for notice in self._queue))

    def _first(self, count: int) -> list[News]:
        news = [self._queue.popleft() for _ in range(count)]
        self._bytes -= sum(notice.size_bytes for notice in news)
        return news

    def close(self) -> None:
        """Stop listening and forget what waits; may be called twice."""
        self._hub.drop(self)
        self._queue.clear()
        self._bytes = 0


class Hub:
    """Hears of every durable turn and tells subscribers."""

    def __init__(self) -> None:
        self._all: set[Subscription] = set()
        self._by_run: dict[int, set[Bell]] = {}
        self._ends: dict[int, list[asyncio.Future[None]]] = {}
        self._closed = False

    @property
    def closed(self) -> bool:
        """Whether the daemon stops."""
        return self._closed

    def subscribe(self) -> Subscription:
        """Listen to all runs."""
        subscription = Subscription(self)
        self._all.add(subscription)
        if self._closed:
            subscription.end()
        return subscription

    def drop(self, subscription: Subscription) -> None:
        """Forget a subscription."""
        self._all.discard(subscription)

    def bell(self, run: int) -> Bell:
        """Listen to one run."""
        bell = Bell(self, run)
        self._by_run.setdefault(run, set()).add(bell)
        if self._closed:
            bell.end()
        return bell

    def drop_bell(self, bell: Bell) -> None:
        """Forget a bell."""
        listeners = self._by_run.get(bell.run)
        if listeners is not None:
            listeners.discard(bell)
            if not listeners:
                del self._by_run[bell.run]

    def end_of(self, run: int) -> asyncio.Future[None]:
        """Return a future that is done once the run's end, or that it is HELD, is durable. Ask before looking at it."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self._closed:
            future.set_exception(stopping())
        else:
            self._ends.setdefault(run, []).append(future)
        return future

    def gone(self, row: RunRow, appended: Appended) -> None:
        """Tell that a run was deleted."""
        self._tell(Gone(row, appended.first_pos, appended.at_ms), row.run)

    def held(self, run: int, appended: Appended) -> None:
        """Tell that nothing moves a run any more, or that it is let go again: its row says which."""
        self._end(run)
        self._tell(Held(run, appended.first_pos, appended.at_ms), run)

    def _tell(self, notice: News, run: int) -> None:
        for subscription in self._all:
            subscription.put(notice)
        for bell in self._by_run.get(run, ()):
            bell.ring()

    def _end(self, run: int) -> None:
        for future in self._ends.pop(run, ()):
            if not future.done():
                future.set_result(None)

    def close(self) -> None:
        """End every watch and every wait: the daemon stops. What comes after is ended at once."""
        self._closed = True
        for subscription in self._all:
            subscription.end()
        for bell in [bell for bells in self._by_run.values() for bell in bells]:
            bell.end()
        for future in [future for group in self._ends.values() for future in group]:
            if not future.done():
                future.set_exception(stopping())
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
                if change.run.state >= RUN_FINAL:
                    self._end(change.resident.key)
        if not self._all and not self._by_run:
            return
        pos = appended.first_pos
        for change in changes:
            if self._all:
                notice = Notice(change, pos, appended.at_ms)
                for subscription in self._all:
                    subscription.put(notice)
            pos += len(change.records)
            for bell in self._by_run.get(change.resident.key, ()):
                bell.ring()


def stopping() -> HostdError:
    """Return why a watch or a wait ends with the daemon."""
    return HostdError(Kind.UNAVAILABLE, "DRAINING", "the daemon is stopping; runs go on", retry_after_s=2.0)


def too_slow() -> HostdError:
    """Return why a watch ends whose consumer does not read."""
    message = "the consumer did not keep up; resume with the last token"
    return HostdError(Kind.EXHAUSTED, "WATCH_TOO_SLOW", message, retry_after_s=1.0)
