"""Decisions become part of a turn: the run's state from here on, records, blobs and rows for the batch, commands."""

from __future__ import annotations

from collections.abc import Mapping

from hostd.definition.plan import Plan
from hostd.engine.codes import RUN_FINAL
from hostd.engine.decide import NOTHING, begin, decide
from hostd.engine.draft import Decision, Needs, Refused, Stamp
from hostd.engine.state import Run
from hostd.errors.base import invariant
from hostd.journal.codec import encode_records
from hostd.journal.port import Blob, BlobHold, Journal, NewRun, Row
from hostd.model.messages import Begin, Message
from hostd.runtime.ring.carried_blobs import BLOB_MARK, carried_blobs
from hostd.runtime.ring.gates import ActionGates
from hostd.runtime.ring.residence import Residence
from hostd.runtime.ring.snapshots import RECORD_WEIGHT
from hostd.runtime.ring.timers import Timers
from hostd.runtime.ring.turn import Change, Resident, Turn


class Decisions:
    """Writes decisions into turns, those that are made here too: runs that begin, and what happens beside others.

    Args:
        held: values that any decision may look into at once, by digest.
    """

    def __init__(
        self, *, journal: Journal, residence: Residence, gates: ActionGates, timers: Timers, held: Mapping[bytes, bytes]
    ) -> None:
        self._journal = journal
        self._residence = residence
        self._gates = gates
        self._timers = timers
        self._held = held

    def take(self, turn: Turn, resident: Resident, decision: Decision, principal: str) -> None:
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
            self._gates.reserve_all(run.plan, decision.commands)

    def begin_run(self, turn: Turn, *, namespace: str, plan: Plan, message: Begin, principal: str) -> Resident:
        """Start a run in this turn. Raises HostdError where its `vars`, or the signal it begins with, will not do."""
        blobs = {blob.digest: blob.data for blob in message.blobs}
        decision = _made(begin(plan, message, Stamp(turn.batch.at_ms, turn.permits, blobs)))
        key = self._journal.allocate_runs(1)
        run: Run = decision.run  # type: ignore[assignment]
        resident = Resident(key, namespace, run, stored_state=0, due_at_ms=0)
        self.take(turn, resident, decision, principal)
        resident.stored_state = run.state
        resident.due_at_ms = run.next_due_ms()
        turn.batch.new_runs.append(_new_run(resident, message))
        turn.dues.append((key, 0))
        self.own(resident)
        return resident

    def own(self, resident: Resident) -> None:
        """Keep a run in memory: one that begins, or that was read from the journal."""
        self._residence.add(resident)
        if resident.due_at_ms:
            self._timers.arm(resident.key, resident.due_at_ms)

    def decide_in(self, turn: Turn, resident: Resident, message: Message, principal: str) -> None:
        """Decide a message about a run inside a turn, for what has to happen in the same append.

        Raises:
            HostdError: SIGNAL_*, REQUEST_ID_CONFLICT of a signal that the run does not take.
        """
        decision = _made(decide(resident.run, message, Stamp(turn.batch.at_ms, turn.permits, self._held)))
        if decision is not NOTHING:
            self.take(turn, resident, decision, principal)


def _made(decision: Decision | Needs | Refused) -> Decision:
    """Return a decision that needs nothing of the journal. Raises why it was refused."""
    invariant(type(decision) is not Needs, "what is decided inside a turn looks only into what came with it")
    if type(decision) is Refused:
        raise decision.error
    return decision  # type: ignore[return-value]


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
