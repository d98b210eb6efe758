"""What is done now and then, beside everything else: sweeping the journal, counting, watching the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from hostd.aio import spawn
from hostd.runtime.ring.loop_watch import LoopWatch
from hostd.runtime.ring.metering import measure_lag
from hostd.runtime.ring.upkeep import Upkeep
from hostd.runtime.room_options import retention_of
from hostd.wiring.foundation import Foundation
from hostd.wiring.guests import Guests
from hostd.wiring.ring import Ring


class Care:
    """Keeps the journal small and the numbers true."""

    def __init__(self, base: Foundation, guests: Guests, ring: Ring) -> None:
        self._base = base
        self._census = ring.census
        self.loop_watch = LoopWatch(guests.host.homes)
        self.upkeep = Upkeep(
            journal=base.journal,
            readers=base.readers,
            residence=ring.residence,
            logs=base.log_files,
            retention=lambda: retention_of(base.config),
            clock=base.clock,
        )
        self._lag: asyncio.Task[None] | None = None
        base.meter.reading("hostd_journal_size_bytes", self._journal_size)

    def _journal_size(self) -> dict[tuple[str, ...], float]:
        size = self.upkeep.journal_bytes
        return {(): float(size)} if size else {}

    def start(self, look: Callable[[], Callable[[], None]]) -> None:
        """Begin, once everything else is open.

        Args:
            look: see Upkeep.start.
        """
        base = self._base
        self.upkeep.start(base.info.path if base.info is not None else "", look)
        self._census.start()
        self._lag = spawn(measure_lag(base.meter, base.clock), name="loop-lag")

    def stop(self) -> None:
        """End it all but the watch over the event loop, which sees the rest end."""
        self.upkeep.stop()
        self._census.stop()
        if self._lag is not None:
            self._lag.cancel()
