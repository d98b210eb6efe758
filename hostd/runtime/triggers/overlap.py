"""What an event does while a run is open that its trigger started: start beside it, skip, wait, or cancel it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from hostd.errors.base import HostdError
from hostd.journal.port import Journal, RunQuery, RunRow
from hostd.model.filters import And, Compare
from hostd.model.ids import text_id
from hostd.model.messages import Cancel
from hostd.model.states import RunState
from hostd.plugin import Event
from hostd.runtime.ring.engine_loop import EngineLoop
from hostd.runtime.ring.intake import Started
from hostd.runtime.ring.readers import Readers
from hostd.runtime.ring.turn import Turn
from hostd.runtime.runs.watch import Hub

OPEN_RUNS_MAX = 1_000
CANCELED_BY = "the next event of the trigger {} came"

Place = tuple[str, str, str]  # namespace, workflow, trigger


class _Open(NamedTuple):
    """An open run: `end` is done once its end is durable."""

    run_id: str
    end: asyncio.Future[None]


class Overlaps:
    """Knows the open runs of each trigger whose events ask: read from the journal once, followed from then on.

    A run that is HELD counts as ended: nothing but a repair would ever move it, and its trigger along with it.
    """

    def __init__(self, *, loop: EngineLoop, journal: Journal, readers: Readers, hub: Hub) -> None:
        self._loop = loop
        self._journal = journal
        self._readers = readers
        self._hub = hub
        self._open: dict[Place, dict[int, _Open]] = {}  # by the journal's integer of the run

    async def ready(self, place: Place, events: Sequence[Event]) -> None:
        """Return when these events may be decided about: open runs have ended (`queue`), or are told to end.

        Raises:
            ValueError: several events at once, where each may have to wait for the one before it.
        """
        asked = {event.overlap for event in events}
        if asked <= {"allow"}:
            return
        if len(events) > 1 and asked & {"queue", "cancel_running"}:
            raise ValueError("emit events with the overlap queue or cancel_running one at a time")
        if place not in self._open:
            await self._learn(place)
        if "cancel_running" in asked:
            await self._cancel(place)
        while "queue" in asked and (runs := self._open_runs(place)):
            await asyncio.wait([run.end for run in runs])

    def in_the_way(self, place: Place, event: Event) -> tuple[str, ...]:
        """Return the open runs that keep an event from starting one, none where it may. For the turn that decides."""
        if event.overlap not in ("skip", "queue"):
            return ()
        return tuple(run.run_id for run in self._open_runs(place))

    def started(self, turn: Turn, place: Place, run: Started) -> None:
        """Take note of a run that this turn starts."""
        runs = self._open.get(place)
        if runs is None or run.existing:
            return
        self._follow(runs, run.key, run.run_id)
        turn.when_failed.append(partial(self._never_began, runs, run.key))

    # -- learning

    async def _learn(self, place: Place) -> None:
        rows = await self._readers.call(self._read, place)
        runs: dict[int, _Open] = {}
        for row in rows:
            self._follow(runs, row.run, text_id(row.run_id))
        for row in await self._readers.call(self._again, list(runs)):  # some ended while nobody listened
            if not _is_open(row.state):
                self._never_began(runs, row.run)
        self._open.setdefault(place, runs)

    def _read(self, place: Place) -> list[RunRow]:
        return self._journal.query_runs(open_runs(place))

    def _again(self, keys: list[int]) -> list[RunRow]:
        rows = (self._journal.run_row(key) for key in keys)
        return [row for row in rows if row is not None]

    # -- following

    def _follow(self, runs: dict[int, _Open], key: int, run_id: str) -> None:
        end = self._hub.end_of(key)
        runs[key] = _Open(run_id, end)

        def ended(future: asyncio.Future[None]) -> None:
            if not future.cancelled() and future.exception() is None:
                runs.pop(key, None)

        end.add_done_callback(ended)

    def _never_began(self, runs: dict[int, _Open], key: int) -> None:
        run = runs.pop(key, None)
        if run is not None:
            self._hub.forget_end(key, run.end)

    def _open_runs(self, place: Place) -> list[_Open]:
        """Return the open runs. Raises HostdError DRAINING where the daemon stops."""
        found = []
        for run in self._open.get(place, {}).values():
            if run.end.done():
                run.end.result()  # it has ended; raises where the daemon stops and nobody can tell
            else:
                found.append(run)
        return found

    # -- steering

    async def _cancel(self, place: Place) -> None:
        for key in list(self._open[place]):
            try:
                await self._loop.ask(key, Cancel(CANCELED_BY.format(place[2])), f"trigger:{place[1]}/{place[2]}")
            except HostdError as error:
                if error.reason != "RUN_MISSING":  # it ended just now
                    raise


def open_runs(place: Place) -> RunQuery:
    """Return what finds the open runs of a trigger."""
    namespace, workflow, trigger = place
    terms = (
        Compare("workflow", "=", workflow),
        Compare("trigger", "=", trigger),
        Compare("state", "<", int(RunState.HELD)),
    )
    return RunQuery(namespace, filter=And(terms), limit=OPEN_RUNS_MAX)


def _is_open(state: int) -> bool:
    return state < RunState.HELD
