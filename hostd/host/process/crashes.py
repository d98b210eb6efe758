"""The crashes of one plugin's process, and what follows from them: a pause that grows, then quarantine."""

from __future__ import annotations

from collections import deque
from random import Random

BACKOFF_S = (0.2, 1.0, 2.0, 5.0, 15.0, 30.0)
CRASHES_MAX = 5
CRASH_WINDOW_S = 600.0
QUARANTINE_S = 600.0


class Crashes:
    """Of the last ten minutes. `total` counts all, `last` says why it went, the last time it was not asked to."""

    def __init__(self, dice: Random) -> None:
        self.total = 0
        self.last = ""
        self._at_s: deque[float] = deque(maxlen=CRASHES_MAX)
        self._until_s = 0.0
        self._dice = dice

    @property
    def quarantine_s(self) -> float:
        """How long it is kept out after too many."""
        return QUARANTINE_S

    @property
    def recent(self) -> int:
        """How many there were within the window."""
        return len(self._at_s)

    def count(self, why: str, now_s: float) -> float | None:
        """Take note of a crash; return how many seconds to wait, None when there were too many."""
        while self._at_s and now_s - self._at_s[0] > CRASH_WINDOW_S:
            self._at_s.popleft()
        self._at_s.append(now_s)
        self.total += 1
        self.last = why
        if len(self._at_s) >= CRASHES_MAX:
            self._until_s = now_s + QUARANTINE_S
            return None
        return BACKOFF_S[min(len(self._at_s), len(BACKOFF_S)) - 1] * self._dice.uniform(0.8, 1.2)

    def served(self, now_s: float) -> bool:
        """Say whether a quarantine is over."""
        return now_s >= self._until_s

    def forgive(self) -> None:
        """Begin to count anew."""
        self._at_s.clear()
