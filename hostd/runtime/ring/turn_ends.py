"""How a turn ends: its one append, and what waits for it. Nothing speculative leaves.

    decided -> journal.append -+-> durable: answers, watchers, commands
                               '-> failed:  runs dropped, doors refused, inside messages heard again in a second

A batch that the journal will never take (a contradiction) must not stop everything for ever: after such a failure
the messages are taken one a turn, and the one that still fails costs its own run only.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Protocol

from hostd.engine.codes import RUN_FINAL
from hostd.errors.base import HostdError, Kind
from hostd.journal.port import Appended, Batch, Journal, RunUpdate
from hostd.runtime.ring.holding import Holding
from hostd.runtime.ring.lanes import Lanes
from hostd.runtime.ring.metering import RingMeter
from hostd.runtime.ring.ports import Performer, Watchers
from hostd.runtime.ring.residence import Residence
from hostd.runtime.ring.slots import Slots
from hostd.runtime.ring.snapshots import distance_behind, snapshot_of
from hostd.runtime.ring.timers import Timers
from hostd.runtime.ring.turn import Answer, Entry, Resident, Turn

_log = logging.getLogger("hostd.runtime")

RETRY_S = 1.0
_BATCH_LISTS = Batch.__struct_fields__[3:]


class Ring(Protocol):
    """What the end of a turn asks of the engine loop."""

    def wake(self) -> None:
        """Have what waits be heard soon."""
        ...

    def run(self) -> None:
        """Take what waits at once."""
        ...

    def tell_idle(self) -> None:
        """Tell who waits until nothing is queued and nothing flushes, or nothing can be written."""
        ...


class TurnEnds:
    """Owns the one append that is in flight, and what is known of whether the journal can be written.

    `effects` is set before the first turn, by who builds both.
    """

    effects: Performer

    def __init__(
        self,
        ring: Ring,
        *,
        journal: Journal,
        residence: Residence,
        slots: Slots,
        timers: Timers,
        lanes: Lanes,
        holding: Holding,
        watchers: Watchers,
        meter: RingMeter,
    ) -> None:
        self.journal = journal
        self.unwritable: HostdError | None = None  # why nothing can be written just now
        self.flushing: Turn | None = None
        self.careful = 0  # appends of one message that are still to come
        self._told = ""  # why appends have failed since the last one that did not
        self._ring = ring
        self._residence = residence
        self._slots = slots
        self._timers = timers
        self._lanes = lanes
        self._holding = holding
        self._watchers = watchers
        self._meter = meter

    # -- the append

    def commit(self, turn: Turn) -> None:
        """Append what a turn decided; `flushing` is that turn until it is durable or failed."""
        batch = turn.batch
        for resident in turn.touched.values():
            self._note_run(turn, resident)
        if _is_empty(batch):
            self._deliver(turn, None)
            return
        self.flushing = turn
        self._residence.flushing = turn.touched
        alone = len(batch.rows) == 1 and not self._lanes.any_waiting() and self.effects.in_flight == 0
        try:
            appended = self.journal.append(batch, self._done, alone=alone)
        except Exception as error:  # noqa: BLE001 whatever it is, nothing was written
            self._settled()
            self._failed(turn, error)
            return
        if appended is not None:
            self._settled()
            self._meter.durable(turn, inline=True)
            self._deliver(turn, appended)

    def _note_run(self, turn: Turn, resident: Resident) -> None:
        """Put what changed of a run's index row into the batch."""
        run = resident.run
        if run.state >= RUN_FINAL:
            if resident.has_snapshot:
                turn.batch.snapshot_deletes.append(resident.key)
        elif resident.to_snapshot <= 0:
            snapshot = snapshot_of(resident.key, run)
            turn.batch.snapshots.append(snapshot)
            resident.to_snapshot = distance_behind(snapshot)
            resident.has_snapshot = True
        due_at_ms = run.next_due_ms()
        if run.state == resident.stored_state and due_at_ms == resident.due_at_ms:
            return
        if due_at_ms != resident.due_at_ms:
            turn.dues.append((resident.key, resident.due_at_ms))
            self._timers.arm(resident.key, due_at_ms)
        resident.stored_state = run.state
        resident.due_at_ms = due_at_ms
        turn.batch.run_updates.append(RunUpdate(resident.key, run.state, due_at_ms, False, run.reason))

    def _settled(self) -> None:
        self.flushing = None
        self._residence.flushing = {}

    def _done(self, appended: Appended | None, error: BaseException | None) -> None:
        turn = self.flushing
        self._settled()
        if turn is None:
            return
        if appended is None:
            self._failed(turn, error or HostdError(Kind.UNAVAILABLE, "JOURNAL_FAILED", "the append failed"))
        else:
            self._meter.durable(turn, inline=False)
            self._deliver(turn, appended)
        self._ring.run()

    # -- durable

    def _deliver(self, turn: Turn, appended: Appended | None) -> None:
        """The turn is durable: now, and not before, the world may know."""
        for resident in turn.ended:
            self._residence.remove(resident.key)
            self._timers.disarm(resident.key)
        for answer in turn.answers:
            answer.give()
        if appended is not None:
            self._told = ""
            if self.careful:
                self.careful -= 1
            try:
                for call in turn.when_durable:
                    call(appended)
                if turn.changes:
                    self._watchers.publish(appended, turn.changes)
            except Exception as error:  # noqa: BLE001 who listens must not keep commands from being done
                self._holding.broke(0, error)
        perform = self.effects.perform
        for resident, commands in turn.commands:
            try:
                perform(resident, commands)
            except Exception as error:  # noqa: BLE001 a mistake of ours costs one run, not the ring
                self._holding.broke(resident.key, error)

    # -- not written

    def _failed(self, turn: Turn, error: BaseException) -> None:
        """Nothing was written: forget what was decided, refuse the doors, hear inside messages again in a second."""
        self._tell(turn, error)
        why = error if isinstance(error, HostdError) else _unwritable(error)
        self._meter.failed(why.reason)
        for resident in turn.touched.values():
            self._residence.remove(resident.key)
        for key, due_at_ms in turn.dues:
            self._timers.arm(key, due_at_ms)
        for undo in reversed(turn.when_failed):  # each puts back what it found
            undo()
        self._slots.give_back()
        for answer in turn.answers:
            Answer(answer.future, None, answer.error or why).give()
        self._refuse(why)
        again = [entry for entry in turn.heard if entry[3] is None]
        if not _may_pass(error):
            again = self._isolate(again, error)
        self._lanes.inside.extendleft(reversed(again))

    def _tell(self, turn: Turn, error: BaseException) -> None:
        """Log why; while the disk is full it is tried again each second, and told once."""
        why = str(error)
        if why != self._told:
            self._told = why
            _log.error("append_failed runs=%d error=%s", len(turn.touched), error)

    def _isolate(self, again: list[Entry], error: BaseException) -> list[Entry]:
        """Waiting does not help: take messages singly; one that fails singly is given up with its run."""
        if self.careful and len(again) == 1:
            self._holding.broke(again[0][0], error)
            return []
        self.careful = len(again) + 1
        return again

    def _refuse(self, why: HostdError) -> None:
        self.unwritable = why
        self._lanes.shut()
        for item in self._lanes.drop_doors():
            Answer(item.future, None, why).give()
        self._ring.tell_idle()
        asyncio.get_running_loop().call_later(RETRY_S, self._try_again)

    def _try_again(self) -> None:
        """Hear what waits once the journal takes it; while it says that it does not, nothing is decided for nothing."""
        self.unwritable = self.journal.refusing
        if self.unwritable is not None:
            asyncio.get_running_loop().call_later(RETRY_S, self._try_again)
            return
        self._lanes.reopen()
        self._ring.wake()


def _is_empty(batch: Batch) -> bool:
    """Say whether there is nothing to write."""
    return not (batch.rows or any(getattr(batch, name) for name in _BATCH_LISTS))


def _may_pass(error: BaseException) -> bool:
    """Say whether the same batch may be taken later: a full disk yes, a contradiction or a bad value no."""
    if not isinstance(error, HostdError):
        return False
    return error.kind is not Kind.CONFLICT and not isinstance(error.__cause__, OverflowError | TypeError)


def _unwritable(error: BaseException) -> HostdError:
    return HostdError(Kind.UNAVAILABLE, "JOURNAL_FAILED", f"the journal could not write: {error}", retry_after_s=1.0)
