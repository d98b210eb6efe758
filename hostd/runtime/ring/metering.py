"""Counting what happens: hears of every durable turn before the watchers do; the rest is read at each scrape."""

from __future__ import annotations

import logging
from collections import Counter as Tally
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from hostd.aio import Clock
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
from hostd.model.states import RunState, StepState, run_is_final, step_is_final
from hostd.runtime.ring.census import Census
from hostd.runtime.ring.turn import Change, Turn
from hostd.telemetry.meter import Counter, Histogram, Meter

LAG_EVERY_S = 1.0
STEP_S = 1.0  # NTP moves a clock by less, unless it sets it
WORKFLOWS_MAX = 1_000
_ATTENDED = ("JOURNAL_FULL", "JOURNAL_BUSY", "JOURNAL_FAILED")  # counted from the start: a rate sees the first one
_log = logging.getLogger("hostd.runtime")
_LOST_AGAIN_MAX = 1  # verdicts up to here issue the attempt again


class Listener(Protocol):
    """Hears of durable turns."""

    def publish(self, appended: Appended, changes: list[Change]) -> None: ...

    def held(self, run: int, appended: Appended) -> None: ...


class Metering:
    """Counts durable turns and hands them on."""

    def __init__(self, meter: Meter, then: Listener, census: Census) -> None:
        self._meter = meter
        self._census = census
        self.then = then  # who hears next; may change
        self._steps = {
            state: meter.counter("hostd_steps_ended_total", state=state.name)
            for state in StepState
            if step_is_final(state)
        }
        succeeded = self._steps[StepState.SUCCEEDED]
        self._started = {
            source: meter.counter("hostd_runs_started_total", source=source) for source in ("client", "trigger")
        }
        for state in RunState:
            if run_is_final(state):
                meter.counter("hostd_runs_ended_total", outcome=state.name)
        self._ended: dict[int, tuple[Counter, Histogram]] = {}  # by state; made once
        self._by_workflow: dict[tuple[str, int], Counter] = {}
        self._counts: dict[type[Record], Callable[[Run, Any, int], None]] = {
            RunStarted: self._run_started,
            RunEnded: self._run_ended,
            Terminated: self._run_ended,
            AttemptSucceeded: lambda *_: succeeded.inc(),
            WaitEnded: lambda *_: succeeded.inc(),
            StepEnded: lambda run, record, at_ms: self._steps[StepState(record.state)].inc(),
            AttemptFailed: self._attempt_failed,
            AttemptLost: self._attempt_lost,
        }

    def publish(self, appended: Appended, changes: list[Change]) -> None:
        """Count, then tell the watchers."""
        self._census.move(appended.first_pos, changes)
        counts = self._counts
        for change in changes:
            for record in change.records:
                count = counts.get(type(record))
                if count is not None:
                    count(change.run, record, appended.at_ms)
        self.then.publish(appended, changes)

    def held(self, run: int, appended: Appended) -> None:
        """Tell the watchers of a run that nothing moves any more."""
        self._census.recount()
        self.then.held(run, appended)

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
        self._of_workflow(run).inc()
        if run.trace:
            seconds.observe_traced((at_ms - run.started_at_ms) / 1000, run.trace[3:35], at_ms / 1000)
        else:
            seconds.observe((at_ms - run.started_at_ms) / 1000)

    def _of_workflow(self, run: Run) -> Counter:
        key = (run.plan.workflow, run.state)
        child = self._by_workflow.get(key)
        if child is None:
            if len(self._by_workflow) >= WORKFLOWS_MAX:
                self._by_workflow.clear()  # the meter knows which count under `other`
            outcome = RunState(run.state).name
            child = self._meter.counter("hostd_workflow_runs_ended_total", workflow=run.plan.workflow, outcome=outcome)
            self._by_workflow[key] = child
        return child

    def _attempt_failed(self, run: Run, record: AttemptFailed, at_ms: int) -> None:
        if record.canceled:
            self._steps[StepState.CANCELED].inc()
        elif not record.retry_at_ms:
            self._steps[StepState.FAILED].inc()

    def _attempt_lost(self, run: Run, record: AttemptLost, at_ms: int) -> None:
        if record.verdict > _LOST_AGAIN_MAX:
            self._steps[StepState.FAILED].inc()


class RingMeter:
    """Times turns of the engine loop and their appends."""

    def __init__(self, meter: Meter, clock: Clock) -> None:
        self._meter = meter
        self._clock = clock
        self._messages = meter.histogram("hostd_turn_messages")
        self._seconds = meter.histogram("hostd_turn_seconds")
        self._append_seconds = meter.histogram("hostd_journal_append_seconds")
        self._bytes = meter.counter("hostd_journal_append_bytes_total")
        self._inline = meter.counter("hostd_journal_appends_total", mode="inline")
        self._writer = meter.counter("hostd_journal_appends_total", mode="writer")
        for reason in _ATTENDED:
            meter.counter("hostd_journal_failures_total", reason=reason)

    def decided(self, turn: Turn, messages: int) -> None:
        """A turn has been decided and is about to be appended."""
        turn.handed_s = self._clock.monotonic_s()
        self._messages.observe(messages)
        self._seconds.observe(turn.handed_s - turn.now_s)

    def durable(self, turn: Turn, *, inline: bool) -> None:
        """Its append is durable: made at once on the loop, or by the writer."""
        (self._inline if inline else self._writer).inc()
        self._append_seconds.observe(self._clock.monotonic_s() - turn.handed_s)
        self._bytes.inc(turn.size_bytes)

    def failed(self, reason: str) -> None:
        """Its append failed."""
        self._meter.counter("hostd_journal_failures_total", reason=reason).inc()


class AttemptTimes:
    """Times attempts that waited, and the steps that succeed by them; children are made once."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._seconds: dict[str, Histogram] = {}
        self._steps: dict[str, Histogram] = {}

    def succeeded(self, executor: str, seconds: float) -> None:
        """Note how long a step took, from its being ready."""
        child = self._steps.get(executor)
        if child is None:
            child = self._steps[executor] = self._meter.histogram("hostd_step_seconds", executor=executor)
        child.observe(max(0.0, seconds))

    def took(self, executor: str, seconds: float) -> None:
        """Note how long one attempt took."""
        child = self._seconds.get(executor)
        if child is None:
            child = self._seconds[executor] = self._meter.histogram("hostd_attempt_seconds", executor=executor)
        child.observe(seconds)


async def measure_lag(meter: Meter, clock: Clock, every_s: float = LAG_EVERY_S) -> None:
    """Measure for ever how late the event loop runs what is due, and see when the machine's clock is set."""
    lag = meter.histogram("hostd_loop_lag_seconds")
    steps = {way: meter.counter("hostd_clock_steps_total", direction=way) for way in ("BACK", "FORWARD")}
    ahead_s = _wall_ahead_s(clock)
    while True:
        due_s = clock.monotonic_s() + every_s
        await clock.sleep(every_s)
        lag.observe(max(0.0, clock.monotonic_s() - due_s))
        before_s, ahead_s = ahead_s, _wall_ahead_s(clock)
        by_s = ahead_s - before_s
        if abs(by_s) >= STEP_S:
            steps["FORWARD" if by_s > 0 else "BACK"].inc()
            _log.warning("clock_stepped by_s=%.1f message=%s", by_s, "it was set, or the machine slept")


def _wall_ahead_s(clock: Clock) -> float:
    """Return how far the wall is ahead of monotonic time; read again where the thread was held up between the two."""
    while True:
        before_s, wall_ms, after_s = clock.monotonic_s(), clock.wall_ms(), clock.monotonic_s()
        if after_s - before_s < STEP_S / 10:
            return wall_ms / 1000 - after_s


def tallied(counts: Mapping[str, int]) -> dict[tuple[str, ...], float]:
    """Return a tally of names as a reading with one label."""
    return {(name,): float(count) for name, count in counts.items()}


def tally(names: Sequence[str]) -> dict[tuple[str, ...], float]:
    """Return how often each name occurs, as a reading with one label."""
    return tallied(Tally(names))
