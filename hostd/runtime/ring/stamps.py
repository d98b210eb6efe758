"""The time of records: never behind the last record's, never more than a minute ahead of the wall."""

from __future__ import annotations

import logging

from hostd.aio import Clock

_log = logging.getLogger("hostd.runtime")

CLOCK_LEAD_MS_MAX = 60_000


class Stamps:
    """Gives each turn its `at`: max(wall, last `at`), at most a minute ahead of wall."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last_ms = 0

    def start_from(self, at_ms: int) -> None:
        """Let time go on from the journal's last record."""
        self._last_ms = max(self._last_ms, at_ms)

    def next_ms(self) -> int:
        """Return the time of the turn that begins now, in wall milliseconds."""
        wall_ms = self._clock.wall_ms()
        lead_ms = self._last_ms - wall_ms
        if lead_ms <= 0:
            self._last_ms = wall_ms
        elif lead_ms > CLOCK_LEAD_MS_MAX:
            _log.warning("records_step_back by_ms=%d", lead_ms)
            self._last_ms = wall_ms + CLOCK_LEAD_MS_MAX
        return self._last_ms
