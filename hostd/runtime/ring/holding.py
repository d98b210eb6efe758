"""What the engine loop does about runs that cannot be read or that a mistake of ours happened to: they are held."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import Any

from hostd.aio import Clock
from hostd.errors.base import HostdError, Kind
from hostd.journal.port import RunUpdate
from hostd.model.states import RunState
from hostd.runtime.ring.loop_doors import LoopDoors, WriteItem
from hostd.runtime.ring.turn import Turn

_log = logging.getLogger("hostd.runtime")

HOLD_TRIES, HOLD_AGAIN_S = 60, 1.0


class Holding(LoopDoors):
    """The part of the engine loop for what went wrong."""

    clock: Clock

    def hold(self, key: int, error: HostdError) -> None:
        """Hold a run that cannot be read: nothing moves it until somebody mends the journal or hostd."""
        name = error.details.get("run_id") or self._run_id(key)
        _log.error("run_held run_id=%s run=%d reason=%s message=%s", name, key, error.reason, error.message)
        self.residence.remove(key)
        self.timers.disarm(key)
        self._write_hold(key, error.reason, HOLD_TRIES)

    def _write_hold(self, key: int, reason: str, tries: int) -> None:
        """Note in the run's row that it is held; where that cannot be written now, a few times more."""
        update = RunUpdate(key, int(RunState.HELD), 0, False, reason)

        def fill(turn: Turn) -> None:
            turn.batch.run_updates.append(update)
            if self.watchers is not None:
                turn.when_durable.append(partial(self.watchers.held, key))

        item = WriteItem(fill, asyncio.get_running_loop().create_future(), 0)

        def look(future: asyncio.Future[Any]) -> None:
            if not future.cancelled() and future.exception() is not None and tries:
                asyncio.get_running_loop().call_later(HOLD_AGAIN_S, self._write_hold, key, reason, tries - 1)

        item.future.add_done_callback(look)
        self.lanes.enter(item)
        self._wake()

    def bug(self, error: BaseException, key: int) -> HostdError:
        """Log a mistake of ours with an id; return what to tell whoever asked."""
        bug_id = f"{self.clock.wall_ms():x}"
        _log.error("bug id=%s run_id=%s run=%d", bug_id, self._run_id(key), key, exc_info=error)
        return HostdError(Kind.BUG, "BUG", f"a mistake of ours; the log has it under {bug_id}", details={"id": bug_id})

    def _run_id(self, key: int) -> str:
        """Return the id of a run in memory; empty for others: the journal must not be read here."""
        resident = self.residence.get(key) if key else None
        return resident.run.run_id if resident is not None else ""

    def _broke(self, key: int, error: BaseException) -> HostdError:
        """Log a mistake of ours and hold the run it happened to."""
        bug = self.bug(error, key)
        if key:
            self.hold(key, bug)
        return bug
