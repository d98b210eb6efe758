"""The spans of a run, its steps and attempts: made from its history when it has ended, whoever began it.

So nothing of a run is missing that a daemon saw which was killed since, and turns of the engine loop make no spans.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
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
    """Collects the spans of one run, record by record.

    Args:
        trace: the run's own place.
        parent_id: span that started it; empty for none.
    """

    def __init__(self, run: Run, namespace: str, trace: Trace, parent_id: str) -> None:
        self._run = run
        self._plan: Plan = run.plan
        self._trace = trace
        self._parent_id = parent_id
        self._namespace = namespace
        self._begun: dict[int, int] = {}  # steps, when
        self._open: dict[tuple[int, int], int] = {}  # attempts, when they began
        self._trigger = ""
        self._left_out = 0
        self._last_ms = 0
        self.spans: list[Span] = []

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
        self._add(f"attempt {plan.uses}", span_of(self._run.run_id, plan.id, number), began_ms, at_ms, about, error)

    def _step(self, step: int, at_ms: int, state: StepState, error: str = "") -> None:
        began_ms = self._begun.pop(step, None)
        if began_ms is None and state not in (StepState.SUCCEEDED, StepState.FAILED):
            return  # it never began: skipped, or canceled before
        plan = self._plan.steps[step]
        about: Attributes = {"hostd.state": state.name, **self._about(step)}
        own = span_of(self._run.run_id, plan.id)
        began_ms = at_ms if began_ms is None else began_ms
        self._add(f"step {plan.id}", own, began_ms, at_ms, about, error, parent_id=self._trace.span_id)

    def _about(self, step: int) -> Attributes:
        plan = self._plan.steps[step]
        return {"hostd.run_id": self._run.run_id, "hostd.step": plan.id, "hostd.action": plan.uses}

    def _add(
        self, name: str, span_id: str, began_ms: int, at_ms: int, about: Attributes, error: str, parent_id: str = ""
    ) -> None:
        if len(self.spans) >= SPANS_MAX:
            self._left_out += 1
            return
        parent_id = parent_id or span_of(self._run.run_id, str(about["hostd.step"]))
        place = self._trace._replace(span_id=span_id)
        self.spans.append(Span(name, place, parent_id, began_ms, at_ms, "internal", about, error))

    def end(self) -> list[Span]:
        """Return all spans; the run's own is the last."""
        run = self._run
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
        self.spans.append(Span(f"run {self._plan.workflow}", self._trace, self._parent_id, *times, kind, about, error))
        return self.spans


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


def spans_of_run(
    run: Run, namespace: str, trace: Trace, parent_id: str, history: Iterable[tuple[int, AnyRecord]]
) -> list[Span]:
    """Return the spans of a run that has ended.

    Args:
        history: all its records in order, each with when it was decided, in milliseconds.
    """
    found = RunSpans(run, namespace, trace, parent_id)
    for at_ms, record in history:
        found.hear(record, at_ms)
    return found.end()


def _told(failure: Failure) -> str:
    return f"{failure.code or failure.reason}: {failure.message}"[:ERROR_CHARS_MAX]
