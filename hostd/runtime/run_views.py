"""Runs as readers see them: the index row, and the history folded with what folding alone forgets (times, errors)."""

from __future__ import annotations

from collections import Counter

import msgspec

from hostd.definition.plan import Plan
from hostd.engine.evolve import evolve
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
    CancelRequested,
    Failure,
    RunEnded,
    RunOutcome,
    RunStarted,
    StepEnded,
    Terminated,
    WaitStarted,
)
from hostd.model.states import StepState, run_is_final, step_is_final
from hostd.model.views import FailureView, HistoryItem, RunView, StepView

_NO_STEP = -1


def row_view(row: RunRow) -> RunView:
    """Return a run as lists show it."""
    return RunView(
        run_id=text_id(row.run_id),
        number=row.run,
        namespace=row.namespace,
        workflow=row.workflow,
        version=row.version,
        state=row.state,
        key=row.key,
        outcome=row.state if run_is_final(row.state) else 0,
        reason=row.reason,
        labels=row.labels,
        trigger=row.trigger,
        parent=row.parent,
        created_at_ms=row.created_at_ms,
        ended_at_ms=row.ended_at_ms,
        due_at_ms=row.due_at_ms,
    )


class Story:
    """A run's history, folded record by record; remembers when steps began and ended, and their last failures."""

    def __init__(self, plan: Plan) -> None:
        self.run = Run(plan)
        self.principal = ""
        self.ended_at_ms = 0
        self._started: dict[int, int] = {}
        self._ended: dict[int, int] = {}
        self._errors: dict[int, FailureView] = {}

    def hear(self, stored: StoredRow) -> None:
        """Fold one row. Raises HostdError RECORD_TOO_NEW, RECORD_CORRUPT."""
        if stored.seq == 0:
            self.principal = stored.principal
        for record in decode_records(stored.body):
            evolve(self.run, record, stored.at_ms)
            self._note(record, stored.at_ms)

    def _note(self, record: AnyRecord, at_ms: int) -> None:
        if run_is_final(self.run.state) and not self.ended_at_ms:
            self.ended_at_ms = at_ms
        step = getattr(record, "step", _NO_STEP)
        if step == _NO_STEP:
            for index, state in enumerate(self.run.states):  # a run's own end closes many steps at once
                if step_is_final(state):
                    self._ended.setdefault(index, at_ms)
            return
        if isinstance(record, AttemptStarted | WaitStarted) or (
            isinstance(record, StepEnded) and record.state in (StepState.SUCCEEDED, StepState.FAILED)
        ):
            self._started.setdefault(step, at_ms)
        failure = getattr(record, "failure", None)
        if failure is not None and isinstance(record, AttemptFailed | AttemptLost | StepEnded):
            attempt = getattr(record, "attempt", 0)
            self._errors[step] = FailureView(failure, self._step_id(step), attempt)
        if step_is_final(self.run.states[step]):
            self._ended.setdefault(step, at_ms)

    def _step_id(self, index: int) -> str:
        return self.run.plan.steps[index].id

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
            started_at_ms=self._started.get(index, 0),
            ended_at_ms=self._ended.get(index, 0) if step_is_final(state) else 0,
            due_at_ms=active.due_at_ms if active is not None else 0,
            output=run.outputs.get(index, b""),
            error=self._errors.get(index),
            needs=tuple(run.plan.steps[need].id for need in plan.needs),
            handler=plan.handler,
        )


def tell_story(journal: Journal, plan: Plan, row: RunRow, *, until_seq: int | None = None) -> Story:
    """Return a run's story, up to and without record `until_seq`. Blocks; for reader threads.

    Raises:
        HostdError: RECORD_TOO_NEW, RECORD_CORRUPT.
    """
    story = Story(plan)
    while True:
        rows = journal.history(row.run, from_seq=story.run.seq)
        if rows and rows[0].seq != story.run.seq:
            message = f"the history of {text_id(row.run_id)} has a gap before record {story.run.seq}"
            raise HostdError(Kind.CORRUPT, "RECORD_CORRUPT", message)
        for stored in rows:
            if until_seq is not None and stored.seq >= until_seq:
                return story
            story.hear(stored)
        if not rows:
            return story


def plain_view(journal: Journal, row: RunRow) -> RunView:
    """Return what a run's records say without its plan: no steps, and nothing behind a record that cannot be read."""
    view = row_view(row)
    from_seq = 0
    while rows := journal.history(row.run, from_seq=from_seq):
        for stored in rows:
            try:
                records = decode_records(stored.body)
            except HostdError as error:
                return msgspec.structs.replace(view, message=error.message)
            for record in records:
                view = _with_record(view, record, stored.principal)
        from_seq = rows[-1].seq + rows[-1].n
    return view


def _with_record(view: RunView, record: AnyRecord, principal: str) -> RunView:
    if isinstance(record, RunStarted):
        return msgspec.structs.replace(view, input=record.input, principal=principal)
    if isinstance(record, RunOutcome | RunEnded) and not view.message and not view.output:
        return msgspec.structs.replace(view, outcome=record.outcome, message=record.message, output=record.output)
    if isinstance(record, Terminated | CancelRequested):
        return msgspec.structs.replace(view, message=record.reason)
    return view


def items_of(rows: list[StoredRow], from_seq: int) -> list[HistoryItem]:
    """Return the records of rows from `from_seq` on. Raises HostdError RECORD_TOO_NEW, RECORD_CORRUPT."""
    return [
        HistoryItem(stored.seq + at, stored.at_ms, stored.principal, record)
        for stored in rows
        for at, record in enumerate(decode_records(stored.body))
        if stored.seq + at >= from_seq
    ]
