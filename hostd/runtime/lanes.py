"""The two ways into the engine loop: doors are bounded and may refuse; inside is bounded by what is in flight."""

from __future__ import annotations

from collections import Counter, deque
from typing import Any

from hostd.errors.base import HostdError, Kind

DOORS_MAX = 10_000
DOORS_BYTES_MAX = 64 * 1024 * 1024


class Lanes:
    """Both queues. Inside is taken first. Doors are bounded by count and by bytes; an empty lane takes any one item."""

    def __init__(self, doors_max: int = DOORS_MAX, doors_bytes_max: int = DOORS_BYTES_MAX) -> None:
        self.inside: deque[Any] = deque()
        self.doors: deque[Any] = deque()
        self.doors_max = doors_max
        self.doors_size = 0
        self.doors_bytes_max = doors_bytes_max
        self.doors_bytes = 0
        self.refused: Counter[str] = Counter()  # requests that did not get in, by reason

    def any_waiting(self) -> bool:
        """Say whether there is anything to take."""
        return bool(self.inside or self.doors)

    def enter(self, item: Any) -> None:
        """Queue a door item. Raises HostdError INTAKE_FULL; nothing is then accepted."""
        if not self.has_room(item.size, item.size_bytes):
            self.refused["INTAKE_FULL"] += item.size
            message = f"{self.doors_size} requests wait already; nothing of this one was accepted"
            raise HostdError(Kind.EXHAUSTED, "INTAKE_FULL", message, retry_after_s=0.1)
        self.doors_size += item.size
        self.doors_bytes += item.size_bytes
        self.doors.append(item)

    def sizes(self) -> dict[tuple[str, ...], float]:
        """Return how much waits in each lane, as a reading with one label."""
        return {("inside",): float(len(self.inside)), ("doors",): float(self.doors_size)}

    def has_room(self, size: int = 1, size_bytes: int = 0) -> bool:
        """Say whether a door item of this size would be accepted now."""
        fits = not self.doors or self.doors_bytes + size_bytes <= self.doors_bytes_max
        return fits and self.doors_size + size <= self.doors_max

    def take_door(self) -> Any:
        """Return the oldest door item."""
        item = self.doors.popleft()
        self.doors_size -= item.size
        self.doors_bytes -= item.size_bytes
        return item

    def drop_doors(self) -> list[Any]:
        """Return and forget all door items."""
        items = list(self.doors)
        self.doors.clear()
        self.doors_size = self.doors_bytes = 0
        return items
