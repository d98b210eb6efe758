"""A run's whole view: its state, and what folding alone forgets (when steps began and ended, their last failures).

State comes from the newest snapshot and the records behind it; the records before it are only looked through, which
costs a third of folding them. Stories of long runs are kept for a while: who asks again reads only what is new.
"""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from collections.abc import Callable
from typing import Any

from hostd.definition.plan import Plan
from hostd.engine.evolve import LOST_CANCELED, LOST_FAILED, evolve
from hostd.engine.state import Run
from hostd.errors.base import HostdError, Kind
from hostd.journal.codec import decode_records
from hostd.journal.port import Journal, RunRow, StoredRow
from hostd.model.ids import text_id
from hostd.model.records import (
    AnyRecord,
    AttemptFailed,
    AttemptLost,
    AttemptStarted,
    AttemptSucceeded,
    Failure,
    StepEnded,
    WaitEnded,
    WaitStarted,
)
from hostd.model.states import StepState, run_is_final, step_is_final
from hostd.model.views import FailureView, RunView, StepView
from hostd.runtime.ring.snapshots import run_of_snapshot

KEPT_BYTES_MAX = 32 * 1024 * 1024
KEPT_RECORDS_MIN = 256  # a shorter run is folded faster than it is worth keeping
STEP_BYTES = 512  # about what a story costs in memory beside the records' bytes


class StepNotes:
    """When steps began and ended, and their last failures; by the plan's index."""

    def __init__(self) -> None:
        self.started: dict[int, int] = {}
        self.ended: dict[int, int] = {}
        self.errors: dict[int, tuple[Failure, int]] = {}  # with the attempt

    def hear(self, record: AnyRecord, at_ms: int) -> None:
        """Note a record of a step."""
        note = _NOTES.get(type(record))
        if note is not None:
            note(self, record, at_ms)

    def end_all(self, run: Run, at_ms: int) -> None:
        """Note the end of a run, which may close many steps at once."""
        for step, state in enumerate(run.states):
            if step_is_final(state):
                self.ended.setdefault(step, at_ms)

    def _begun(self, record: AttemptStarted | WaitStarted, at_ms: int) -> None:
        self.started.setdefault(record.step, at_ms)

    def _over(self, record: AttemptSucceeded | WaitEnded, at_ms: int) -> None:
        self.ended.setdefault(record.step, at_ms)

    def _failed(self, record: AttemptFailed, at_ms: int) -> None:
        self.errors[record.step] = (record.failure, record.attempt)
        if not record.retry_at_ms:
            self.ended.setdefault(record.step, at_ms)

    def _lost(self, record: AttemptLost, at_ms: int) -> None:
        if record.failure is not None:
            self.errors[record.step] = (record.failure, record.attempt)
        if record.verdict in (LOST_FAILED, LOST_CANCELED):
            self.ended.setdefault(record.step, at_ms)

    def _step_ended(self, record: StepEnded, at_ms: int) -> None:
        if record.state in (StepState.SUCCEEDED, StepState.FAILED):
            self.started.setdefault(record.step, at_ms)
        if record.failure is not None:
            self.errors[record.step] = (record.failure, 0)
        self.ended.setdefault(record.step, at_ms)


_NOTES: dict[type, Callable[[StepNotes, Any, int], None]] = {
    AttemptStarted: StepNotes._begun,
    WaitStarted: StepNotes._begun,
    AttemptSucceeded: StepNotes._over,
    WaitEnded: StepNotes._over,
    AttemptFailed: StepNotes._failed,
    AttemptLost: StepNotes._lost,
    StepEnded: StepNotes._step_ended,
}


class Story:
    """A run's history so far."""

    def __init__(self, plan: Plan) -> None:
        self.run = Run(plan)
        self.notes = StepNotes()
        self.principal = ""
        self.ended_at_ms = 0
        self.size_bytes = len(plan.steps) * STEP_BYTES

    def listen(self, journal: Journal, row: RunRow) -> None:
        """Hear what the journal has and was not heard yet. Raises HostdError RECORD_TOO_NEW, RECORD_CORRUPT."""
        if self.run.seq == 0:
            self._skip_to_snapshot(journal, row)
        run, hear = self.run, self.notes.hear
        while rows := journal.history(row.run, from_seq=run.seq):
            _check_next(rows, run.seq, row)
            for stored in rows:
                self._meet(stored)
                for record in decode_records(stored.body):
                    evolve(run, record, stored.at_ms)
                    hear(record, stored.at_ms)
                if run_is_final(run.state) and not self.ended_at_ms:
                    self.ended_at_ms = stored.at_ms
                    self.notes.end_all(run, stored.at_ms)

    def _skip_to_snapshot(self, journal: Journal, row: RunRow) -> None:
        """Take the state from a snapshot, and note what lies before it: no end of a run does."""
        snapshot = journal.snapshot(row.run)
        run = None if snapshot is None else run_of_snapshot(journal, self.run.plan, snapshot)
        if run is None:
            return
        seq, hear = 0, self.notes.hear
        while seq < run.seq:
            rows = journal.history(row.run, from_seq=seq)
            _check_next(rows, seq, row)
            for stored in rows:
                if stored.seq >= run.seq:
                    break
                self._meet(stored)
                for record in decode_records(stored.body):
                    hear(record, stored.at_ms)
            seq = min(rows[-1].seq + rows[-1].n, run.seq)
        self.run = run

    def _meet(self, stored: StoredRow) -> None:
        self.size_bytes += len(stored.body)
        if stored.seq == 0:
            self.principal = stored.principal

    def view(self, row: RunRow) -> RunView:
        """Return the whole run. The row may be older or newer than the history that was heard; the history holds."""
        run = self.run
        return RunView(
            run_id=run.run_id,
            number=row.run,
            namespace=row.namespace,
            workflow=row.workflow,
            version=row.version,
            state=run.state,
            key=row.key,
            outcome=run.outcome,
            reason=run.reason,
            labels=row.labels,
            trigger=row.trigger,
            parent=row.parent,
            created_at_ms=row.created_at_ms,
            ended_at_ms=self.ended_at_ms,
            due_at_ms=run.next_due_ms(),
            message=run.message,
            principal=self.principal,
            input=run.input,
            output=run.output,
            failures=self._failures(),
            steps=tuple(self._step(index) for index in range(len(run.plan.steps))),
            signals=dict(Counter(signal.name for signal in run.signals)),
        )

    def _failures(self) -> tuple[FailureView, ...]:
        """Return the run's failures in record order, with its own where it has one."""
        run = self.run
        found = [FailureView(run.step_failures[step], self._step_id(step), run.attempts(step)) for step in run.failures]
        if run.own_failure >= 0:
            found.insert(run.own_failure, FailureView(Failure(run.reason, run.message)))
        return tuple(found)

    def _error(self, index: int) -> FailureView | None:
        noted = self.notes.errors.get(index)
        return None if noted is None else FailureView(noted[0], self._step_id(index), noted[1])

    def _step_id(self, index: int) -> str:
        return self.run.plan.steps[index].id

    def _step(self, index: int) -> StepView:
        run = self.run
        plan = run.plan.steps[index]
        state = run.states[index]
        active = run.active.get(index)
        return StepView(
            id=plan.id,
            uses=plan.uses,
            state=state,
            result=run.result(index) if step_is_final(state) else -1,
            attempts=run.attempts(index),
            started_at_ms=self.notes.started.get(index, 0),
            ended_at_ms=self.notes.ended.get(index, 0) if step_is_final(state) else 0,
            due_at_ms=active.due_at_ms if active is not None else 0,
            output=run.outputs.get(index, b""),
            error=self._error(index),
            needs=tuple(run.plan.steps[need].id for need in plan.needs),
            handler=plan.handler,
        )


class Stories:
    """Stories of long runs that were asked for lately, bounded by bytes. For reader threads."""

    def __init__(self, journal: Journal, bytes_max: int = KEPT_BYTES_MAX) -> None:
        self._journal = journal
        self._bytes_max = bytes_max
        self._kept: OrderedDict[int, Story] = OrderedDict()
        self._lock = threading.Lock()
        self.size_bytes = 0

    def view(self, plan: Plan, row: RunRow) -> RunView:
        """Return the whole run as the journal has it now. Blocks.

        Raises:
            HostdError: RECORD_TOO_NEW, RECORD_CORRUPT.
        """
        story = self._take(row) or Story(plan)
        story.listen(self._journal, row)
        view = story.view(row)
        if story.run.seq >= KEPT_RECORDS_MIN:
            self._keep(row.run, story)
        return view

    def _take(self, row: RunRow) -> Story | None:
        """Return a kept story, which is ours alone until it is kept again."""
        with self._lock:
            story = self._kept.pop(row.run, None)
            if story is not None:
                self.size_bytes -= story.size_bytes
        return story if story is not None and story.run.run_id == text_id(row.run_id) else None

    def _keep(self, run: int, story: Story) -> None:
        with self._lock:
            before = self._kept.pop(run, None)
            self._kept[run] = story
            self.size_bytes += story.size_bytes - (before.size_bytes if before is not None else 0)
            while self.size_bytes > self._bytes_max:
                _, gone = self._kept.popitem(last=False)
                self.size_bytes -= gone.size_bytes


def _check_next(rows: list[StoredRow], seq: int, row: RunRow) -> None:
    """Raise RECORD_CORRUPT where the row that holds the next record is not there."""
    if not rows or rows[0].seq != seq:
        message = f"the history of {text_id(row.run_id)} has a gap before record {seq}"
        raise HostdError(Kind.CORRUPT, "RECORD_CORRUPT", message)
