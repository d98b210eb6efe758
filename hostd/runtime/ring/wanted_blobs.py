"""Values that waiting decisions look into: kept by run until its decision is made, bounded by bytes in all.

A run whose values are not there yet stands in line until there is room. One that holds some already goes first and
needs no room: it must be able to finish, or nobody would ever let go. So what is held is at most the bound and what
`READING_MAX` runs may look into.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager

WANTED_BYTES_MAX = 64 * 1024 * 1024
READING_MAX = 2  # runs whose values are read at once: as many as there are reader threads


class WantedBlobs:
    """What was read for runs, and the line of those for which nothing was read yet."""

    def __init__(self, bytes_max: int = WANTED_BYTES_MAX) -> None:
        self.size_bytes = 0
        self._bytes_max = bytes_max
        self._of: dict[int, dict[bytes, bytes]] = {}
        self._reading = 0
        self._line: deque[tuple[asyncio.Future[None], int]] = deque()

    def of(self, run: int) -> Mapping[bytes, bytes] | None:
        """Return what was read for a run; None where nothing is wanted."""
        return self._of.get(run)

    def want(self, run: int) -> None:
        """Keep what will be read for a run."""
        self._of.setdefault(run, {})

    def keep(self, run: int, digest: bytes, data: bytes) -> None:
        """Keep a value, if the run still wants any."""
        values = self._of.get(run)
        if values is not None and digest not in values:
            values[digest] = data
            self.size_bytes += len(data)

    def let_go(self, run: int) -> None:
        """The run's decisions have been made or dropped."""
        values = self._of.pop(run, None)
        if values:
            self.size_bytes -= sum(len(data) for data in values.values())
            self._next()

    @asynccontextmanager
    async def turn_of(self, run: int) -> AsyncIterator[None]:
        """Wait for the run's turn to read, and hold it."""
        if self._line or not self._may(run):
            await self._stand(run)
        else:
            self._reading += 1
        try:
            yield
        finally:
            self._reading -= 1
            self._next()

    async def _stand(self, run: int) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        (self._line.appendleft if self._of.get(run) else self._line.append)((future, run))
        self._next()  # a run that holds values passes
        try:
            await future
        except asyncio.CancelledError:
            if not future.cancelled():
                self._reading -= 1
            self._next()
            raise

    def _may(self, run: int) -> bool:
        return self._reading < READING_MAX and (self.size_bytes < self._bytes_max or bool(self._of.get(run)))

    def _next(self) -> None:
        """Give their turn to those at the front."""
        for future in self._ready():
            self._reading += 1
            future.set_result(None)

    def _ready(self) -> Iterator[asyncio.Future[None]]:
        while self._line and (self._line[0][0].done() or self._may(self._line[0][1])):
            future, _ = self._line.popleft()
            if not future.done():
                yield future
