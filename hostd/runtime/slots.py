"""Who may start an attempt now: limits on attempts that wait, per executor, and the rule that a suspect runs alone."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping

from hostd.definition.plan import Plan
from hostd.model.commands import Command, StartAttempt

LIMITS = {"inline": 1_000, "thread": 32, "lua": 32}
IN_DAEMON = frozenset({"inline", "thread"})
ALONE_S = 30.0


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


_NONE_FREE = _NoneFree()


class Slots:
    """Counts attempts that wait (one driven to its end at once takes no slot) and keeps READY steps in order.

    An action that has never waited is not limited: `permits` leaves it out.
    """

    def __init__(self, executor_of: Callable[[str], str], limits: Mapping[str, int] | None = None) -> None:
        self._executor_of = executor_of
        self._limits = {**LIMITS, **(limits or {})}
        self._taken: dict[str, int] = dict.fromkeys(self._limits, 0)
        self._waited: dict[str, str] = {}  # action -> executor, of actions that were seen to wait
        self._free: dict[str, int] = {}
        self._asking: dict[str, deque[tuple[int, int]]] = {}
        self._suspects: deque[tuple[int, int]] = deque()
        self._alone: tuple[int, int] | None = None
        self._hold = False
        self.tell: Callable[[int, int, bool], None] | None = None  # (run, step, alone)

    def permits(self) -> Mapping[str, int]:
        """Return how many more attempts of each limited action may start in this turn."""
        if self._hold or self._suspects or self._alone is not None:
            return _NONE_FREE
        if not self._waited:
            return self._free
        taken, limits = self._taken, self._limits
        self._free = {
            action: max(0, limits.get(executor, 1) - taken.get(executor, 0))
            for action, executor in self._waited.items()
        }
        return self._free

    def reserve(self, plan: Plan, commands: list[Command]) -> None:
        """Count attempts that this turn starts against what is free in it."""
        free = self._free
        if not free:
            return
        for command in commands:
            if type(command) is StartAttempt:
                action = plan.steps[command.step].uses
                if action in free:
                    free[action] -= 1

    def waits(self, action: str, executor: str) -> None:
        """An attempt of the action has begun to wait."""
        self._waited.setdefault(action, executor)
        self._taken[executor] = self._taken.get(executor, 0) + 1

    def ended(self, executor: str) -> None:
        """An attempt that waited has ended: the next READY step may start."""
        self._taken[executor] -= 1
        self._offer(executor)
        self._offer_alone()

    def passed(self, executor: str) -> None:
        """An attempt ended without waiting: the next READY step may start."""
        if self._asking:
            self._offer(executor)
        if self._suspects:
            self._offer_alone()

    def unused(self, *, alone: bool) -> None:
        """A step that was told to start did not (it has ended meanwhile, or its run is paused): the next one may."""
        if alone:
            self.alone_ended()
        else:
            self._offer_all()

    def ask(self, run: int, step: int, action: str, *, alone: bool) -> None:
        """Remember a READY step; it is told when it may start."""
        if alone:
            self._suspects.append((run, step))
            self._offer_alone()
            return
        executor = self._waited.get(action) or self._executor_of(action)
        self._asking.setdefault(executor, deque()).append((run, step))
        self._offer(executor)

    def hold(self) -> None:
        """Let nothing start until `release`: recovery decides about all lost attempts first."""
        self._hold = True

    def release(self) -> None:
        """Suspects go first, one after another; then the others."""
        self._hold = False
        self._offer_alone()
        self._offer_all()

    def is_alone(self, run: int, step: int) -> bool:
        """Say whether this attempt has the daemon to itself."""
        return self._alone == (run, step)

    def alone_ended(self) -> None:
        """The suspect survived, or its time alone is over."""
        self._alone = None
        self._offer_alone()
        self._offer_all()

    def _offer_all(self) -> None:
        for executor in list(self._asking):
            self._offer(executor)

    def _offer_alone(self) -> None:
        if self._hold or self._alone is not None or not self._suspects or self.tell is None:
            return
        if any(self._taken.get(executor, 0) for executor in IN_DAEMON):
            return
        self._alone = self._suspects.popleft()
        self.tell(*self._alone, True)

    def _offer(self, executor: str) -> None:
        if self._hold or self._suspects or self._alone is not None or self.tell is None:
            return
        asking = self._asking.get(executor)
        if not asking:
            return
        free = self._limits.get(executor, 1) - self._taken.get(executor, 0)
        while asking and free > 0:
            run, step = asking.popleft()
            self.tell(run, step, False)
            free -= 1

    def give_back(self, plan: Plan, commands: list[Command]) -> None:
        """A turn was not written: what it had reserved is counted anew in the next."""
        self._free = {}
