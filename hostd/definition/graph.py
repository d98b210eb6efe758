"""What steps need: order, ancestors and circles. Pure functions over positions; no recursion, any size."""

from __future__ import annotations

import heapq
from collections.abc import Sequence


def ancestors(needs: Sequence[Sequence[int]]) -> list[int]:
    """Return a bit set of ancestors for each position (Kahn's algorithm); in and below a circle every bit is set."""
    waiting = [len(before) for before in needs]
    after = dependents(needs)
    above = [0] * len(needs)
    ready = [position for position, count in enumerate(waiting) if not count]
    while ready:
        position = ready.pop()
        for later in after[position]:
            above[later] |= above[position] | 1 << position
            waiting[later] -= 1
            if not waiting[later]:
                ready.append(later)
    return [(1 << len(needs)) - 1 if waiting[position] else bits for position, bits in enumerate(above)]


def order(needs: Sequence[Sequence[int]], names: Sequence[str]) -> list[int]:
    """Return positions so that each comes behind its needs, the smallest name first where several could come.

    What comes out does not depend on what order the positions had. There must be no circle.
    """
    waiting = [len(before) for before in needs]
    after = dependents(needs)
    ready = [(names[position], position) for position, count in enumerate(waiting) if not count]
    heapq.heapify(ready)
    found: list[int] = []
    while ready:
        _, position = heapq.heappop(ready)
        found.append(position)
        for later in after[position]:
            waiting[later] -= 1
            if not waiting[later]:
                heapq.heappush(ready, (names[later], later))
    return found


def dependents(needs: Sequence[Sequence[int]]) -> list[list[int]]:
    """Return who needs each position, in document order."""
    after: list[list[int]] = [[] for _ in needs]
    for position, before in enumerate(needs):
        for need in before:
            after[need].append(position)
    return after


def cycles(needs: Sequence[Sequence[int]]) -> list[list[int]]:
    """Return circles, each as the path of needs from its first step back to it.

    Empty when there is none; where circles share a need, one of them stands for all.
    """
    found: list[list[int]] = []
    color = [0] * len(needs)  # 0 = not seen, 1 = on the path, 2 = done
    for start in range(len(needs)):
        if color[start] == 0:
            _walk(start, needs, color, found)
    return found


def _walk(start: int, needs: Sequence[Sequence[int]], color: list[int], found: list[list[int]]) -> None:
    path = [start]
    at = [iter(needs[start])]
    color[start] = 1
    while path:
        need = next(at[-1], None)
        if need is None:
            color[path.pop()] = 2
            at.pop()
        elif color[need] == 0:
            color[need] = 1
            path.append(need)
            at.append(iter(needs[need]))
        elif color[need] == 1:
            found.append([*path[path.index(need) :], need])
