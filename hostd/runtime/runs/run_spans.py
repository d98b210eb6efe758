"""The spans of one run, its steps and attempts, each handed over when it has ended; made of records alone.

A record says what a span needs but its beginning, which an earlier record said. So after a restart a run's history is
heard from its start (live_spans.py), and what it tells again has the same ids.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hostd.definition.plan import Plan
from hostd.engine.evolve import LOST_CANCELED, LOST_FAILED
from hostd.engine.state import Run
from hostd.model.records import (
    AnyRecord,
    AttemptFailed,
    AttemptLost,
    AttemptStarted,
    AttemptSucceeded,
    Failure,
    RunStarted,
    StepEnded,
    StepReady,
    WaitEnded,
    WaitStarted,
)
from hostd.model.states import RunState, StepState, step_is_final
from hostd.telemetry.spans import Attributes, Span, SpanKind
from hostd.values.trace import Trace, span_of

SPANS_MAX = 10_000  # of one run
ERROR_CHARS_MAX = 500


class RunSpans:
    """Makes the spans of one run, record by record. It keeps none of the run's values.

    Args:
        run: in any of its states.
        trace: the run's own place.
        parent_id: span that started it; empty for none.
        take: takes each span when it has ended.

    Attributes:
        muted: spans that end now were handed over before.
    """

    __slots__ = (
        "_begun", "_last_ms", "_left_out", "_made", "_namespace", "_open", "_parent_id", "_plan", "_run_id", "_take",
        "_trace", "_trigger", "muted",
    )  # fmt: skip

    def __init__(self, run: Run, namespace: str, trace: Trace, parent_id: str, take: Callable[[Span], None]) -> None:
        self.muted = False
        self._run_id = run.run_id
        self._plan: Plan = run.plan
        self._trace = trace
        self._parent_id = parent_id
        self._namespace = namespace
        self._take = take
        self._begun: dict[int, int] = {}  # steps, when
        self._open: dict[tuple[int, int], int] = {}  # attempts, when they began
        self._trigger = ""
        self._made = 0
        self._left_out = 0
        self._last_ms = 0

    def hear(self, record: AnyRecord, at_ms: int) -> None:
        """Take the next record."""
        self._last_ms = at_ms
        heard = _HEARD.get(type(record))
        if heard is not None:
            heard(self, record, at_ms)

    def _run_started(self, record: RunStarted, at_ms: int) -> None:
        self._trigger = record.trigger

    def _step_begun(self, record: StepReady | WaitStarted, at_ms: int) -> None:
        self._begun.setdefault(record.step, at_ms)

    def _attempt_begun(self, record: AttemptStarted, at_ms: int) -> None:
        self._begun.setdefault(record.step, at_ms)
        self._open[record.step, record.attempt] = at_ms

    def _succeeded(self, record: AttemptSucceeded, at_ms: int) -> None:
        self._attempt(record.step, record.attempt, at_ms)
        self._step(record.step, at_ms, StepState.SUCCEEDED)

    def _failed(self, record: AttemptFailed, at_ms: int) -> None:
        self._attempt(record.step, record.attempt, at_ms, "CANCELED" if record.canceled else _told(record.failure))
        if not record.retry_at_ms:
            state = StepState.CANCELED if record.canceled else StepState.FAILED
            self._step(record.step, at_ms, state, "" if record.canceled else _told(record.failure))

    def _lost(self, record: AttemptLost, at_ms: int) -> None:
        told = _told(record.failure) if record.failure is not None else "ATTEMPT_LOST: nobody can say how it ended"
        self._attempt(record.step, record.attempt, at_ms, told)
        if record.verdict in (LOST_FAILED, LOST_CANCELED):
            self._step(record.step, at_ms, StepState.FAILED, told)

    def _wait_ended(self, record: WaitEnded, at_ms: int) -> None:
        self._step(record.step, at_ms, StepState.SUCCEEDED)

    def _step_ended(self, record: StepEnded, at_ms: int) -> None:
        self._step(record.step, at_ms, StepState(record.state), _told(record.failure) if record.failure else "")

    def _attempt(self, step: int, number: int, at_ms: int, error: str = "") -> None:
        began_ms = self._open.pop((step, number), None)
        if began_ms is None:  # begun and ended in one decision
            began_ms = self._begun.setdefault(step, at_ms)
        plan = self._plan.steps[step]
        about: Attributes = {"hostd.attempt": number, **self._about(step)}
        self._add(f"attempt {plan.uses}", span_of(self._run_id, plan.id, number), began_ms, at_ms, about, error)

    def _step(self, step: int, at_ms: int, state: StepState, error: str = "") -> None:
        began_ms = self._begun.pop(step, None)
        if began_ms is None and state not in (StepState.SUCCEEDED, StepState.FAILED):
            return  # it never began: skipped, or canceled before
        plan = self._plan.steps[step]
        about: Attributes = {"hostd.state": state.name, **self._about(step)}
        own = span_of(self._run_id, plan.id)
        began_ms = at_ms if began_ms is None else began_ms
        self._add(f"step {plan.id}", own, began_ms, at_ms, about, error, parent_id=self._trace.span_id)

    def _about(self, step: int) -> Attributes:
        plan = self._plan.steps[step]
        return {"hostd.run_id": self._run_id, "hostd.step": plan.id, "hostd.action": plan.uses}

    def _add(
        self, name: str, span_id: str, began_ms: int, at_ms: int, about: Attributes, error: str, parent_id: str = ""
    ) -> None:
        if self._made >= SPANS_MAX:
            self._left_out += 1
            return
        self._made += 1
        if self.muted:
            return
        parent_id = parent_id or span_of(self._run_id, str(about["hostd.step"]))
        place = self._trace._replace(span_id=span_id)
        self._take(Span(name, place, parent_id, began_ms, at_ms, "internal", about, error))

    def end(self, run: Run) -> None:
        """Hand over what is still open, and the run's own span. Once, with the run in its final state."""
        for step, number in list(self._open):
            self._attempt(step, number, self._last_ms, "CANCELED: the run ended first")
        for step in list(self._begun):
            state = run.states[step]
            self._step(step, self._last_ms, StepState(state) if step_is_final(state) else StepState.CANCELED)
        about: Attributes = {
            "hostd.run_id": run.run_id,
            "hostd.namespace": self._namespace,
            "hostd.workflow": self._plan.workflow,
            "hostd.version": self._plan.version,
            "hostd.outcome": RunState(run.state).name,
        }
        about |= {"hostd.trigger": self._trigger} if self._trigger else {}
        about |= {"hostd.spans_left_out": self._left_out} if self._left_out else {}
        failed = run.state != RunState.SUCCEEDED
        error = f"{run.reason or RunState(run.state).name}: {run.message}"[:ERROR_CHARS_MAX] if failed else ""
        times = (float(run.started_at_ms), float(self._last_ms))
        kind: SpanKind = "consumer" if self._trigger else "internal"
        self._take(Span(f"run {self._plan.workflow}", self._trace, self._parent_id, *times, kind, about, error))


_HEARD: dict[type, Callable[[RunSpans, Any, int], None]] = {
    RunStarted: RunSpans._run_started,
    StepReady: RunSpans._step_begun,
    WaitStarted: RunSpans._step_begun,
    AttemptStarted: RunSpans._attempt_begun,
    AttemptSucceeded: RunSpans._succeeded,
    AttemptFailed: RunSpans._failed,
    AttemptLost: RunSpans._lost,
    WaitEnded: RunSpans._wait_ended,
    StepEnded: RunSpans._step_ended,
}


def _told(failure: Failure) -> str:
    return f"{failure.code or failure.reason}: {failure.message}"[:ERROR_CHARS_MAX]
