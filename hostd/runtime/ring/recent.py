"""What was done a moment ago, for repeats that come before the journal can be asked."""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

from hostd.runtime.ring.turn import Turn

RECENT_MAX = 100_000
K = TypeVar("K")
V = TypeVar("V")


class Recent(Generic[K, V]):
    """Remembers the newest; the oldest go. What a turn did that was not written is forgotten."""

    def __init__(self) -> None:
        self._kept: OrderedDict[K, V] = OrderedDict()

    def get(self, name: K) -> V | None:
        """Return what was remembered, None where nothing was."""
        return self._kept.get(name)

    def remember(self, turn: Turn, name: K, value: V) -> None:
        """Remember what this turn does."""
        self._kept[name] = value
        turn.when_failed.append(lambda: self._kept.pop(name, None))
        while len(self._kept) > RECENT_MAX:
            self._kept.popitem(last=False)
