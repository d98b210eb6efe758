"""The spans of a run, from its records alone, each handed over with the record that ends it."""

from __future__ import annotations

from typing import Any

import pytest
from lab import Lab

from hostd.engine.state import Run
from hostd.model.records import (
    AttemptLost,
    AttemptStarted,
    AttemptSucceeded,
    RunEnded,
    RunStarted,
    StepEnded,
    StepReady,
    Terminated,
    WaitEnded,
    WaitStarted,
)
from hostd.model.states import RunState, StepState
from hostd.runtime.runs import run_spans
from hostd.runtime.runs.run_spans import RunSpans
from hostd.telemetry.spans import Span
from hostd.values.trace import Trace, span_of

OWN = Trace("0af7651916cd43dd8448eb211c80319c", span_of("r"), True)
WORK = """
workflow: work
steps:
  a: {uses: mock.noop}
  b: {uses: flow.wait, with: {duration: 1s}}
  c: {uses: mock.noop, needs: a}
"""


async def spans(*history: tuple[int, Any], state: RunState = RunState.SUCCEEDED) -> dict[str, Span]:
    """Return the spans of a history of WORK, by name."""
    lab = await Lab(None).open()
    try:
        plan = (await lab.core.workflows.plans.resolve("default", await lab.register(WORK))).plan
    finally:
        await lab.close()
    run = Run(plan, run_id="r", state=state.value, started_at_ms=1_000)
    found: list[Span] = []
    made = RunSpans(run, "default", OWN, "1" * 16, found.append)
    for at_ms, record in history:
        made.hear(record, at_ms)
        assert all(span.ended_ms <= at_ms for span in found)
    made.end(run)
    return {f"{span.name} {span.attributes.get('hostd.attempt', '')}".strip(): span for span in found}


async def test_each_span_lies_in_its_place() -> None:
    """Attempts in steps, steps in the run, the run in what started it; a lost attempt is one that failed."""
    found = await spans(
        (1_000, RunStarted(trigger="hook")),
        (1_010, StepReady(step=0)),
        (1_020, AttemptStarted(step=0, attempt=1)),
        (1_000, WaitStarted(step=1)),
        (5_000, AttemptLost(step=0, attempt=1, verdict=0)),
        (5_010, AttemptStarted(step=0, attempt=2)),
        (5_020, AttemptSucceeded(step=0, attempt=2)),
        (6_000, WaitEnded(step=1)),
        (6_000, StepEnded(step=2, state=StepState.SKIPPED.value)),
        (6_000, RunEnded(outcome=RunState.SUCCEEDED.value)),
    )

    assert list(found) == ["attempt mock.noop 1", "attempt mock.noop 2", "step a", "step b", "run work"]
    times = {name: (span.began_ms, span.ended_ms) for name, span in found.items()}
    assert (times["attempt mock.noop 1"], times["attempt mock.noop 2"]) == ((1_020, 5_000), (5_010, 5_020))
    assert (times["step a"], times["step b"], times["run work"]) == ((1_010, 5_020), (1_000, 6_000), (1_000, 6_000))
    assert found["attempt mock.noop 2"].parent_id == found["step a"].trace.span_id == span_of("r", "a")
    assert found["step a"].parent_id == found["run work"].trace.span_id == OWN.span_id
    assert (found["run work"].parent_id, found["run work"].kind) == ("1" * 16, "consumer")
    assert found["attempt mock.noop 1"].error.startswith("ATTEMPT_LOST")
    assert not any(span.error for name, span in found.items() if name != "attempt mock.noop 1")


async def test_what_is_open_ends_with_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminated run leaves no span without an end; past the bound spans are counted on the run's own."""
    history = [
        (1_000, RunStarted()),
        (1_000, AttemptStarted(step=0, attempt=1)),
        (1_000, WaitStarted(step=1)),
        (2_000, Terminated()),
    ]
    found = await spans(*history, state=RunState.CANCELED)
    assert {name: span.ended_ms for name, span in found.items()} == dict.fromkeys(
        ("attempt mock.noop 1", "step a", "step b", "run work"), 2_000
    )
    assert found["attempt mock.noop 1"].error.startswith("CANCELED")
    monkeypatch.setattr(run_spans, "SPANS_MAX", 1)
    found = await spans(*history, state=RunState.CANCELED)
    assert list(found) == ["attempt mock.noop 1", "run work"]
    assert found["run work"].attributes["hostd.spans_left_out"] == 2
