"""Dialogues with the engine: `book >> message << "what it answers" << ...`.

Answers are the records, then the commands, of one decision, each as a line of text (see `record_text`,
`command_text`); `<< NOTHING` says there are none. After every message the book checks that the state passed in was
not changed, and that folding all records from nothing gives the state; `close` checks that nothing was left unsaid.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hostd.definition.plan import Plan
from hostd.engine.decide import begin, decide
from hostd.engine.draft import Decision, Needs, Refused, Stamp
from hostd.engine.evolve import fold
from hostd.engine.state import Run
from hostd.model import commands, messages, records
from hostd.model.ids import make_run_id, stored_id
from hostd.model.payload import Blob, to_blob
from hostd.model.states import RunState, StepState
from hostd.values.json_text import dump_json

START_MS = 1_700_000_000_000
RUN_ID = make_run_id(0xBEEF, START_MS, 42)
NOTHING = "nothing"

Said = Callable[[Run], Any]
"""A message that is made when it is said, because it names an attempt by what the run last started."""


class Playbook:
    """One run's dialogue. `permits` and `blobs` go into every stamp; the clock stands until `later` or `tick`."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.run: Run | None = None
        self.at_ms = START_MS
        self.permits: Mapping[str, int] = {}
        self.blobs: dict[bytes, bytes] = {}
        self.decision: Decision | Needs | Refused = Decision()
        self.history: list[tuple[int, Any]] = []
        self.prefixes: list[tuple[int, tuple[Any, ...]]] = []  # (records so far, the state they lead to)
        self.unsaid: list[str] = []

    # -- saying

    def __rshift__(self, message: Any) -> Playbook:
        """Say a message; whatever the last one was answered with must have been heard."""
        self.close()
        if callable(message):
            message = message(self.run)
        self.decision = self._decide(message)
        if isinstance(self.decision, Needs):
            self.unsaid = ["needs " + " ".join(sorted(digest.hex()[:8] for digest in self.decision.digests))]
            return self
        if isinstance(self.decision, Refused):
            self.unsaid = [f"refused {self.decision.error.reason}"]
            return self
        self._take(self.decision)
        return self

    def _decide(self, message: Any) -> Decision | Needs | Refused:
        stamp = Stamp(self.at_ms, self.permits, self.blobs)
        if isinstance(message, messages.Begin):
            return begin(self.plan, message, stamp)
        assert self.run is not None, "begin first"
        before = self.run.snapshot_key()
        decision = decide(self.run, message, stamp)
        assert self.run.snapshot_key() == before, "the state passed in was changed"
        return decision

    def _take(self, decision: Decision) -> None:
        for blob in decision.blobs:
            self.blobs[blob.digest] = blob.data
        self.history += [(self.at_ms, record) for record in decision.records]
        if decision.run is not None:
            self.run = decision.run
        assert self.run is not None
        state = self.run.snapshot_key()
        assert fold(self.plan, self.history).snapshot_key() == state, "folding from nothing gives another state"
        self.prefixes.append((len(self.history), state))
        self.unsaid = [record_text(self.plan, record) for record in decision.records]
        self.unsaid += [command_text(self.plan, command) for command in decision.commands]
        self.unsaid = self.unsaid or [NOTHING]

    # -- hearing

    def __lshift__(self, line: str) -> Playbook:
        """Hear the next line."""
        assert self.unsaid, f"the engine said nothing more; expected {line!r}"
        heard = self.unsaid.pop(0)
        assert heard == line, f"the engine said {heard!r}, expected {line!r}; then {self.unsaid}"
        return self

    def skip(self) -> Playbook:
        """Let the rest of the answer be whatever it is."""
        self.unsaid = []
        return self

    def close(self) -> None:
        """Check that every answer was heard."""
        assert not self.unsaid, f"the engine also said {self.unsaid}"

    # -- the clock

    def later(self, ms: int) -> Playbook:
        """Let time pass; nobody is told."""
        self.at_ms += ms
        return self

    # -- asking

    @property
    def state(self) -> str:
        """Return the run's state as a word."""
        assert self.run is not None
        return RunState(self.run.state).name

    def step(self, step_id: str) -> str:
        """Return a step's state as a word."""
        assert self.run is not None
        return StepState(self.run.states[index_of(self.plan, step_id)]).name

    def steps(self) -> dict[str, str]:
        """Return the states of all steps, handlers too."""
        return {step.id: self.step(step.id) for step in self.plan.steps}


# -- messages


def start(
    value: Any = None, *, key: str = "", lineage: str = "", env: Mapping[str, str] | None = None
) -> messages.Begin:
    """Begin the run; a value past 32 KiB becomes a blob that comes with the message."""
    data, blob = to_blob(b"" if value is None else dump_json(value))
    started = records.RunStarted(
        run_id=stored_id(RUN_ID),
        workflow="test",
        version="1.0.0",
        input=data,
        key=key,
        lineage=lineage,
        env=dict(env or {}),
    )
    return messages.Begin(started, (blob,) if blob else ())


def signal(name: str, value: Any = None, request_id: str = "") -> messages.Signal:
    """Say something from outside."""
    return messages.Signal(name, dump_json(value), value, request_id)


def index_of(plan: Plan, step_id: str) -> int:
    """Return a step's position; handlers are found by their name."""
    return plan.index[step_id] if step_id in plan.index else plan.handlers[step_id]


def last_attempt(run: Run, index: int) -> int:
    """Return the number of the attempt that runs, or ran last."""
    return run.attempts(index)


def done(step_id: str, value: Any = None, *, attempt: int = 0, store: bool = True) -> Said:
    """Say that an attempt (the last one) succeeded."""

    def message(run: Run) -> messages.AttemptDone:
        index = index_of(run.plan, step_id)
        data, blob = to_blob(dump_json(value))
        return messages.AttemptDone(index, attempt or last_attempt(run, index), data, blob if store else None)

    return message


def error(step_id: str, reason: str = "ACTION_FAILED", text: str = "no", *, attempt: int = 0, **more: Any) -> Said:
    """Say that an attempt (the last one) failed; retryable unless told otherwise."""
    code, retryable = more.pop("code", ""), more.pop("retryable", True)
    failure = records.Failure(reason, text, code=code, retryable=retryable, details=more.pop("details", b""))

    def message(run: Run) -> messages.AttemptError:
        index = index_of(run.plan, step_id)
        return messages.AttemptError(index, attempt or last_attempt(run, index), failure, **more)

    return message


def gone(step_id: str, *, attempt: int = 0, effects: str = "idempotent", suspect: bool = True) -> Said:
    """Say that nobody knows how an attempt (the last one) ended."""

    def message(run: Run) -> messages.AttemptGone:
        index = index_of(run.plan, step_id)
        return messages.AttemptGone(index, attempt or last_attempt(run, index), effects, suspect)

    return message


def slot(step_id: str, *, alone: bool = False) -> Said:
    """Say that a READY step may start."""
    return lambda run: messages.SlotFree(index_of(run.plan, step_id), alone)


def blob_of(value: Any) -> Blob:
    """Return a value as the blob it is stored as."""
    blob = to_blob(dump_json(value))[1]
    assert blob is not None, "too small for a blob"
    return blob


tick = messages.Tick()
cancel = messages.Cancel()
terminate = messages.Terminate()
pause = messages.Pause()
resume = messages.Resume()


# -- lines

_LOST = ("again", "again alone", "FAILED", "CANCELED")


def record_text(plan: Plan, record: Any) -> str:
    """Return a record as a line: `a#1 started`, `b SKIPPED`, `outcome FAILED RUN_TOO_LARGE` ..."""
    kind = type(record)
    name = plan.steps[record.step].id if hasattr(record, "step") else ""
    attempt = f"{name}#{record.attempt}" if hasattr(record, "attempt") else ""
    if kind is records.AttemptStarted:
        return f"{attempt} started" + (" alone" if record.alone else "")
    if kind is records.AttemptSucceeded:
        return f"{attempt} succeeded"
    if kind is records.AttemptFailed:
        return f"{attempt} failed {record.failure.reason}" + _after_failure(record)
    if kind is records.AttemptLost:
        return f"{attempt} lost {_LOST[record.verdict]}" + (f" {record.failure.reason}" if record.failure else "")
    if kind is records.StepEnded:
        return f"{name} {StepState(record.state).name}" + (f" {record.failure.reason}" if record.failure else "")
    if kind in (records.RunOutcome, records.RunEnded):
        word = "outcome" if kind is records.RunOutcome else "ended"
        return f"{word} {RunState(record.outcome).name}" + (f" {record.reason}" if record.reason else "")
    if kind is records.SignalReceived:
        return f"signal {record.name}"
    words = {
        records.RunStarted: "run started",
        records.CancelRequested: "cancel requested",
        records.Terminated: "terminated",
        records.Paused: "paused",
        records.Resumed: "resumed",
        records.RunTimedOut: "run timed out",
        records.FailFast: f"fail fast {name}",
        records.StepReady: f"{name} ready",
        records.WaitStarted: f"{name} waits",
        records.WaitEnded: f"{name} waited",
    }
    return words[kind]


def _after_failure(record: Any) -> str:
    if record.canceled:
        return " canceled"
    return " retry" if record.retry_at_ms else ""


def command_text(plan: Plan, command: Any) -> str:
    """Return a command as a line: `-> start a#1`, `-> cancel a#1`, `-> ask a`."""
    name = plan.steps[command.step].id
    alone = " alone" if getattr(command, "alone", False) else ""
    if isinstance(command, commands.AskSlot):
        return f"-> ask {name}{alone}"
    word = "start" if isinstance(command, commands.StartAttempt) else "cancel"
    return f"-> {word} {name}#{command.attempt}{alone}"
