"""Intake: starts that come through a door. Checks, a look at what is there, then one turn of the engine loop."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec

from hostd.errors.base import HostdError, Kind
from hostd.journal.port import Journal, RequestId, RunRow
from hostd.model.ids import stored_id, text_id
from hostd.model.messages import Terminate
from hostd.model.states import RunState, run_is_final
from hostd.runtime.ring.engine_loop import EngineLoop
from hostd.runtime.ring.readers import Readers
from hostd.runtime.ring.recent import Recent
from hostd.runtime.ring.seen import REPLACED, START_VERB, Asking, Look, LookAgain, Seen, name_of
from hostd.runtime.ring.starts import Prepared
from hostd.runtime.ring.turn import Answer, Resident, Turn


class Started(msgspec.Struct, frozen=True, gc=False):
    """What became of a start: a new run, or one that was there (`existing`). `key` is the journal's integer."""

    run_id: str
    key: int
    existing: bool = False
    version: str = ""


class _StartItem:
    """Prepared starts on the doors' lane; answers with one Started or HostdError each, in order."""

    patient = False

    def __init__(self, intake: Intake, starts: Sequence[Prepared], seen: Seen) -> None:
        self.size = len(starts)
        self.size_bytes = sum(start.size_bytes for start in starts)
        self.future: asyncio.Future[list[Started | HostdError | LookAgain]] = asyncio.get_running_loop().create_future()
        self._intake = intake
        self._starts = starts
        self._seen = seen

    def enter(self, turn: Turn) -> None:
        """Start each; a refused one refuses only itself."""
        results: list[Started | HostdError | LookAgain] = []
        for start in self._starts:
            try:
                results.append(self._intake.start_in(turn, start, self._seen))
            except (HostdError, LookAgain) as error:
                results.append(error)
        turn.answers.append(Answer(self.future, results))


class Intake:
    """Where starts are let in."""

    def __init__(self, *, loop: EngineLoop, journal: Journal, readers: Readers) -> None:
        self.draining = False
        self.look = Look(loop=loop, journal=journal, readers=readers)
        self.recent_events: Recent[tuple[str, str, str], tuple[str, ...]] = Recent()  # runs by namespace, scope, id
        self._loop = loop
        self._recent_ids: Recent[tuple[str, str], tuple[bytes, Started]] = Recent()  # by namespace and request id
        self._recent_keys: Recent[tuple[str, str, str], tuple[int, str, int]] = Recent()  # run, its id, the turn

    async def start(self, starts: Sequence[Prepared]) -> list[Started | HostdError]:
        """Start runs; answers, once durable, with one result each in order.

        Raises:
            HostdError: INTAKE_FULL, DRAINING, JOURNAL_*: nothing at all was accepted.
        """
        self.refuse_draining(len(starts))
        results = await self._enter(starts)
        while again := [place for place, result in enumerate(results) if isinstance(result, LookAgain)]:
            for place, result in zip(again, await self._enter([starts[place] for place in again]), strict=True):
                results[place] = result
        return results  # type: ignore[return-value]

    def refuse_draining(self, count: int) -> None:
        """Raise HostdError DRAINING while the daemon stops."""
        if self.draining:
            self._loop.lanes.refused["DRAINING"] += count
            raise HostdError(Kind.UNAVAILABLE, "DRAINING", "the daemon is stopping", retry_after_s=2.0)

    async def _enter(self, starts: Sequence[Prepared]) -> list[Started | HostdError | LookAgain]:
        item = _StartItem(self, starts, await self.look(starts))
        self._loop.enter(item)
        return await item.future

    def start_in(self, turn: Turn, start: Prepared, seen: Seen) -> Started:
        """Start one run inside a turn, or answer with the one that is there.

        Raises:
            HostdError: REQUEST_ID_CONFLICT, RUN_OPEN, RUN_CLOSED_EXISTS, EXPRESSION_FAILED of `vars`, SIGNAL_* of the
                signal it comes with.
        """
        first = self.first_answer(start, seen)
        if first is not None:
            return first
        if start.key:
            if self.is_stale(start, seen):
                raise LookAgain
            existing = self._open_run(turn, start, seen)
            if existing is not None:
                return existing
            self._refuse_closed(start, seen)
        resident = self._loop.decisions.begin_run(
            turn, namespace=start.namespace, plan=start.plan, message=start.message, principal=start.principal
        )
        result = Started(start.run_id, resident.key, False, start.plan.version)
        self.remember_id(turn, start, result)
        self._remember_key(turn, start, result)
        return result

    def is_stale(self, start: Asking, seen: Seen) -> bool:
        """Say whether a run of the key began after the journal was looked at and has left memory, ended or not."""
        recent = self._recent_keys.get(name_of(start)) if start.key else None
        return recent is not None and recent[2] > seen.turns and self._loop.residence.get(recent[0]) is None

    def first_answer(self, start: Asking, seen: Seen) -> Started | None:
        """Return what a repeated request id was answered with first. Raises HostdError REQUEST_ID_CONFLICT."""
        if not start.request_id:
            return None
        recent = self._recent_ids.get((start.namespace, start.request_id))
        if recent is not None:
            digest, result = recent
        else:
            row = seen.request_ids.get((start.namespace, START_VERB, start.request_id))
            if row is None:
                return None
            digest = row.digest
            result = Started(text_id(row.reference[8:]), int.from_bytes(row.reference[:8], "big"))
        if digest != start.digest:
            message = f"the request id {start.request_id!r} was used for another start"
            raise HostdError(Kind.EXISTS, "REQUEST_ID_CONFLICT", message)
        return Started(result.run_id, result.key, True, result.version)

    def _open_run(self, turn: Turn, start: Prepared, seen: Seen) -> Started | None:
        name = name_of(start)
        live = self.live(name, seen)
        if live is None:
            return None
        key, run_id = live
        if start.on_open == "USE_EXISTING":
            return Started(run_id, key, True)
        if start.on_open == "TERMINATE_EXISTING":
            resident = self._loop.residence.get(key)
            if resident is None:
                raise LookAgain  # it is in the journal only; looking terminates it
            self._loop.decisions.decide_in(turn, resident, Terminate(REPLACED), start.principal)
            return None
        message = f"the run {run_id} of {start.workflow} has the key {start.key!r} and is still open"
        raise HostdError(Kind.EXISTS, "RUN_OPEN", message, details={"run_id": run_id})

    def _refuse_closed(self, start: Prepared, seen: Seen) -> None:
        """Raise RUN_CLOSED_EXISTS where a finished run of the key forbids another."""
        if start.on_closed == "ALLOW":
            return
        name = name_of(start)
        row = seen.closed_runs.get(name)
        just_ended = seen.open_runs.get(name)  # it was open when we looked
        if just_ended is not None:
            resident = self._loop.residence.get(just_ended.run)
            state = resident.run.state if resident is not None else RunState.SUCCEEDED
            row = msgspec.structs.replace(just_ended, state=int(state))
        conflict = closed_conflict(row, start.on_closed) if row is not None else None
        if conflict is not None:
            raise conflict

    def live(self, name: tuple[str, str, str], seen: Seen) -> tuple[int, str] | None:
        """Return the open run of a key. One that has left memory was durable before the journal was looked at."""
        recent = self._recent_keys.get(name)
        if recent is not None:
            resident: Resident | None = self._loop.residence.get(recent[0])
            if resident is not None and not run_is_final(resident.run.state):
                return recent[:2]
        row = seen.open_runs.get(name)
        if row is None:
            return None
        resident = self._loop.residence.get(row.run)
        if resident is not None and run_is_final(resident.run.state):
            return None
        return row.run, text_id(row.run_id)

    def remember_id(self, turn: Turn, start: Asking, result: Started) -> None:
        """Write what a request id was answered with into the turn of its effect."""
        if start.request_id:
            self._recent_ids.remember(turn, (start.namespace, start.request_id), (start.digest, result))
            reference = result.key.to_bytes(8, "big") + stored_id(result.run_id)
            turn.batch.request_ids.append(
                RequestId(start.namespace, START_VERB, start.request_id, start.digest, reference)
            )

    def _remember_key(self, turn: Turn, start: Prepared, result: Started) -> None:
        if start.key:
            key = name_of(start)
            self._recent_keys.remember(turn, key, (result.key, result.run_id, self._loop.turns))


def closed_conflict(row: RunRow, rule: str) -> HostdError | None:
    """Return why a finished run of the same key forbids another, if it does.

    Args:
        rule: ALLOW, ALLOW_IF_FAILED or REJECT.
    """
    if rule == "ALLOW" or (rule == "ALLOW_IF_FAILED" and row.state != RunState.SUCCEEDED):
        return None
    message = f"the finished run {text_id(row.run_id)} has the key {row.key!r}"
    return HostdError(Kind.EXISTS, "RUN_CLOSED_EXISTS", message, details={"run_id": text_id(row.run_id)})
