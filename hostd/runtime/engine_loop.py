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
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from hostd.aio import Clock
from hostd.definition.plan import Plan
from hostd.engine.decide import NOTHING, begin, decide
from hostd.engine.draft import Decision, Needs, Refused, Stamp
from hostd.engine.state import Run
from hostd.errors.base import HostdError, Kind, invariant
from hostd.journal.codec import encode_records
from hostd.journal.port import Blob, Journal, NewRun, Row, RunUpdate
from hostd.model.commands import StartAttempt
from hostd.model.messages import Begin, Message, SlotFree, Tick
from hostd.model.states import RunState
from hostd.runtime.lanes import Lanes
from hostd.runtime.loading import Loading
from hostd.runtime.residence import Residence
from hostd.runtime.slots import Slots
from hostd.runtime.snapshots import RECORD_WEIGHT
from hostd.runtime.stamps import Stamps
from hostd.runtime.timers import Timers
from hostd.runtime.turn import Answer, Change, Entry, Resident, Turn
from hostd.runtime.turn_ends import TurnEnds

_log = logging.getLogger("hostd.runtime")

TURN_MESSAGES_MAX = 2_000
TURN_BYTES_MAX = 4 * 1024 * 1024
TURNS_IN_A_ROW_MAX = 64  # then the event loop gets its say
HOLD_TRIES, HOLD_AGAIN_S = 60, 1.0
_TICK = Tick()


class DoorItem(Protocol):
    """Something a door asks for. `size` and `size_bytes` count against the doors' lane; `enter` runs inside a turn."""

    size: int
    size_bytes: int
    future: asyncio.Future[Any]

    def enter(self, loop: EngineLoop, turn: Turn) -> None: ...


class EngineLoop(TurnEnds):
    """Owns the runs in memory. Everything here runs on the event loop's thread."""

    def __init__(
        self, *, journal: Journal, clock: Clock, residence: Residence, slots: Slots, timers: Timers, lanes: Lanes
    ) -> None:
        super().__init__(journal=journal, residence=residence, slots=slots, timers=timers, lanes=lanes)
        self.clock = clock
        self.epoch = 0
        self.turns = 0  # counts; tells whether something was looked at before or after
        self._stamps = Stamps(clock)
        self._loading = Loading(self, residence, clock)
        self._scheduled = False
        self._loop: asyncio.AbstractEventLoop | None = None

    def start_from(self, at_ms: int) -> None:
        """Let time go on from the journal's last record."""
        self._stamps.start_from(at_ms)

    # -- what comes in

    def tell(self, key: int, message: Message) -> None:
        """Put a message on the inside lane."""
        self.lanes.inside.append((key, message, "", None, None))
        self._wake()

    def tell_slot(self, key: int, step: int, alone: bool) -> None:
        """A READY step may start."""
        self.tell(key, SlotFree(step, alone))

    def tick(self, key: int) -> int:
        """Something of a run is due. Returns how much waits to be heard."""
        self.tell(key, _TICK)
        return len(self.lanes.inside) + self.residence.parked

    def ask(
        self, key: int, message: Message, principal: str, note: Callable[[Turn], None] | None = None
    ) -> asyncio.Future[bool]:
        """Put a message of a client on the inside lane; answers, once durable, whether it changed anything.

        Args:
            note: called with the turn where it does, to write a request id beside it.

        The future raises HostdError RUN_MISSING for a run that has ended or is gone, or why nothing was written.
        """
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self.lanes.inside.append((key, message, principal, future, note))
        self._wake()
        return future

    def enter(self, item: DoorItem) -> None:
        """Put something on the doors' lane. Raises HostdError INTAKE_FULL, or why nothing can be written."""
        if self.unwritable is not None:
            self.lanes.refused[self.unwritable.reason] += item.size
            raise self.unwritable
        self.lanes.enter(item)
        self._wake()

    def write(self, fill: Callable[[Turn], Any], *, size: int = 1) -> asyncio.Future[Any]:
        """Have `fill` add rows to the next turn's batch; answers with what it returned once that is durable."""
        item = _Write(fill, asyncio.get_running_loop().create_future(), size)
        self.enter(item)
        return item.future

    @property
    def durable_turns(self) -> int:
        """The number of the last turn that is durable or failed: what the journal shows now."""
        return self.turns if self._flushing is None else self.turns - 1

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

    def _turn(self) -> None:
        self.turns += 1
        turn = Turn(self._stamps.next_ms(), self.epoch, self.slots.permits(), self.clock.monotonic_s())
        stamp = Stamp(turn.batch.at_ms, turn.permits, self._loading.held)
        inside = self.lanes.inside
        most = left = 1 if self._careful else TURN_MESSAGES_MAX
        while left and turn.size_bytes <= TURN_BYTES_MAX:
            left -= 1
            if inside:
                entry = inside.popleft()
                try:
                    self._message(turn, stamp, entry)
                except Exception as error:  # noqa: BLE001 a mistake of ours costs one run's message, not the ring
                    self.drop(entry, self._broke(entry[0], error))
            elif self.lanes.doors:
                self._door(turn)
            else:
                left += 1
                break
        if self.meter is not None:
            self.meter.decided(turn, most - left)
        self._commit(turn)

    def _door(self, turn: Turn) -> None:
        item = self.lanes.take_door()
        if item.future.done():  # whoever asked has gone away: nothing of it has happened
            return
        try:
            item.enter(self, turn)
        except HostdError as error:
            turn.answers.append(Answer(item.future, None, error))
        except Exception as error:  # noqa: BLE001 a mistake of ours costs one request, not the ring
            Answer(item.future, None, self._broke(0, error)).give()

    def _message(self, turn: Turn, stamp: Stamp, entry: Entry) -> None:
        key, message, principal, future, note = entry
        resident = self.residence.get(key)
        if resident is None:
            self._loading.load(key, entry)
            return
        if type(message) is SlotFree:
            stamp = self._granted(resident, message, stamp)
        blobs = self._loading.blobs_of(key)
        if blobs is not None:
            stamp = Stamp(stamp.at_ms, stamp.permits, blobs)
        decision = decide(resident.run, message, stamp)
        if type(decision) is not Decision:
            self._not_decided(turn, resident, decision, entry)  # type: ignore[arg-type]
            return
        turn.heard.append(entry)
        if blobs is not None:
            self._loading.settle(entry)
        if decision is not NOTHING:
            self._take(turn, resident, decision, principal)
            if note is not None:
                note(turn)
        if type(message) is SlotFree:
            started = _starts(decision, message.step)
            self.slots.heard(key, message.step, alone=message.alone, started=started)
        if future is not None:
            turn.answers.append(Answer(future, decision is not NOTHING))

    def _not_decided(self, turn: Turn, resident: Resident, decision: Needs | Refused, entry: Entry) -> None:
        """Fetch what a decision looks into, or tell who asked why the run does not take it."""
        if type(decision) is Needs:
            self._loading.fetch(resident, decision.digests, entry)
            return
        self._loading.settle(entry)
        if entry[3] is not None:
            turn.answers.append(Answer(entry[3], None, decision.error))  # type: ignore[union-attr]

    def _granted(self, resident: Resident, message: SlotFree, stamp: Stamp) -> Stamp:
        """Return the stamp for a step that was told it may start: its place is kept for it."""
        if message.alone:
            return stamp
        action = resident.run.plan.steps[message.step].uses
        return Stamp(stamp.at_ms, self.slots.granted(stamp.permits, action), stamp.blobs)

    def _take(self, turn: Turn, resident: Resident, decision: Decision, principal: str) -> None:
        """Make a decision part of the turn: its state is the run's from here on, its records go into the batch."""
        run: Run = decision.run  # type: ignore[assignment]
        records = decision.records
        before_seq = run.seq - len(records)
        if records:
            body = encode_records(records)
            turn.batch.rows.append(Row(resident.key, before_seq, len(records), body, principal))
            turn.size_bytes += len(body)
            resident.to_snapshot -= len(records) * RECORD_WEIGHT + len(body)
            if self.watchers is not None:
                turn.changes.append(Change(resident, run, before_seq, records, len(body)))
            turn.touched[resident.key] = resident
            if run.state >= RunState.SUCCEEDED:
                turn.ended.append(resident)
        resident.run = run
        resident.used_s = turn.now_s
        for blob in decision.blobs:
            turn.batch.blobs.append(Blob(resident.namespace, blob.digest, blob.data, resident.key, blob.content_type))
            turn.size_bytes += len(blob.data)
        if decision.commands:
            turn.commands.append((resident, decision.commands))
            self.slots.reserve(run.plan, decision.commands)

    # -- runs that begin

    def begin_run(self, turn: Turn, *, namespace: str, plan: Plan, message: Begin, principal: str) -> Resident:
        """Start a run in this turn. Raises HostdError where its `vars`, or the signal it begins with, will not do."""
        blobs = {blob.digest: blob.data for blob in message.blobs}
        decision = begin(plan, message, Stamp(turn.batch.at_ms, turn.permits, blobs))
        invariant(type(decision) is not Needs, "a start looks only into what came with it")
        if type(decision) is Refused:
            raise decision.error
        key = self.journal.allocate_runs(1)
        run: Run = decision.run  # type: ignore[assignment,union-attr]
        resident = Resident(key, namespace, run, stored_state=0, due_at_ms=0)
        self._take(turn, resident, decision, principal)  # type: ignore[arg-type]
        resident.stored_state = run.state
        resident.due_at_ms = run.next_due_ms()
        turn.batch.new_runs.append(_new_run(resident, message))
        turn.dues.append((key, 0))
        self.residence.add(resident)
        if resident.due_at_ms:
            self.timers.arm(key, resident.due_at_ms)
        return resident

    def decide_in(self, turn: Turn, resident: Resident, message: Message, principal: str) -> None:
        """Decide a message about a run inside a turn, for what has to happen in the same append.

        Raises:
            HostdError: SIGNAL_*, REQUEST_ID_CONFLICT of a signal that the run does not take.
        """
        decision = decide(resident.run, message, Stamp(turn.batch.at_ms, turn.permits, self._loading.held))
        invariant(type(decision) is not Needs, "the message looks into no value")
        if type(decision) is Refused:
            raise decision.error
        if decision is not NOTHING:
            self._take(turn, resident, decision, principal)  # type: ignore[arg-type]

    # -- what loading answers

    def hear_again(self, entries: list[Entry]) -> None:
        """Take these messages next, in this order."""
        self.lanes.inside.extendleft(reversed(entries))
        self._wake()

    def loaded(self, resident: Resident) -> None:
        """Own a run that was read from the journal."""
        self.residence.add(resident)
        if resident.due_at_ms:
            self.timers.arm(resident.key, resident.due_at_ms)

    def drop(self, entry: Entry, error: HostdError) -> None:
        """A message will not be heard: tell who waits, and give back the slot it was about."""
        key, message, _, future, _ = entry
        self._loading.settle(entry)
        if type(message) is SlotFree:
            self.slots.heard(key, message.step, alone=message.alone, started=False)
        if future is not None:
            Answer(future, None, error).give()

    # -- what went wrong

    def hold(self, key: int, error: HostdError) -> None:
        """Hold a run that cannot be read: nothing moves it until somebody mends the journal or hostd."""
        _log.error("run_held run=%d reason=%s message=%s", key, error.reason, error.message)
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

        item = _Write(fill, asyncio.get_running_loop().create_future(), 0)

        def look(future: asyncio.Future[Any]) -> None:
            if not future.cancelled() and future.exception() is not None and tries:
                asyncio.get_running_loop().call_later(HOLD_AGAIN_S, self._write_hold, key, reason, tries - 1)

        item.future.add_done_callback(look)
        self.lanes.enter(item)
        self._wake()

    def bug(self, error: BaseException, key: int) -> HostdError:
        """Log a mistake of ours with an id; return what to tell whoever asked."""
        bug_id = f"{self.clock.wall_ms():x}"
        _log.error("bug id=%s run=%d", bug_id, key, exc_info=error)
        return HostdError(Kind.BUG, "BUG", f"a mistake of ours; the log has it under {bug_id}", details={"id": bug_id})

    def _broke(self, key: int, error: BaseException) -> HostdError:
        """Log a mistake of ours and hold the run it happened to."""
        bug = self.bug(error, key)
        if key:
            self.hold(key, bug)
        return bug


def _new_run(resident: Resident, message: Begin) -> NewRun:
    run, started = resident.run, message.started
    keep_ms = run.plan.retention_ms
    return NewRun(
        resident.key,
        resident.namespace,
        started.run_id,
        run.plan.workflow,
        run.plan.version,
        run.state,
        started.key,
        started.labels,
        started.trigger,
        started.parent,
        resident.due_at_ms,
        False,
        keep_ms.get("runs", 0),
        keep_ms.get("logs", 0),
    )


def _starts(decision: Decision, step: int) -> bool:
    return any(type(command) is StartAttempt and command.step == step for command in decision.commands)


class _Write:
    """A door item that only adds rows."""

    def __init__(self, fill: Callable[[Turn], Any], future: asyncio.Future[Any], size: int) -> None:
        self.fill = fill
        self.future = future
        self.size = size
        self.size_bytes = 0

    def enter(self, loop: EngineLoop, turn: Turn) -> None:
        turn.answers.append(Answer(self.future, self.fill(turn)))
