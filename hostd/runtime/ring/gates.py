"""The gates that attempts of an action pass: its executor's, and its own where it has a limit. They count, no more."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping

from hostd.definition.plan import Plan
from hostd.model.commands import Command, StartAttempt
from hostd.runtime.ring.permits import ABSENT, UNKNOWN, Gate, Gates

LIMITS = {"inline": 1_000, "thread": 32, "lua": 32, "process": 1_000, ABSENT: 0, UNKNOWN: 1_000}
IN_DAEMON = frozenset({"inline", "thread"})

_log = logging.getLogger("hostd.runtime")


class ActionGates:
    """Counts attempts that wait, by executor and action.

    `limited`: the gates of actions that are known to wait; an inline action that has never waited is not among them.

    Args:
        executor_of: the executor of an action that is loaded now.
        limits: attempts that may wait at once, by executor.
        most_of: the same for one action, where it sets `max_in_flight`; None for no limit of its own.
    """

    def __init__(
        self,
        executor_of: Callable[[str], str],
        limits: Mapping[str, int],
        most_of: Callable[[str], int | None],
    ) -> None:
        self.limited: dict[str, Gates] = {}
        self._executor_of = executor_of
        self._most_of = most_of
        self._executors = {name: Gate(limit) for name, limit in {**LIMITS, **limits}.items()}
        self._known: dict[str, Gates] = {}
        self._reserved: set[Gate] = set()

    def of(self, action: str) -> Gates:
        """Return an action's gates."""
        gates = self._known.get(action)
        if gates is None:
            name = self._executor_of(action)
            if name == ABSENT:
                text = "action_absent action=%s message=%s"
                _log.warning(text, action, "steps that use it wait until it is loaded")
            executor = self._executors.setdefault(name, Gate(1))
            most = self._most_of(action)
            gates = self._known[action] = (executor,) if most is None else (executor, Gate(most))
        return gates

    def is_absent(self, action: str) -> bool:
        """Say whether steps wait for an action that is not loaded."""
        return self._executor_of(action) == ABSENT

    def limit(self, actions: Iterable[str]) -> None:
        """Limit from the first attempt on what is known to wait: actions of other executors, or with a limit."""
        for action in actions:
            if self._executor_of(action) != "inline" or self._most_of(action) is not None:
                self.limited[action] = self.of(action)

    def change(self, limits: Mapping[str, int]) -> None:
        """Let another number of attempts of an executor wait at once; those that wait already stay."""
        for name, limit in limits.items():
            self._executors.setdefault(name, Gate(limit)).limit = limit

    def arrived(self, action: str) -> bool:
        """Look anew at an action that was not loaded; say whether it was one."""
        if self._known.get(action, (None,))[0] not in (self._executors[ABSENT], self._executors[UNKNOWN]):
            return False
        del self._known[action]
        self.limited.pop(action, None)
        self.limit([action])
        return True

    def use(self) -> dict[str, tuple[int, int]]:
        """Return of each executor how many of its permits are taken, and how many there are."""
        gates = self._executors.items()
        return {name: (gate.taken, gate.limit) for name, gate in gates if name not in (ABSENT, UNKNOWN)}

    def taken_in_daemon(self) -> int:
        """Return how many attempts wait that could take the daemon with them."""
        return sum(self._executors[name].taken for name in IN_DAEMON)

    # -- attempts

    def reserve_all(self, plan: Plan, commands: list[Command]) -> None:
        """Count attempts that this turn starts against what is free in it."""
        if not self.limited:
            return
        for command in commands:
            if type(command) is StartAttempt:
                self.reserve(plan.steps[command.step].uses)

    def reserve(self, action: str) -> None:
        """Count one attempt of an action."""
        for gate in self.limited.get(action, ()):
            gate.reserved += 1
            self._reserved.add(gate)

    def unreserve(self) -> None:
        """Nothing is reserved any more: what did not begin to wait by now takes no place."""
        for gate in self._reserved:
            gate.reserved = 0
        self._reserved.clear()

    def take(self, action: str) -> None:
        """An attempt has begun to wait: from now on its action is limited."""
        gates = self.limited.get(action)
        if gates is None:
            gates = self.limited[action] = self.of(action)
        for gate in gates:
            gate.taken += 1
            gate.reserved = max(0, gate.reserved - 1)

    def free(self, action: str) -> None:
        """An attempt that waited has ended."""
        for gate in self.of(action):
            gate.taken -= 1
