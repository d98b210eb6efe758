"""Which attempt kills its process: whoever was lost twice runs alone, and a loss while alone is proof."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from hostd.aio import Clock

Place = tuple[str, str]  # run, step

LOSSES_MAX = 2
ALONE_S = 30.0
PLACES_MAX = 10_000


class Suspects:
    """Counts losses, and lets attempts into the process: any number at once, a suspect by itself."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._losses: dict[Place, int] = {}
        self._inside = 0
        self._waiting = 0
        self._alone: Place | None = None
        self._changed = asyncio.Event()

    async def enter(self, place: Place) -> None:
        """Wait for one's turn: a suspect until nobody is inside (at most 30 s), others until no suspect is."""
        suspect = self._losses.get(place, 0) >= LOSSES_MAX
        if suspect:
            await self._wait_alone()
            self._alone = place
            asyncio.get_running_loop().call_later(ALONE_S, self._outlived, place)
        else:
            while self._alone is not None or self._waiting:
                await self._changed.wait()
        self._inside += 1

    async def _wait_alone(self) -> None:
        self._waiting += 1
        try:
            async with asyncio.timeout(ALONE_S):
                while self._inside or self._alone is not None:
                    await self._changed.wait()
        except TimeoutError:
            pass
        finally:
            self._waiting -= 1
            self._pulse()

    def leave(self, place: Place) -> None:
        """An attempt has ended, however."""
        self._inside -= 1
        self._outlived(place)
        self._pulse()

    def ended(self, place: Place) -> None:
        """A step has answered: it is no suspect any more."""
        self._losses.pop(place, None)

    def lost(self, places: Iterable[Place]) -> set[Place]:
        """Count a loss for each; return whoever was alone when the process died."""
        inside = set(places)
        for place in inside:
            self._losses[place] = self._losses.pop(place, 0) + 1
        while len(self._losses) > PLACES_MAX:
            del self._losses[next(iter(self._losses))]
        guilty = {place for place in inside if place == self._alone}
        for place in guilty:
            self._losses.pop(place, None)
        return guilty

    def _outlived(self, place: Place) -> None:
        if self._alone == place:
            self._alone = None
            self._pulse()

    def _pulse(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
