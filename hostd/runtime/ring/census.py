"""How many runs there are in each state, and how many timers: counted once from the journal, kept up turn by turn.

Counting looks at every open run, so it happens beside the loop while turns go on. A turn that the count saw is told by
its position. Runs that are held or let go change without records: they are rare, and then all is counted again.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter

from hostd.aio import Clock, spawn
from hostd.errors.base import HostdError
from hostd.journal.port import Journal
from hostd.model.states import RunState, run_is_final
from hostd.runtime.ring.readers import Readers
from hostd.runtime.ring.turn import TIMED, Change

RECOUNT_S = 10.0
_log = logging.getLogger("hostd.runtime")
_OPEN = tuple(state for state in RunState if not run_is_final(state))


class Census:
    """Counts open runs. `move` on the loop, with each durable turn."""

    def __init__(self, *, journal: Journal, readers: Readers, clock: Clock) -> None:
        self._journal = journal
        self._readers = readers
        self._clock = clock
        self._counts: Counter[int] | None = None  # by state, with TIMED where there is a timer; None: not counted yet
        self._moves: list[tuple[int, Counter[int]]] | None = None  # since the count under way began, by position
        self._counted_to = 0  # the count saw what lies before this position
        self._again = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to count."""
        self._again.set()
        self._task = spawn(self._count_on(), name="run-census")

    def stop(self) -> None:
        """Count no more."""
        if self._task is not None:
            self._task.cancel()

    def recount(self) -> None:
        """Count everything again, soon: something changed that no record tells of."""
        self._again.set()

    def move(self, first_pos: int, changes: list[Change]) -> None:
        """Take a durable turn in."""
        moved: Counter[int] | None = None
        for change in changes:
            resident = change.resident
            state = change.run.state
            now = state | TIMED if resident.due_at_ms else state
            before = resident.counted
            if now != before:
                resident.counted = now
                if moved is None:
                    moved = Counter()
                moved[before] -= 1
                moved[now] += 1
        if moved is None:
            return
        if self._counts is not None and first_pos >= self._counted_to:
            _add(self._counts, moved)
        if self._moves is not None:
            self._moves.append((first_pos, moved))

    async def _count_on(self) -> None:
        while True:
            await self._again.wait()
            self._again.clear()
            try:
                await self.count()
            except HostdError as error:
                _log.warning("runs_not_counted error=%s", error)
            await self._clock.sleep(RECOUNT_S)

    async def count(self) -> None:
        """Count now; one at a time. Raises HostdError where the journal cannot be read."""
        moves: list[tuple[int, Counter[int]]] = []
        self._moves = moves
        try:
            found = await self._readers.call(self._journal.open_counts)
        finally:
            self._moves = None
        counts = Counter({state | TIMED * due: count for (state, due), count in found.runs.items()})
        for first_pos, moved in moves:
            if first_pos >= found.next_pos:
                _add(counts, moved)
        self._counts, self._counted_to = counts, found.next_pos

    def states(self) -> dict[tuple[str, ...], float]:
        """Return how many runs are in each state that is not final; nothing before they were counted."""
        counts = self._counts
        if counts is None:
            return {}
        return {(state.name,): float(max(0, counts[state] + counts[state | TIMED])) for state in _OPEN}

    def timers(self) -> dict[tuple[str, ...], float]:
        """Return how many runs wait for a time."""
        counts = self._counts
        return {(): float(max(0, sum(counts[state | TIMED] for state in _OPEN)))} if counts is not None else {}


def _add(counts: Counter[int], moved: Counter[int]) -> None:
    """Add changes, which may be negative; `Counter.update` does that, `+` would not."""
    counts.update(moved)
