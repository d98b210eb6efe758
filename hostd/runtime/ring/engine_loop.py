"""The engine loop: one owner for every run of this process, one append a turn, nothing speculative leaving.

    lanes -> turn: decide, evolve, encode -> journal.append -> durable: answers, watchers, commands -> lanes

- Inside messages (results, due timers, cancels) are bounded by what is in flight, are never refused and are taken
  first; doors are bounded and refuse with INTAKE_FULL. So the ring cannot deadlock on itself.
- While an append flushes, the next turn collects; there is one append in flight at a time.
- When an append fails, every run it touched is dropped from memory and loaded again from the journal.
"""

from __future__ import annotations

import asyncio

from hostd.aio import Clock
from hostd.definition.plan import Plan
from hostd.engine.codes import RUN_FINAL
from hostd.engine.decide import NOTHING, begin, decide
from hostd.engine.draft import Decision, Needs, Refused, Stamp
from hostd.engine.state import Run
from hostd.errors.base import HostdError, invariant
from hostd.journal.codec import encode_records
from hostd.journal.port import Blob, BlobHold, Journal, NewRun, Row
from hostd.model.commands import StartAttempt
from hostd.model.messages import Begin, Message, SlotFree
from hostd.runtime.ring.carried_blobs import BLOB_MARK, carried_blobs
from hostd.runtime.ring.holding import Holding
from hostd.runtime.ring.lanes import Lanes
from hostd.runtime.ring.loading import Loading
from hostd.runtime.ring.residence import Residence
from hostd.runtime.ring.slots import Slots
from hostd.runtime.ring.snapshots import RECORD_WEIGHT
from hostd.runtime.ring.stamps import Stamps
from hostd.runtime.ring.timers import Timers
from hostd.runtime.ring.turn import Answer, Change, Entry, Resident, Turn

TURN_MESSAGES_MAX = 2_000
TURN_BYTES_MAX = 4 * 1024 * 1024
TURNS_IN_A_ROW_MAX = 16  # then the event loop gets its say


class EngineLoop(Holding):
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
            item.enter(turn)
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
        if records:
            body = encode_records(records)
            count, size_bytes = len(records), len(body)
            before_seq = run.seq - count
            turn.batch.rows.append(Row(resident.key, before_seq, count, body, principal))
            turn.size_bytes += size_bytes
            if body.find(BLOB_MARK) >= 0:
                _hold_carried(turn, resident, body)
            resident.to_snapshot -= count * RECORD_WEIGHT + size_bytes
            if self.watchers is not None:
                turn.changes.append(Change(resident, run, before_seq, records, size_bytes))
            turn.touched[resident.key] = resident
            if run.state >= RUN_FINAL:
                turn.ended.append(resident)
        resident.run = run
        resident.used_s = turn.now_s
        for blob in decision.blobs:
            turn.batch.blobs.append(Blob(resident.namespace, blob.digest, blob.data, resident.key, blob.content_type))
            turn.size_bytes += len(blob.data)
            if blob.data.find(BLOB_MARK) >= 0:
                _hold_carried(turn, resident, blob.data)
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


def _hold_carried(turn: Turn, resident: Resident, data: bytes) -> None:
    """Have the run hold the blobs that its values name."""
    holds = [BlobHold(resident.namespace, digest, resident.key) for digest in carried_blobs(data)]
    turn.batch.blob_holds.extend(holds)


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
