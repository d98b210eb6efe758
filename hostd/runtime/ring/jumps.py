"""Has the wall clock jumped ahead? What is deleted by age waits then: what a wrong clock deletes is lost."""

from __future__ import annotations

import logging

from hostd.aio import Clock

JUMP_MS = 3_600_000
REST_S = 600.0
_log = logging.getLogger("hostd.daemon")


class Jumps:
    """Compares the wall with a clock that never jumps, from one look to the next."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._offset_ms = self._offset()
        self._rests_until_s = clock.monotonic_s()

    def settled(self) -> bool:
        """Say whether the wall has not jumped ahead by more than an hour in the last ten minutes; look now and then."""
        now_s, before_ms = self._clock.monotonic_s(), self._offset_ms
        self._offset_ms = self._offset()
        ahead_ms = self._offset_ms - before_ms
        if ahead_ms > JUMP_MS:
            self._rests_until_s = now_s + REST_S
            text = "retention_waits clock_ahead_ms=%d for_s=%d message=%s"
            _log.warning(text, ahead_ms, REST_S, "the clock was set forward; set it right meanwhile if it is wrong now")
        return now_s >= self._rests_until_s

    def _offset(self) -> float:
        return self._clock.wall_ms() - self._clock.monotonic_s() * 1000
