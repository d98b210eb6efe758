"""The engine loop: one owner for every run of this process, one append a turn, nothing speculative leaving.

    lanes -> turn: decide, evolve, encode -> journal.append -> durable: answers, watchers, commands -> lanes

- Inside messages (results, due timers, cancels) are bounded by what is in flight, are never refused and are taken
  first; doors are bounded and refuse with INTAKE_FULL. So the ring cannot deadlock on itself.
- While an append flushes, the next turn collects; there is one append in flight at a time.
- When an append fails, every run it touched is dropped from memory and loaded again from the journal.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeAlias

from hostd.aio import Clock, spawn
from hostd.definition.plan import Plan
from hostd.engine.decide import NOTHING, begin, decide
from hostd.engine.draft import Decision, Needs, Stamp
from hostd.engine.state import Run
from hostd.errors.base import HostdError, Kind, invariant
from hostd.journal.codec import encode_records
from hostd.journal.port import Appended, Batch, Blob, Journal, NewRun, Row, RunUpdate
from hostd.model.commands import Command, StartAttempt
from hostd.model.messages import Begin, Message, SlotFree, Tick
from hostd.model.states import RunState
from hostd.runtime.lanes import Lanes
from hostd.runtime.residence import Residence
from hostd.runtime.slots import Slots
from hostd.runtime.timers import Timers
from hostd.runtime.turn import Answer, Change, Resident, Turn

_log = logging.getLogger("hostd.runtime")

TURN_MESSAGES_MAX = 2_000
TURN_BYTES_MAX = 4 * 1024 * 1024
TURNS_IN_A_ROW_MAX = 64  # then the event loop gets its say
CLOCK_LEAD_MS_MAX = 60_000
RETRY_S = 1.0
BLOBS_HELD_MAX = 64

Entry: TypeAlias = "tuple[int, Message, str, asyncio.Future[bool] | None, Callable[[Turn], None] | None]"
_BATCH_LISTS = Batch.__struct_fields__[2:]


class Performer(Protocol):
    """Does commands once they are durable (runtime.effects)."""

    @property
    def in_flight(self) -> int: ...

    def perform(self, resident: Resident, commands: list[Command]) -> None: ...


class Watchers(Protocol):
    """Hears of every durable turn (runtime.watch)."""

    def publish(self, appended: Appended, changes: list[Change]) -> None: ...


class DoorItem(Protocol):
    """Something a door asks for. `size` counts against the doors' lane; `enter` runs inside a turn."""

    size: int
    future: asyncio.Future[Any]

    def enter(self, loop: EngineLoop, turn: Turn) -> None: ...


class EngineLoop:
    """Owns the runs in memory. Everything here runs on the event loop's thread."""

    def __init__(
        self, *, journal: Journal, clock: Clock, residence: Residence, slots: Slots, timers: Timers, lanes: Lanes
    ) -> None:
        self.journal = journal
        self.clock = clock
        self.residence = residence
        self.slots = slots
        self.timers = timers
        self.lanes = lanes
        self.effects: Performer | None = None
        self.watchers: Watchers | None = None
        self.epoch = 0
        self._flushing: Turn | None = None
        self._scheduled = False
        self._last_at_ms = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._blobs: dict[bytes, bytes] = {}
        self._idle: list[asyncio.Future[None]] = []
        self.unwritable: HostdError | None = None  # why nothing can be written just now
        self._wanted_blobs: tuple[bytes, ...] = ()

    # -- what comes in

    def tell(self, key: int, message: Message) -> None:
        """Put a message on the inside lane."""
        self.lanes.inside.append((key, message, "", None, None))
        self._wake()

    def tell_slot(self, key: int, step: int, alone: bool) -> None:
        """A READY step may start."""
        self.tell(key, SlotFree(step, alone))

    def tick(self, key: int) -> None:
        """Something of a run is due."""
        self.tell(key, Tick())

    def ask(
        self, key: int, message: Message, principal: str, note: Callable[[Turn], None] | None = None
    ) -> asyncio.Future[bool]:
        """Put a message of a client on the inside lane; answers, once durable, whether it changed anything.

        Args:
            note: called with the turn where it does, to write a request id beside it.
        """
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self.lanes.inside.append((key, message, principal, future, note))
        self._wake()
        return future

    def enter(self, item: DoorItem) -> None:
        """Put something on the doors' lane. Raises HostdError INTAKE_FULL, or why nothing can be written."""
        if self.unwritable is not None:
            raise self.unwritable
        self.lanes.enter(item)
        self._wake()

    def write(self, fill: Callable[[Turn], Any], *, size: int = 1) -> asyncio.Future[Any]:
        """Have `fill` add rows to the next turn's batch; answers with what it returned once that is durable."""
        item = _Write(fill, asyncio.get_running_loop().create_future(), size)
        self.enter(item)
        return item.future

    async def quiet(self) -> None:
        """Wait until nothing is queued and nothing flushes."""
        if self._flushing is None and not self.lanes.any_waiting():
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._idle.append(future)
        await future

    # -- turns

    def _wake(self) -> None:
        if self._scheduled or self._flushing is not None or self.unwritable is not None:
            return
        self._scheduled = True
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        self._loop.call_soon(self._run)

    def _run(self) -> None:
        self._scheduled = False
        for _ in range(TURNS_IN_A_ROW_MAX):
            if self._flushing is not None or self.unwritable is not None or not self.lanes.any_waiting():
                break
            self._turn()
        if self._flushing is None:
            if self.lanes.any_waiting():
                self._wake()
            else:
                self._tell_idle()

    def _tell_idle(self) -> None:
        if self._idle:
            waiting, self._idle = self._idle, []
            for future in waiting:
                if not future.done():
                    future.set_result(None)

    def _turn(self) -> None:
        turn = Turn(self._stamp_ms(), self.epoch, self.slots.permits())
        stamp = Stamp(turn.batch.at_ms, turn.permits, self._blobs)
        lanes = self.lanes
        rows = turn.batch.rows
        size_bytes = 0
        counted = 0
        for _ in range(TURN_MESSAGES_MAX):
            if lanes.inside:
                entry = lanes.inside.popleft()
                turn.heard.append(entry)
                try:
                    self._message(turn, stamp, entry)
                except Exception as error:  # noqa: BLE001 a mistake of ours costs one run's message, not the ring
                    turn.heard.pop()
                    self._broke(entry[0], error, entry[3])
            elif lanes.doors:
                item = lanes.take_door()
                try:
                    item.enter(self, turn)
                except HostdError as error:
                    turn.answers.append(Answer(item.future, None, error))
                except Exception as error:  # noqa: BLE001 a mistake of ours costs one request, not the ring
                    self._broke(0, error, item.future)
            else:
                break
            while counted < len(rows):
                size_bytes += len(rows[counted].body)
                counted += 1
            if size_bytes > TURN_BYTES_MAX:
                break
        self._commit(turn)

    def _stamp_ms(self) -> int:
        wall = self.clock.wall_ms()
        if wall < self._last_at_ms:
            if self._last_at_ms - wall > CLOCK_LEAD_MS_MAX:
                _log.warning("CLOCK_STEP back_ms=%d", self._last_at_ms - wall)
                self._last_at_ms = wall + CLOCK_LEAD_MS_MAX
            return self._last_at_ms
        self._last_at_ms = wall
        return wall

    def start_from(self, at_ms: int) -> None:
        """Let time go on from the journal's last record."""
        self._last_at_ms = max(self._last_at_ms, at_ms)

    def _message(self, turn: Turn, stamp: Stamp, entry: Entry) -> None:
        key, message, principal, future, note = entry
        resident = self.residence.get(key)
        if resident is None:
            turn.heard.pop()
            self._load(key, entry)
            return
        decision = self._decide(resident, message, stamp)
        if decision is None:  # waits for a blob
            turn.heard.pop()
            self._fetch_blobs(resident, entry)
            return
        if decision is not NOTHING:
            self._take(turn, resident, decision, principal)
            if note is not None:
                note(turn)
        if type(message) is SlotFree and not _starts(decision, message.step):
            self.slots.unused(alone=message.alone)
        if future is not None:
            turn.answers.append(Answer(future, decision is not NOTHING))

    def _decide(self, resident: Resident, message: Message, stamp: Stamp) -> Decision | None:
        decision = decide(resident.run, message, stamp)
        if type(decision) is Needs:
            self._wanted_blobs = decision.digests
            return None
        return decision  # type: ignore[return-value]

    def _take(self, turn: Turn, resident: Resident, decision: Decision, principal: str) -> None:
        """Make a decision part of the turn: its state is the run's from here on, its records go into the batch."""
        before = resident.run
        run = resident.run = decision.run  # type: ignore[assignment]
        resident.used_s = self.clock.monotonic_s()
        records = decision.records
        batch = turn.batch
        if records:
            batch.rows.append(Row(resident.key, before.seq, len(records), encode_records(records), principal))
            if self.watchers is not None:
                change = Change(resident, run, before.seq, records, len(batch.rows) - 1)  # type: ignore[arg-type]
                turn.changes.append(change)
            turn.touched[resident.key] = resident
            if run.state >= RunState.SUCCEEDED:  # type: ignore[union-attr]
                turn.ended.append(resident)
        for blob in decision.blobs:
            batch.blobs.append(Blob(resident.namespace, blob.digest, blob.data, resident.key, blob.content_type))
        if decision.commands:
            turn.commands.append((resident, decision.commands))
            self.slots.reserve(run.plan, decision.commands)  # type: ignore[union-attr]

    def begin_run(self, turn: Turn, *, namespace: str, plan: Plan, message: Begin, principal: str) -> Resident:
        """Start a run in this turn. Raises HostdError when its `vars` cannot be computed."""
        blobs = {blob.digest: blob.data for blob in message.blobs}
        decision = begin(plan, message, Stamp(turn.batch.at_ms, turn.permits, blobs))
        invariant(type(decision) is not Needs, "a start looks only into what came with it")
        key = self.journal.allocate_runs(1)
        empty = Run(plan)
        resident = Resident(key, namespace, empty, stored_state=0, due_at_ms=0)
        started = message.started
        self._take(turn, resident, decision, principal)  # type: ignore[arg-type]
        run = resident.run
        resident.stored_state = run.state
        resident.due_at_ms = run.next_due_ms()
        turn.batch.new_runs.append(
            NewRun(
                key,
                namespace,
                started.run_id,
                plan.workflow,
                plan.version,
                run.state,
                started.key,
                started.labels,
                started.trigger,
                started.parent,
                resident.due_at_ms,
                False,
            )
        )
        self.residence.add(resident)
        if resident.due_at_ms:
            self.timers.arm(key, resident.due_at_ms)
        return resident

    # -- loading

    def _load(self, key: int, entry: Any) -> None:
        if self.residence.park(key, entry):
            spawn(self._load_run(key), name=f"load-run-{key}")

    async def _load_run(self, key: int) -> None:
        error: HostdError | None = None
        try:
            resident = await self.residence.load(key)
        except HostdError as failed:
            resident, error = None, failed
        parked = self.residence.unpark(key)
        if resident is not None:
            self.residence.add(resident)
            self.lanes.inside.extendleft(reversed(parked))
            self._wake()
            return
        for _, _, _, future, _ in parked:
            if future is not None and not future.done():
                future.set_exception(error or HostdError(Kind.MISSING, "RUN_MISSING", "the run is gone"))
        if error is not None:
            self.hold(key, error)

    def hold(self, key: int, error: HostdError) -> None:
        """Hold a run that cannot be read: nothing moves it until somebody mends the journal or hostd."""
        _log.error("run_held run=%d reason=%s message=%s", key, error.reason, error.message)
        if error.reason in ("RECORD_TOO_NEW", "RECORD_CORRUPT"):
            self._hold(key, error.reason)

    def _hold(self, key: int, reason: str) -> None:
        update = RunUpdate(key, int(RunState.HELD), 0, False, reason)
        item = _Write(lambda turn: turn.batch.run_updates.append(update), self._future(), 0)
        self.lanes.enter(item)
        self._wake()

    def _future(self) -> asyncio.Future[Any]:
        return asyncio.get_running_loop().create_future()

    def _broke(self, key: int, error: Exception, future: asyncio.Future[Any] | None) -> None:
        """Log a mistake of ours with an id, tell who waits, and hold the run it happened to."""
        bug_id = f"{self.clock.wall_ms():x}"
        _log.error("bug id=%s run=%d", bug_id, key, exc_info=error)
        bug = HostdError(Kind.BUG, "BUG", f"a mistake of ours; the log has it under {bug_id}", details={"id": bug_id})
        if future is not None:
            Answer(future, None, bug).give()
        if key:
            self.residence.remove(key)
            self.timers.disarm(key)
            self._hold(key, "BUG")

    def _fetch_blobs(self, resident: Resident, entry: Any) -> None:
        digests = self._wanted_blobs
        self.residence.pin(resident.key)
        spawn(self._fetch(resident, digests, entry), name=f"fetch-blobs-{resident.key}")

    async def _fetch(self, resident: Resident, digests: Sequence[bytes], entry: Any) -> None:
        try:
            for digest in digests:
                blob = await self.residence.blob(resident.namespace, digest)
                if len(self._blobs) > BLOBS_HELD_MAX:
                    self._blobs.pop(next(iter(self._blobs)))
                self._blobs[digest] = blob
        except HostdError as error:
            self.hold(resident.key, error)
            return
        finally:
            self.residence.unpin(resident.key)
        self.lanes.inside.appendleft(entry)
        self._wake()

    # -- the append and what waits for it

    def _commit(self, turn: Turn) -> None:
        batch = turn.batch
        for resident in turn.touched.values():
            run = resident.run
            due_at_ms = run.next_due_ms()
            if run.state == resident.stored_state and due_at_ms == resident.due_at_ms:
                continue
            if due_at_ms != resident.due_at_ms:
                self.timers.arm(resident.key, due_at_ms)
            resident.stored_state = run.state
            resident.due_at_ms = due_at_ms
            batch.run_updates.append(RunUpdate(resident.key, run.state, due_at_ms, False, run.reason))
        if _is_empty(batch):
            self._deliver(turn, None)
            return
        self._flushing = turn
        alone = (
            len(batch.rows) == 1
            and not self.lanes.any_waiting()
            and (self.effects is None or self.effects.in_flight == 0)
        )
        try:
            appended = self.journal.append(batch, self._done, alone=alone)
        except HostdError as error:
            self._flushing = None
            self._failed(turn, error)
            return
        if appended is not None:
            self._flushing = None
            self._deliver(turn, appended)

    def _done(self, appended: Appended | None, error: BaseException | None) -> None:
        turn = self._flushing
        self._flushing = None
        if turn is None:
            return
        if appended is None:
            self._failed(turn, error or HostdError(Kind.UNAVAILABLE, "JOURNAL_FAILED", "the append failed"))
        else:
            self._deliver(turn, appended)
        self._run()

    def _deliver(self, turn: Turn, appended: Appended | None) -> None:
        """The turn is durable: now, and not before, the world may know."""
        for resident in turn.ended:
            self.residence.remove(resident.key)
            self.timers.disarm(resident.key)
        for answer in turn.answers:
            answer.give()
        if appended is not None:
            for call in turn.when_durable:
                call(appended)
            if self.watchers is not None and turn.changes:
                self.watchers.publish(appended, turn.changes)
        effects = self.effects
        if effects is None:
            return
        for resident, commands in turn.commands:
            try:
                effects.perform(resident, commands)
            except Exception as error:  # noqa: BLE001 a mistake of ours costs one run, not the ring
                self._broke(resident.key, error, None)

    def _failed(self, turn: Turn, error: BaseException) -> None:
        """Nothing was written: forget what was decided, refuse the doors, hear inside messages again in a second."""
        _log.error("append_failed runs=%d error=%s", len(turn.touched), error)
        self.unwritable = error if isinstance(error, HostdError) else _unwritable(error)
        for resident in turn.touched.values():
            self.residence.remove(resident.key)
            self.timers.disarm(resident.key)
        for undo in turn.when_failed:
            undo()
        for resident, commands in turn.commands:
            self.slots.give_back(resident.run.plan, commands)
        for answer in turn.answers:
            Answer(answer.future, None, answer.error or self.unwritable).give()
        self.lanes.inside.extendleft(reversed([entry for entry in turn.heard if entry[3] is None]))
        for item in self.lanes.drop_doors():
            Answer(item.future, None, self.unwritable).give()
        asyncio.get_running_loop().call_later(RETRY_S, self._try_again)

    def _try_again(self) -> None:
        self.unwritable = None
        self._wake()


def _starts(decision: Decision, step: int) -> bool:
    return any(type(command) is StartAttempt and command.step == step for command in decision.commands)


def _is_empty(batch: Batch) -> bool:
    """Say whether there is nothing to write."""
    return not any(getattr(batch, name) for name in _BATCH_LISTS)


def _unwritable(error: BaseException) -> HostdError:
    return HostdError(Kind.UNAVAILABLE, "JOURNAL_FAILED", f"the journal could not write: {error}", retry_after_s=1.0)


class _Write:
    """A door item that only adds rows."""

    def __init__(self, fill: Callable[[Turn], Any], future: asyncio.Future[Any], size: int) -> None:
        self.fill = fill
        self.future = future
        self.size = size

    def enter(self, loop: EngineLoop, turn: Turn) -> None:
        turn.answers.append(Answer(self.future, self.fill(turn)))
