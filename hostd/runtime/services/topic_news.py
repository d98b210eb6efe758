"""Waking who reads topics: a bell each, rung when something is durable that it would see. Nothing is queued."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from hostd.errors.base import HostdError, Kind
from hostd.plugin.service_rules import covering


class Bell:
    """One reader's. `heard` before a look at the journal, `wait` after one that found nothing."""

    __slots__ = ("_event", "closed")

    def __init__(self) -> None:
        self.closed = False
        self._event = asyncio.Event()

    def ring(self) -> None:
        """Wake the reader."""
        self._event.set()

    def heard(self) -> None:
        """Forget what rang before."""
        if not self.closed:
            self._event.clear()

    async def wait(self, seconds: float) -> bool:
        """Wait until it rings; return whether it did in time. Raises HostdError DRAINING."""
        try:
            async with asyncio.timeout(seconds):
                await self._event.wait()
        except TimeoutError:
            return False
        if self.closed:
            raise HostdError(Kind.UNAVAILABLE, "DRAINING", "the daemon is stopping", retry_after_s=2.0)
        return True


class TopicNews:
    """All bells, by namespace and by what they wait for: who does not read a topic costs its publishers nothing."""

    def __init__(self) -> None:
        self._bells: dict[tuple[str, str], set[Bell]] = {}
        self._closed = False

    @contextmanager
    def listening(self, namespace: str, topics: tuple[str, ...]) -> Iterator[Bell]:
        """Have a bell for as long as the block takes."""
        bell = Bell()
        places = [(namespace, topic) for topic in topics]
        for place in places:
            self._bells.setdefault(place, set()).add(bell)
        if self._closed:
            self._end(bell)
        try:
            yield bell
        finally:
            for place in places:
                self._leave(place, bell)

    def _leave(self, place: tuple[str, str], bell: Bell) -> None:
        mine = self._bells.get(place, set())
        mine.discard(bell)
        if not mine:
            self._bells.pop(place, None)

    def ring(self, namespace: str, topics: set[str]) -> None:
        """Wake who reads one of these topics."""
        for wanted in {wanted for topic in topics for wanted in covering(topic)}:
            for bell in self._bells.get((namespace, wanted), ()):
                bell.ring()

    def close(self) -> None:
        """End every wait, and those to come: the daemon stops."""
        self._closed = True
        for bells in self._bells.values():
            for bell in bells:
                self._end(bell)

    @staticmethod
    def _end(bell: Bell) -> None:
        bell.closed = True
        bell.ring()
