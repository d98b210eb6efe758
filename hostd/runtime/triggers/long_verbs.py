"""Verbs that take many appends: asked again with the same request id, they give the first answer, once there is one.

Each append of such a verb holds its effect whole (a letter and its run, a slot and its run), so a request that was cut
off half way goes on when it is sent again, and does nothing twice. Its answer is written behind the last effect.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

import msgspec

from hostd.journal.port import Journal
from hostd.model.requests import Repeat
from hostd.runtime.ring.engine_loop import EngineLoop
from hostd.runtime.ring.readers import Readers
from hostd.runtime.ring.repeats import first_answer, note_of
from hostd.runtime.ring.turn import Turn
from hostd.runtime.ring.writing import write

T = TypeVar("T")


class LongVerbs:
    """Answers each request once. One that is sent again while it still runs waits for the answer of the first."""

    def __init__(self, *, loop: EngineLoop, journal: Journal, readers: Readers) -> None:
        self._loop = loop
        self._journal = journal
        self._readers = readers
        self._running: dict[tuple[str, str, str], asyncio.Lock] = {}
        self._asking: Counter[tuple[str, str, str]] = Counter()

    async def once(
        self, namespace: str, verb: str, repeat: Repeat | None, work: Callable[[], Awaitable[T]], answer: type[T]
    ) -> T:
        """Return what `work` returned the first time; it is done only where there is no answer yet.

        Args:
            answer: its type, which goes through msgpack.

        Raises:
            HostdError: REQUEST_ID_CONFLICT, what `work` raises, JOURNAL_*.
        """
        if repeat is None:
            return await work()
        async with self._alone((namespace, verb, repeat.request_id)):
            first = await first_answer(self._journal, self._readers, namespace, verb, repeat)
            if first is not None:
                return msgspec.msgpack.decode(first, type=answer)
            done = await work()
            reference = msgspec.msgpack.encode(done)
            note = note_of(namespace, verb, repeat, reference)

            def fill(turn: Turn) -> None:
                if note is not None:
                    note(turn)

            await write(self._loop, fill, size_bytes=len(reference))
            return done

    @asynccontextmanager
    async def _alone(self, name: tuple[str, str, str]) -> AsyncIterator[None]:
        self._asking[name] += 1
        try:
            async with self._running.setdefault(name, asyncio.Lock()):
                yield
        finally:
            self._asking[name] -= 1
            if not self._asking[name]:
                del self._asking[name], self._running[name]
