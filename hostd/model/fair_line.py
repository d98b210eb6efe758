"""Who is next: shares take turns, and within a share the first who asked.

    asks:    a1 a2 a3 a4 .. b1 c1 b2      ->   served:  a1 b1 c1 a2 b2 a3 a4

Start-time fair queuing with equal shares: each ask gets the round in which its share's turn comes. A share that just
came begins in the round that is served now, so it waits for one turn of each other share at most, however many asks
those have; one that comes back does not overtake who has waited since.
"""

from __future__ import annotations

from collections.abc import Hashable
from heapq import heapify, heappop, heappush
from typing import Generic, TypeVar

T = TypeVar("T")

Turn = tuple[int, int]
"""Round and ticket: the smaller comes first."""

_KEPT_SHARES = 1_000


class Rounds:
    """Gives asks their turns. Lines that wait for the same thing share one."""

    __slots__ = ("_forget_at", "_now", "_shares", "_ticket")

    def __init__(self) -> None:
        self._now = 0  # the round that is served
        self._ticket = 0
        self._forget_at = _KEPT_SHARES
        self._shares: dict[Hashable, int] = {}  # the round of each share's next ask

    def turn(self, share: Hashable) -> Turn:
        """Return the turn of a new ask."""
        at = max(self._now, self._shares.get(share, 0))
        self._shares[share] = at + 1
        self._ticket += 1
        if len(self._shares) > self._forget_at:
            self._forget()
        return at, self._ticket

    def served(self, turn: Turn) -> None:
        """An ask is served: its round is the one of now."""
        self._now = max(self._now, turn[0])

    def _forget(self) -> None:
        """Forget shares that would begin now or next in any case. The others have an ask in line: what is kept is
        bounded by what waits."""
        self._shares = {share: at for share, at in self._shares.items() if at > self._now + 1}
        self._forget_at = max(_KEPT_SHARES, 2 * len(self._shares))


class FairLine(Generic[T]):
    """Items that wait, the next one first. Taking and adding cost the logarithm of its length."""

    __slots__ = ("_heap", "_rounds")

    def __init__(self, rounds: Rounds | None = None) -> None:
        self._rounds = rounds or Rounds()
        self._heap: list[tuple[Turn, T]] = []

    def __len__(self) -> int:
        return len(self._heap)

    @property
    def next_turn(self) -> Turn:
        """The turn of the next item; there is one."""
        return self._heap[0][0]

    def add(self, share: Hashable, item: T) -> None:
        """Put an item in line."""
        heappush(self._heap, (self._rounds.turn(share), item))

    def take(self) -> T:
        """Return the next item, out of the line now. Raises IndexError where nothing waits."""
        turn, item = heappop(self._heap)
        self._rounds.served(turn)
        return item

    def remove(self, item: T) -> bool:
        """Take an item out of the line wherever it stands; say whether it stood there. Costs its length."""
        left = [entry for entry in self._heap if entry[1] is not item]
        if len(left) == len(self._heap):
            return False
        heapify(left)
        self._heap = left
        return True
