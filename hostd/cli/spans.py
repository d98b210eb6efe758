"""What a run's steps did when, folded from its records: running, waiting, between tries. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, NamedTuple, TypeAlias

from hostd.values.times import parse_time_ms

Doing: TypeAlias = Literal["queue", "run", "retry", "wait"]
"""queue: waits for a slot; run: an attempt; retry: between two attempts; wait: a wait of the document."""


class Span(NamedTuple):
    """Some time of one step. `end_ms` None: it goes on. `failed`: the attempt did."""

    doing: Doing
    start_ms: int
    end_ms: int | None = None
    failed: bool = False


class StepSpans:
    """The spans of one step, in order."""

    def __init__(self) -> None:
        self.spans: list[Span] = []

    def begin(self, doing: Doing, at_ms: int) -> None:
        """Begin to do something; what was done before ends."""
        self.end(at_ms)
        self.spans.append(Span(doing, at_ms))

    def end(self, at_ms: int, *, failed: bool = False) -> None:
        """End what is done now."""
        if self.spans and self.spans[-1].end_ms is None:
            self.spans[-1] = self.spans[-1]._replace(end_ms=at_ms, failed=failed)

    def ended_attempt(self, at_ms: int, *, failed: bool) -> None:
        """End an attempt; one that never said that it began took no time."""
        if not self.spans or self.spans[-1].end_ms is not None or self.spans[-1].doing != "run":
            self.begin("run", at_ms)
        self.end(at_ms, failed=failed)


def spans_of(records: Iterable[dict[str, Any]]) -> dict[str, list[Span]]:
    """Return the spans of each step that did anything, by step id, from records as `-o json` prints them."""
    steps: dict[str, StepSpans] = {}
    for record in records:
        at_ms = parse_time_ms(record["time"]) if record["time"] else 0
        if record["kind"] in ("RUN_ENDED", "TERMINATED"):
            for step in steps.values():
                step.end(at_ms)
        elif record["step"]:
            _fold(steps.setdefault(record["step"], StepSpans()), record, at_ms)
    return {name: step.spans for name, step in steps.items()}


def _fold(step: StepSpans, record: dict[str, Any], at_ms: int) -> None:
    kind = record["kind"]
    if kind == "STEP_READY":
        step.begin("queue", at_ms)
    elif kind == "ATTEMPT_STARTED":
        step.begin("run", at_ms)
    elif kind == "WAIT_STARTED":
        step.begin("wait", at_ms)
    elif kind in ("ATTEMPT_SUCCEEDED", "ATTEMPT_FAILED", "ATTEMPT_LOST"):
        step.ended_attempt(at_ms, failed=kind != "ATTEMPT_SUCCEEDED")
        if record["due_time"] or record["step_state"] in ("RETRYING", "READY"):
            step.begin("retry", at_ms)
    elif kind in ("WAIT_ENDED", "STEP_ENDED"):
        step.end(at_ms, failed=record["step_state"] == "FAILED")
