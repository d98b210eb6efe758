"""Runs as the client returns them: frozen dataclasses with the names of the proto, values as Python has them.

Times are aware datetimes in UTC. A value past 32 KiB is `{"$blob": digest, "size_bytes": n}`, which `read_blob` takes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias

from hostd.client.error_kinds import RunUnsuccessful

RunState: TypeAlias = Literal[
    "", "PENDING", "RUNNING", "WAITING", "PAUSED", "CANCELING", "COMPENSATING", "HELD",
    "SUCCEEDED", "FAILED", "CANCELED", "TIMED_OUT",
]  # fmt: skip
Outcome: TypeAlias = Literal["", "SUCCEEDED", "FAILED", "CANCELED", "TIMED_OUT"]
StepState: TypeAlias = Literal[
    "", "PENDING", "READY", "RUNNING", "WAITING", "RETRYING", "SUCCEEDED", "FAILED", "SKIPPED", "CANCELED"
]
ChangeKind: TypeAlias = Literal["ADDED", "MODIFIED", "DELETED"]
FINAL = ("SUCCEEDED", "FAILED", "CANCELED", "TIMED_OUT")


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an attempt, a step or a run failed."""

    reason: str
    code: str
    """The plugin's or script's own word for it."""
    message: str
    retryable: bool
    details: Any
    step: str
    attempt: int


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a run."""

    id: str
    uses: str
    state: StepState
    result: StepState
    """State after `on_error`; empty while it has not ended."""
    attempts: int
    start_time: datetime | None
    end_time: datetime | None
    due_time: datetime | None
    output: Any
    error: Failure | None
    needs: tuple[str, ...]
    handler: str


@dataclass(frozen=True, slots=True)
class Run:
    """One durable execution of one workflow version. Lists and watches leave out input, output, failures and steps."""

    run_id: str
    key: str
    namespace: str
    workflow: str
    version: str
    state: RunState
    outcome: Outcome
    reason: str
    message: str
    labels: dict[str, str]
    trigger: str
    parent: str
    create_time: datetime | None
    end_time: datetime | None
    due_time: datetime | None
    input: Any
    output: Any
    failures: tuple[Failure, ...]
    steps: tuple[Step, ...]
    principal: str
    signals: dict[str, int]

    @property
    def final(self) -> bool:
        """Whether it has ended."""
        return self.state in FINAL

    @property
    def succeeded(self) -> bool:
        """Whether it has ended as it should."""
        return self.state == "SUCCEEDED"

    def step(self, name: str) -> Step:
        """Return a step by its name. Raises KeyError."""
        for step in self.steps:
            if step.id == name:
                return step
        raise KeyError(name)

    def result(self) -> Any:
        """Return the output of a run that succeeded.

        Raises:
            RunUnsuccessful: it ended otherwise; `error.run` is this run.
            ValueError: it has not ended.
        """
        if self.succeeded:
            return self.output
        if not self.final:
            raise ValueError(f"the run {self.run_id} has not ended: it is {self.state}")
        raise RunUnsuccessful.of(self)


@dataclass(frozen=True, slots=True)
class Record:
    """One durable fact of a run's history. A field is set where its kind has it."""

    seq: int
    kind: str
    """Such as RUN_STARTED, ATTEMPT_FAILED, RUN_ENDED."""
    time: datetime | None
    principal: str
    step: str
    attempt: int
    step_state: StepState
    run_state: RunState
    value: Any
    failure: Failure | None
    due_time: datetime | None
    reason: str
    message: str
    log_tail: tuple[str, ...]
    signal: str


@dataclass(frozen=True, slots=True)
class RunChange:
    """One change of one run, seen through a watch's filter."""

    kind: ChangeKind
    """ADDED also for what was there when the watch began; DELETED also for what does not match any more."""
    run: Run


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line that an attempt logged."""

    step: str
    attempt: int
    text: str


@dataclass(frozen=True, slots=True)
class Logs:
    """What the attempts of a run logged: at most 1 MiB, the last lines. Iterates over its lines."""

    lines: tuple[LogLine, ...]
    truncated: bool
    """Whether earlier lines were left out."""

    def __iter__(self) -> Iterator[LogLine]:
        return iter(self.lines)


@dataclass(frozen=True, slots=True)
class Blob:
    """A large value, as bytes."""

    data: bytes
    content_type: str
