"""Counting what happens: hears of every durable turn before the watchers do; the rest is read at each scrape."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from hostd.engine.state import Run
from hostd.journal.port import Appended
from hostd.model.records import (
    AttemptFailed,
    AttemptLost,
    AttemptSucceeded,
    Record,
    RunEnded,
    RunStarted,
    StepEnded,
    Terminated,
    WaitEnded,
)
from hostd.model.states import RunState, StepState
from hostd.runtime.turn import Change
from hostd.telemetry.meter import Counter, Histogram, Meter

_LOST_AGAIN_MAX = 1  # verdicts up to here issue the attempt again


class Listener(Protocol):
    """Hears of durable turns."""

    def publish(self, appended: Appended, changes: list[Change]) -> None: ...

    def held(self, run: int, appended: Appended) -> None: ...


class Metering:
    """Counts durable turns and hands them on."""

    def __init__(self, meter: Meter, then: Listener) -> None:
        self._meter = meter
        self._then = then
        self._steps = {state: meter.counter("hostd_steps_ended_total", state=state.name) for state in StepState}
        self._started = {
            source: meter.counter("hostd_runs_started_total", source=source) for source in ("client", "trigger")
        }
        self._ended: dict[int, tuple[Counter, Histogram]] = {}  # by state; made once
        self._counts: dict[type[Record], Callable[[Run, Any, int], None]] = {
            RunStarted: self._run_started,
            RunEnded: self._run_ended,
            Terminated: self._run_ended,
            AttemptSucceeded: lambda *_: self._steps[StepState.SUCCEEDED].inc(),
            WaitEnded: lambda *_: self._steps[StepState.SUCCEEDED].inc(),
            StepEnded: lambda run, record, at_ms: self._steps[StepState(record.state)].inc(),
            AttemptFailed: self._attempt_failed,
            AttemptLost: self._attempt_lost,
        }

    def publish(self, appended: Appended, changes: list[Change]) -> None:
        """Count, then tell the watchers."""
        counts = self._counts
        for change in changes:
            for record in change.records:
                count = counts.get(type(record))
                if count is not None:
                    count(change.run, record, appended.at_ms)
        self._then.publish(appended, changes)

    def held(self, run: int, appended: Appended) -> None:
        """Tell the watchers of a run that nothing moves any more."""
        self._then.held(run, appended)

    def _run_started(self, run: Run, record: RunStarted, at_ms: int) -> None:
        self._started["trigger" if record.trigger else "client"].inc()

    def _run_ended(self, run: Run, record: Record, at_ms: int) -> None:
        children = self._ended.get(run.state)
        if children is None:
            outcome = RunState(run.state).name
            children = self._ended[run.state] = (
                self._meter.counter("hostd_runs_ended_total", outcome=outcome),
                self._meter.histogram("hostd_run_seconds", outcome=outcome),
            )
        ended, seconds = children
        ended.inc()
        seconds.observe((at_ms - run.started_at_ms) / 1000)

    def _attempt_failed(self, run: Run, record: AttemptFailed, at_ms: int) -> None:
        if record.canceled:
            self._steps[StepState.CANCELED].inc()
        elif not record.retry_at_ms:
            self._steps[StepState.FAILED].inc()

    def _attempt_lost(self, run: Run, record: AttemptLost, at_ms: int) -> None:
        if record.verdict > _LOST_AGAIN_MAX:
            self._steps[StepState.FAILED].inc()


class AttemptCounts:
    """Counts attempts as effects sees them end; children are made once."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._ended: dict[tuple[str, str], Counter] = {}

    def ended(self, executor: str, outcome: str) -> None:
        """Count one attempt: outcome SUCCEEDED, FAILED or CANCELED."""
        key = (executor, outcome)
        child = self._ended.get(key)
        if child is None:
            child = self._ended[key] = self._meter.counter(
                "hostd_attempts_ended_total", executor=executor, outcome=outcome
            )
        child.inc()


def tally(names: Sequence[str]) -> dict[tuple[str, ...], float]:
    """Return how often each name occurs, as a reading with one label."""
    return {(name,): float(count) for name, count in Tally(names).items()}
