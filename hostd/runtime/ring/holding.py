"""Runs that cannot be read, or that a mistake of ours happened to: they are held until somebody mends what is wrong."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import Any

from hostd.aio import Clock
from hostd.errors.base import HostdError, Kind
from hostd.journal.port import RunUpdate
from hostd.model.states import RunState
from hostd.runtime.ring.doors import DoorItem, WriteItem
from hostd.runtime.ring.ports import Watchers
from hostd.runtime.ring.residence import Residence
from hostd.runtime.ring.timers import Timers
from hostd.runtime.ring.turn import Turn

_log = logging.getLogger("hostd.runtime")

HOLD_TRIES, HOLD_AGAIN_S = 60, 1.0


class Holding:
    """Takes runs out of memory and notes in their rows that they are held.

    Args:
        enter: puts something on the doors' lane, whether anything can be written now or not.
    """

    def __init__(
        self,
        *,
        residence: Residence,
        timers: Timers,
        clock: Clock,
        watchers: Watchers,
        enter: Callable[[DoorItem], None],
    ) -> None:
        self._residence = residence
        self._timers = timers
        self._clock = clock
        self._watchers = watchers
        self._enter = enter

    def hold(self, key: int, error: HostdError) -> None:
        """Hold a run that cannot be read: nothing moves it until somebody mends the journal or hostd."""
        name = error.details.get("run_id") or self._run_id(key)
        _log.error("run_held run_id=%s run=%d reason=%s message=%s", name, key, error.reason, error.message)
        self._residence.remove(key)
        self._timers.disarm(key)
        self._write_hold(key, error.reason, HOLD_TRIES)

    def _write_hold(self, key: int, reason: str, tries: int) -> None:
        """Note in the run's row that it is held; where that cannot be written now, a few times more."""
        update = RunUpdate(key, int(RunState.HELD), 0, False, reason)

        def fill(turn: Turn) -> None:
            turn.batch.run_updates.append(update)
            turn.when_durable.append(partial(self._watchers.held, key))

        item = WriteItem(fill, asyncio.get_running_loop().create_future(), 0)

        def look(future: asyncio.Future[Any]) -> None:
            if not future.cancelled() and future.exception() is not None and tries:
                asyncio.get_running_loop().call_later(HOLD_AGAIN_S, self._write_hold, key, reason, tries - 1)

        item.future.add_done_callback(look)
        self._enter(item)

    def bug(self, error: BaseException, key: int) -> HostdError:
        """Log a mistake of ours with an id; return what to tell whoever asked."""
        bug_id = f"{self._clock.wall_ms():x}"
        _log.error("bug id=%s run_id=%s run=%d", bug_id, self._run_id(key), key, exc_info=error)
        return HostdError(Kind.BUG, "BUG", f"a mistake of ours; the log has it under {bug_id}", details={"id": bug_id})

    def broke(self, key: int, error: BaseException) -> HostdError:
        """Log a mistake of ours, and hold the run it happened to; key 0: it was none's. Return what to tell."""
        bug = self.bug(error, key)
        if key:
            self.hold(key, bug)
        return bug

    def _run_id(self, key: int) -> str:
        """Return the id of a run in memory; empty for others: the journal must not be read here."""
        resident = self._residence.get(key) if key else None
        return resident.run.run_id if resident is not None else ""
