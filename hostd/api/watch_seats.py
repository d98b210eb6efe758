"""How many watches are open, and may be: each costs memory and a share of every change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from hostd.errors.base import HostdError, Kind
from hostd.telemetry.meter import Meter

AGAIN_S = 5.0


class WatchSeats:
    """Seats for the watches of one daemon.

    Args:
        most: watches at once, of all kinds together.
    """

    def __init__(self, meter: Meter, most: int) -> None:
        self._meter = meter
        self.most = most  # may change; watches that are open stay
        self._taken: Counter[str] = Counter()

    @contextmanager
    def take(self, kind: str) -> Iterator[None]:
        """Hold a seat. Raises HostdError WATCHES_FULL.

        Args:
            kind: what is watched, for the metric: run, runs, triggers, plugins, events, logs.
        """
        if self._taken.total() >= self.most:
            message = (
                f"{self.most} watches are open already; share one with a wider filter, close some,"
                " or raise `limits.watches`"
            )
            raise HostdError(
                Kind.EXHAUSTED, "WATCHES_FULL", message, retry_after_s=AGAIN_S, details={"limit": str(self.most)}
            )
        gauge = self._meter.gauge("hostd_watches", kind=kind)
        self._taken[kind] += 1
        gauge.inc()
        try:
            yield
        finally:
            self._taken[kind] -= 1
            gauge.inc(-1)
