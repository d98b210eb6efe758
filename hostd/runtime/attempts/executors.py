"""What runs an action now: an executor, ABSENT where steps wait until it is loaded, UNKNOWN where nobody brings it."""

from __future__ import annotations

from collections.abc import Callable

from hostd.runtime.ports import Loaded
from hostd.runtime.ring.permits import ABSENT, UNKNOWN


class Executors:
    """Of all actions, as the registry says at that moment; remembers what it said of those that are not loaded.

    Args:
        patient: the program that embeds the host may bring any action, whenever it likes.
    """

    def __init__(self, loaded: Callable[[], Loaded], *, patient: bool = False) -> None:
        self._loaded = loaded
        self._patient = patient
        self._said: dict[str, str] = {}

    @property
    def patience(self) -> bool:
        """Whether any action that is not loaded may still come."""
        return self._patient or self._loaded().starting

    def of(self, action: str) -> str:
        """Return the executor of an action."""
        loaded = self._loaded()
        entry = loaded.action(action)
        if entry is not None:
            return entry.executors[0]
        found = self._said[action] = ABSENT if self._patient or loaded.may_come(action) else UNKNOWN
        return found

    def most_of(self, action: str) -> int | None:
        """Return how many attempts of an action may wait at once, None where it sets no limit."""
        entry = self._loaded().action(action)
        return entry.max_in_flight if entry is not None else None

    def changed(self) -> set[str]:
        """Return the actions of which something else was said than is so now: loaded since, awaited, or given up."""
        said, self._said = self._said, {}
        return {action for action, executor in said.items() if self.of(action) != executor}
