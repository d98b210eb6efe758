"""Who may start an attempt now: limits on attempts that wait, workflows in turn; a suspect runs alone.

    fresh start --permits--> reserved --waits--> taken --ended--> free        (passed: it never waited)
    READY step --ask--> queued --told--> heard --started--> reserved          (unused: the next one is told)

Invariants
- While a gate has room, nobody who asks waits at it: what frees a place tells the next in order, at once. The order
  is that of model/fair_line.py: workflows take turns, and within one the first who asked.
- Whoever is told is heard from: a step that did not start gives its place back, whatever became of its run.
- While a suspect runs alone, or recovery decides, nothing else starts.
- Where steps wait for actions that are not loaded (their plugin is starting, or the program that embeds the host may
  bring them), such a step stays READY and asks at a gate without places, until its action arrives or is given up.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterable, Mapping

from hostd.model.fair_line import FairLine
from hostd.runtime.ring.gates import ActionGates
from hostd.runtime.ring.permits import NONE_FREE, Gates, Granted, PatientPermits, Permits, room_of

ALONE_S = 30.0

Place = tuple[int, int]  # run, step


class Slots:
    """Keeps READY steps in order, and tells each when its gates have room.

    `gates` count attempts that wait; one driven to its end at once takes no place.

    Args:
        executor_of, limits, most_of: see ActionGates.
        patient: steps wait for actions that are not loaded and that `executor_of` calls ABSENT.
    """

    def __init__(
        self,
        executor_of: Callable[[str], str],
        limits: Mapping[str, int] | None = None,
        most_of: Callable[[str], int | None] = lambda action: None,
        *,
        patient: bool = False,
    ) -> None:
        self.gates = gates = ActionGates(executor_of, limits or {}, most_of)
        self._plain, self._careful = Permits(gates.limited), PatientPermits(gates.limited, executor_of)
        self._permits = self._careful if patient else self._plain
        self._asking: dict[str, FairLine[Place]] = {}  # by action; the executor's rounds keep order across actions
        self._queued: dict[Place, int] = {}  # since when, in the order of asking
        self._told: dict[Place, Gates] = {}
        self._suspects: deque[Place] = deque()
        self._far_suspects: dict[str, list[Place]] = {}  # by action, while that is not loaded
        self._alone: Place | None = None
        self._outlived: set[Place] = set()  # suspects that outlived their time alone and still wait
        self._hold = False
        self.tell: Callable[[int, int, bool], None] | None = None  # (run, step, alone)

    def be_patient(self, patient: bool) -> None:
        """Look, from the next turn on, whether an action is loaded before it may start. False: none is on its way."""
        self._permits = self._careful if patient else self._plain

    def change(self, limits: Mapping[str, int]) -> None:
        """Let another number of attempts of an executor wait at once; those that wait already stay."""
        self.gates.change(limits)
        self._offer()

    def arrived(self, actions: Iterable[str]) -> None:
        """Actions were loaded, or nobody brings them any more: steps that waited for them take their turns."""
        for action in actions:
            self._suspects.extend(self._far_suspects.pop(action, ()))
            waiting = self._asking.pop(action, None) if self.gates.arrived(action) else None
            if waiting is not None:
                line = self._line_of(action)
                while waiting:
                    line.add(action, waiting.take())
        self._offer_alone()
        self._offer()

    # -- fresh starts

    @property
    def _closed(self) -> bool:
        return self._hold or self._alone is not None

    def permits(self) -> Mapping[str, int]:
        """Return how many more attempts of each limited action may start in the turn that begins now.

        The answer keeps up with what the turn reserves.
        """
        self.gates.unreserve()
        if self._asking:
            self._offer()
        return NONE_FREE if self._closed or self._suspects else self._permits

    def granted(self, permits: Mapping[str, int], action: str) -> Mapping[str, int]:
        """Return the permits for deciding a step that was told it may start."""
        return permits if self._closed else Granted(self._permits, action)

    def give_back(self) -> None:
        """A turn was not written: nothing that it reserved starts."""
        self.gates.unreserve()
        self._offer()
        self._offer_alone()

    # -- attempts

    def ended(self, run: int, step: int, action: str) -> None:
        """An attempt that waited has ended: the next READY step may start."""
        self.gates.free(action)
        self._outlived.discard((run, step))
        self._over(run, step)

    def passed(self, run: int, step: int, action: str) -> None:
        """An attempt ended without waiting: the next READY step may start."""
        for gate in self.gates.limited.get(action, ()):
            gate.reserved = max(0, gate.reserved - 1)
        if self._asking or self._suspects or self._alone is not None:
            self._over(run, step)

    def _over(self, run: int, step: int) -> None:
        if self._alone == (run, step):
            self._alone = None
        self._offer_alone()
        self._offer()

    # -- asking

    def ask(self, run: int, step: int, action: str, *, alone: bool, share: Hashable = "", since_ms: int = 0) -> None:
        """Remember a READY step; it is told when it may start. Asking again while waiting changes nothing.

        Args:
            share: whose turn it takes: namespace and workflow.
            since_ms: since when it is ready.
        """
        place = (run, step)
        if place in self._queued or place in self._told:
            return
        self._queued[place] = since_ms
        if alone and self.gates.is_absent(action):
            self._far_suspects.setdefault(action, []).append(place)
            return
        if alone:
            self._suspects.append(place)
            self._offer_alone()
            return
        line = self._asking.get(action)
        if line is None:
            line = self._line_of(action)
        line.add(share, place)
        self._offer()

    def _line_of(self, action: str) -> FairLine[Place]:
        line = self._asking[action] = FairLine(self.gates.of(action)[0].rounds)
        return line

    def heard(self, run: int, step: int, *, alone: bool, started: bool) -> None:
        """A step that was told has been decided about: it starts, or it did not want to any more."""
        for gate in self._told.pop((run, step), ()):
            gate.told -= 1
        if started:
            return
        if alone and self._alone == (run, step):
            self._alone = None
            self._offer_alone()
        self._offer()

    def waiting(self) -> int:
        """Return how many steps ask."""
        return len(self._queued)

    def oldest_ms(self) -> int:
        """Return since when the step waits that asked first, 0 where none asks."""
        return next(iter(self._queued.values()), 0)

    def hold(self) -> None:
        """Let nothing start until `release`: recovery decides about all lost attempts first."""
        self._hold = True

    def release(self) -> None:
        """Suspects go first, one after another; then the others."""
        self._hold = False
        self._offer_alone()
        self._offer()

    def outlived(self, run: int, step: int) -> None:
        """A suspect still runs when its time alone is over: it has shown that it does not kill at once."""
        if self._alone == (run, step):
            self._alone = None
            self._outlived.add((run, step))
            self._offer_alone()
            self._offer()

    def _offer_alone(self) -> None:
        if self._closed or not self._suspects or self._told or self.tell is None:
            return
        if self.gates.taken_in_daemon() > len(self._outlived):
            return
        self._alone = self._suspects.popleft()
        self._queued.pop(self._alone, None)
        self.tell(*self._alone, True)

    def _offer(self) -> None:
        if not self._asking or self._closed or self._suspects or self.tell is None:
            return
        while (action := self._next_action()) is not None:
            waiting = self._asking[action]
            place = waiting.take()
            if not waiting:
                del self._asking[action]
            self._queued.pop(place, None)
            gates = self._told[place] = self.gates.of(action)
            for gate in gates:
                gate.told += 1
            self.tell(*place, False)

    def _next_action(self) -> str | None:
        """Return the action whose next ask comes first of all that have room."""
        found, first = None, (0, 0)
        for action, waiting in self._asking.items():
            turn = waiting.next_turn
            if (found is None or turn < first) and room_of(self.gates.of(action)) > 0:
                found, first = action, turn
        return found
