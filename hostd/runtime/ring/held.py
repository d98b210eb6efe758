"""Runs that are held: read again at every start and when somebody asks; what can be read goes on where it was.

HELD --read again--> readable: its row says its state, lost attempts are told, READY steps ask, its timer is set
               '---> not: it stays held, with the reason of now
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from functools import partial

from hostd.errors.base import HostdError
from hostd.journal.port import Journal, RunRow, RunUpdate
from hostd.model.states import RunState
from hostd.runtime.ports import Actions
from hostd.runtime.ring.engine_loop import EngineLoop
from hostd.runtime.ring.loading import PASSING
from hostd.runtime.ring.lost_attempts import Lost, look_at_steps
from hostd.runtime.ring.readers import Readers
from hostd.runtime.ring.turn import Resident, Turn

_log = logging.getLogger("hostd.runtime")

PAGE = 500

Note = Callable[[Turn, int], None]
"""Writes a request id beside a release; gets the turn and the run's state."""


class HeldRuns:
    """Lets held runs go, as far as they can be read. Nothing is in memory of a run until its release is durable."""

    def __init__(self, *, loop: EngineLoop, journal: Journal, readers: Readers, actions: Callable[[], Actions]) -> None:
        self._loop = loop
        self._journal = journal
        self._readers = readers
        self._actions = actions
        self._one_at_a_time = asyncio.Lock()

    async def try_all(self, lost: list[Lost]) -> None:
        """Try every held run; what the released ones lost is added to `lost`, for the caller to tell."""
        after, seen, released = 0, 0, 0
        while True:
            rows = await self._readers.call(
                lambda after=after: self._journal.live_runs(after=after, limit=PAGE, states=(RunState.HELD,))
            )
            seen += len(rows)
            try:
                async with self._one_at_a_time:
                    released += await self._try(rows, lost, None)
            except HostdError as error:  # the journal takes nothing now: they stay held until the next try
                _log.warning("held_runs_left count=%d error=%s", len(rows), error)
            if len(rows) < PAGE:
                break
            after = rows[-1].run
        if seen:
            _log.info("held_runs_tried count=%d released=%d", seen, released)

    async def try_again(self, key: int, note: Note | None = None) -> None:
        """Try one run. Returns when it is not held any more.

        Raises:
            HostdError: why it still is; JOURNAL_* when nothing can be written.
        """
        lost: list[Lost] = []
        async with self._one_at_a_time:
            row = await self._readers.call(self._journal.run_row, key)
            if row is None or row.state != RunState.HELD:
                return
            await self._try([row], lost, note, alone=True)
        for entry in lost:
            self._loop.tell(*entry)

    async def _try(self, rows: Sequence[RunRow], lost: list[Lost], note: Note | None, *, alone: bool = False) -> int:
        """Release what can be read; return how many. Raises why a run cannot where it is the only one asked for."""
        readable: list[Resident] = []
        for row, loaded in zip(rows, await self._loop.residence.load_rows(rows), strict=True):
            if not isinstance(loaded, HostdError):
                readable.append(loaded)
                continue
            if loaded.reason != row.reason and loaded.kind not in PASSING:
                self._loop.holding.hold(row.run, loaded)
            if alone:
                raise loaded
        if readable:
            await self._loop.write(lambda turn: self._write(turn, readable, note))
        for resident in readable:
            _log.info("run_released run_id=%s run=%d", resident.run.run_id, resident.key)
            self._loop.timers.arm(resident.key, resident.run.next_due_ms())
            look_at_steps(self._loop, resident, self._actions(), lost)
        return len(readable)

    def _write(self, turn: Turn, readable: list[Resident], note: Note | None) -> None:
        for resident in readable:
            run, key = resident.run, resident.key
            turn.batch.run_updates.append(RunUpdate(key, run.state, run.next_due_ms(), False, run.reason))
            turn.when_durable.append(partial(self._loop.watchers.held, key))
            if note is not None:
                note(turn, run.state)
