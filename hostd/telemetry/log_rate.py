"""A bound on how much one logger writes: who floods the log costs its own lines, not the disk, nor the lines of others.

Errors are counted apart, so that a flood of other lines hides none. What is left out is told once a second has passed.
"""

from __future__ import annotations

import contextvars
import logging
import threading
from collections import Counter

ATTEMPTS = "hostd.attempts"  # the logger of lines that actions wrote
EVENTS_A_SECOND = 500  # of one logger
ATTEMPTS_A_SECOND = 5_000  # of all attempts, each of which has a bound of its own
_dropped_in_all = 0


def events_dropped() -> int:
    """Return how many events of this process were left out."""
    return _dropped_in_all


class RateBound(logging.Filter):
    """Lets of each logger so many events a second pass. Belongs to one handler; safe in threads."""

    def __init__(self, handler: logging.Handler) -> None:
        super().__init__()
        self._handler = handler
        self._lock = threading.Lock()
        self._second = 0
        self._seen: Counter[tuple[str, bool]] = Counter()

    def filter(self, record: logging.LogRecord) -> bool:
        """Say whether an event is written; where a new second begins, tell what the last one left out."""
        global _dropped_in_all
        place = (record.name, record.levelno >= logging.ERROR)
        before: Counter[tuple[str, bool]] = Counter()
        with self._lock:
            second = int(record.created)
            if second != self._second:
                before, self._second, self._seen = self._seen, second, Counter()
            self._seen[place] += 1
            passes = self._seen[place] <= most_of(record.name)
            if not passes:
                _dropped_in_all += 1
        for (name, _), count in before.items():
            if count > most_of(name):
                contextvars.Context().run(self._handler.handle, _told(name, count - most_of(name)))
        return passes


def most_of(name: str) -> int:
    """Return how many events a second a logger may write."""
    return ATTEMPTS_A_SECOND if name == ATTEMPTS else EVENTS_A_SECOND


def _told(name: str, count: int) -> logging.LogRecord:
    text = "log_events_dropped of=%s count=%d"
    return logging.LogRecord("hostd.telemetry", logging.WARNING, __file__, 0, text, (name, count), None)
