"""How long a watch keeps trying after its connection was lost."""

from __future__ import annotations

import time
from collections.abc import Callable

from hostd.errors.base import HostdError, Kind

FIRST_WAIT_S = 0.1
LONGEST_WAIT_S = 2.0
_PASSING = {Kind.UNAVAILABLE, Kind.TIMEOUT}


class Patience:
    """Says how long to wait before the next try, and gives up `limit_s` after the last sign of life.

    Args:
        seen: whether somebody answered already; a daemon that never did is not waited for.
    """

    def __init__(self, limit_s: float, *, seen: bool, now: Callable[[], float] = time.monotonic) -> None:
        self._limit_s = limit_s
        self._now = now
        self._seen = seen
        self._lost_at: float | None = None
        self._wait_s = FIRST_WAIT_S

    def alive(self) -> None:
        """Note a sign of life."""
        self._seen, self._lost_at, self._wait_s = True, None, FIRST_WAIT_S

    def wait_s(self, error: HostdError) -> float:
        """Return the seconds to wait before trying again. Raises the error when that makes no sense (any more)."""
        passing = error.kind in _PASSING or error.reason == "WATCH_TOO_SLOW"
        if not passing or not self._seen:
            raise error
        now = self._now()
        if self._lost_at is None:
            self._lost_at = now
        left_s = self._lost_at + self._limit_s - now
        if left_s <= 0:
            raise error
        wait_s = min(self._wait_s if error.retry_after_s is None else error.retry_after_s, left_s)
        self._wait_s = min(self._wait_s * 2, LONGEST_WAIT_S)
        return wait_s


def cut_off(address: str) -> HostdError:
    """Return the error of a watch that ended before its run did."""
    return HostdError(Kind.UNAVAILABLE, "UNREACHABLE", f"{address} ended the watch before the run's end")
