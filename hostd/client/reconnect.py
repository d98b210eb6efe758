"""How long a call or a watch keeps trying, and which calls may be sent again at all."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from hostd.errors.base import HostdError, Kind

if TYPE_CHECKING:
    from random import Random

FIRST_WAIT_S = 0.1
LONGEST_WAIT_S = 2.0
_PASSING = {Kind.UNAVAILABLE, Kind.TIMEOUT}
# The first word of an rpc that changes nothing.
_READS = ("Count", "Diff", "Evaluate", "Explain", "Get", "List", "Lookup", "Preview", "Read", "Test", "Validate")
_REPEATABLE = (*_READS, "Watch", "Subscribe", "Tail")


class Retry(NamedTuple):
    """When a call is sent again: the daemon is unavailable, or says after which time to come back.

    Only what may be sent twice is: reads, and writes with a request id (see `is_repeatable`). It is always within the
    deadline of the call.
    """

    first_wait_s: float = FIRST_WAIT_S
    """The first wait; each one after it is twice as long. A time that the daemon names goes before."""
    longest_wait_s: float = LONGEST_WAIT_S
    """No wait is longer, but where the daemon says so."""
    give_up_s: float = 60.0
    """How long after the last sign of life."""
    unseen: bool = False
    """Also wait for a daemon that has not answered this client yet; else a wrong address is told at once."""


NO_RETRY = Retry(give_up_s=0.0)


class Patience:
    """Says how long to wait before the next try, and gives up `limit_s` after the last sign of life.

    Args:
        seen: whether somebody answered already; a daemon that never did is not waited for.
        spread: makes a wait a little different each time, so that many who lost one daemon do not return as one.
    """

    def __init__(
        self,
        limit_s: float,
        *,
        seen: bool,
        now: Callable[[], float] = time.monotonic,
        spread: Callable[[float], float] = float,
        waits_s: tuple[float, float] = (FIRST_WAIT_S, LONGEST_WAIT_S),
    ) -> None:
        self._limit_s = limit_s
        self._now = now
        self._seen = seen
        self._spread = spread
        self._first_wait_s, self._longest_wait_s = waits_s
        self._lost_at: float | None = None
        self._wait_s = self._first_wait_s

    def alive(self) -> None:
        """Note a sign of life."""
        self._seen, self._lost_at, self._wait_s = True, None, self._first_wait_s

    def wait_s(self, error: HostdError) -> float:
        """Return the seconds to wait before trying again. Raises the error when that makes no sense (any more)."""
        passing = error.kind in _PASSING or error.retry_after_s is not None or error.reason == "WATCH_TOO_SLOW"
        if not passing or not (self._seen or _answered(error)):
            raise error
        now = self._now()
        if self._lost_at is None:
            self._lost_at = now
        left_s = self._lost_at + self._limit_s - now
        if left_s <= 0:
            raise error
        wait_s = min(self._spread(self._wait_s) if error.retry_after_s is None else error.retry_after_s, left_s)
        self._wait_s = min(self._wait_s * 2, self._longest_wait_s)
        return wait_s


def is_repeatable(request: Any) -> bool:
    """Say whether a request may be sent twice: it reads, or carries an id by which the daemon knows it again."""
    descriptor = getattr(request, "DESCRIPTOR", None)
    if descriptor is None:
        return False
    if descriptor.name.startswith(_REPEATABLE):
        return True
    if descriptor.name == "StartRunsRequest":
        return all(start.request_id for start in request.starts)
    named = request.start if "start" in descriptor.fields_by_name else request
    return bool(getattr(named, "request_id", "") or getattr(named, "event_id", ""))


def is_last(answer: Any) -> bool:
    """Say whether a stream ends with this message in good order: one of a single run, when that has ended."""
    name = answer.DESCRIPTOR.name
    return bool(
        (name == "WatchRunResponse" and answer.HasField("run")) or (name == "TailLogsResponse" and answer.run_state)
    )


def jittered(wait_s: float) -> float:
    """Return between half of a wait and the whole."""
    return wait_s * _random().uniform(0.5, 1.0)


@cache
def _random() -> Random:
    from random import Random  # imported when something failed, not at every start

    return Random()  # noqa: S311  it spreads waits, it keeps no secret


def cut_off(address: str) -> HostdError:
    """Return the error of a watch that ended before its run did."""
    return HostdError(Kind.UNAVAILABLE, "UNREACHABLE", f"{address} ended the watch before the run's end")


def _answered(error: HostdError) -> bool:
    """Say whether an error came from a daemon, which thereby has been seen."""
    return error.reason != "UNREACHABLE"
