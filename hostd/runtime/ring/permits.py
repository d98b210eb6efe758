"""How many more attempts of an action may start: gates with their counts, and what a turn asks of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from hostd.model.fair_line import Rounds

ABSENT = "absent"
"""The executor of actions that are not loaded, where their steps wait for them."""

UNKNOWN = "unknown"
"""The executor of actions that are not loaded, and that nobody is going to bring: their attempts fail at once."""


class _NoneFree(Mapping[str, int]):
    """While a suspect runs alone nothing else starts."""

    def __getitem__(self, key: str) -> int:
        return 0

    def get(self, key: str, default: object = None) -> int:
        """Return 0 whatever is asked for."""
        return 0

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


NONE_FREE = _NoneFree()


class Gate:
    """One limit: of an executor, or of one action."""

    __slots__ = ("limit", "reserved", "rounds", "taken", "told")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.rounds = Rounds()
        self.taken = 0  # attempts that wait
        self.told = 0  # steps that may start and have not been heard from
        self.reserved = 0  # attempts this turn starts

    @property
    def room(self) -> int:
        """How many more may start."""
        return self.limit - self.taken - self.told - self.reserved


Gates = tuple[Gate, ...]


class Permits(Mapping[str, int]):
    """How many attempts of each limited action may start, looked up when asked: a turn asks for few of many."""

    def __init__(self, limited: Mapping[str, Gates]) -> None:
        self._limited = limited

    def __getitem__(self, action: str) -> int:
        return room_of(self._limited[action])

    def get(self, action: str, default: Any = None) -> Any:
        """Return how many more, the default for an action that is not limited."""
        gates = self._limited.get(action)
        return default if gates is None else room_of(gates)

    def __iter__(self) -> Iterator[str]:
        return iter(self._limited)

    def __len__(self) -> int:
        return len(self._limited)


class PatientPermits(Permits):
    """The same, with none for actions that are not loaded: their steps wait for them."""

    def __init__(self, limited: Mapping[str, Gates], executor_of: Callable[[str], str]) -> None:
        super().__init__(limited)
        self._executor_of = executor_of

    def get(self, action: str, default: Any = None) -> Any:
        """Return how many more, 0 for an action that is not loaded."""
        gates = self._limited.get(action)
        if gates is not None:
            return room_of(gates)
        return 0 if self._executor_of(action) == ABSENT else default


class Granted(Permits):
    """The same, with a permit for one attempt more of an action: its step was told that it may start."""

    def __init__(self, permits: Permits, action: str) -> None:
        super().__init__(permits._limited)
        self._permits = permits
        self._action = action

    def __getitem__(self, action: str) -> int:
        return 1 if action == self._action else super().__getitem__(action)

    def get(self, action: str, default: Any = None) -> Any:
        """Return how many more, the default for an action that is not limited."""
        return 1 if action == self._action else self._permits.get(action, default)


def room_of(gates: Gates) -> int:
    """Return how many more may start where all of the gates are passed."""
    return max(0, min(gate.room for gate in gates))
