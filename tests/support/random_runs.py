"""Random plans and random dialogues: every message a run may hear, in any order, some twice, some far too late."""

from __future__ import annotations

from typing import Any

import plans
from hypothesis import strategies as st
from playbook import Playbook, start

from hostd.definition.inputs import InputContract
from hostd.definition.plan import Plan, RetryPlan, StepKind
from hostd.engine.evolve import fold
from hostd.model import messages, records
from hostd.model.records import Failure
from hostd.model.states import StepState, run_is_final, step_is_final

_USES = ["test.act"] * 6 + ["other.act", "flow.wait", "flow.wait", "flow.pass", "flow.fail", "flow.end"]
_OPTIONS: dict[str, list[Any]] = {
    "flow.wait": [{"duration": "5s"}, {"duration": "0s"}, {"duration": "1h"}, {"duration": "=root('nowhere')"}],
    "flow.pass": [{"output": 1}, {"output": {"a": "=root('run')['id']"}}],
    "flow.fail": [{"message": "no"}],
    "flow.end": [{"state": "SUCCEEDED"}, {"state": "FAILED"}, {"state": "CANCELED"}, {"state": "NO"}],
}
_WHEN = [
    "",
    "",
    "",
    "True",
    "False",
    "failed()",
    "none_failed()",
    "always()",
    "canceled()",
    "failed() or canceled()",
    "1",
    "oops",
]
_RETRY = [
    None,
    RetryPlan(max_attempts=2, initial_interval_ms=1_000),
    RetryPlan(max_attempts=0, initial_interval_ms=500, retry_on_lost=True),
    RetryPlan(max_attempts=5, condition=plans.Formula("root('error')['attempt'] < 3")),
    RetryPlan(max_attempts=5, condition=plans.Formula("oops")),
]


@st.composite
def _steps(draw: Any, step_id: str, earlier: list[str]) -> dict[str, Any]:
    uses = draw(st.sampled_from(_USES))
    retry = draw(st.sampled_from(_RETRY)) if uses.endswith(".act") else None
    endless = retry is not None and retry.max_attempts == 0
    return plans.step(
        step_id,
        uses,
        needs=draw(st.lists(st.sampled_from(earlier), unique=True, max_size=3)) if earlier else (),
        when=draw(st.sampled_from(_WHEN)),
        options=draw(st.sampled_from(_OPTIONS.get(uses, [None, {"x": "=root('input')"}]))),
        retry=retry,
        deadline_ms=draw(st.sampled_from([20_000] if endless else [0, 0, 0, 3_000])),
        go_on=draw(st.booleans()),
    )


@st.composite
def random_plans(draw: Any) -> Plan:
    """Draw a plan: up to eight steps in any shape, any handlers, timeouts and fail_fast."""
    body: list[dict[str, Any]] = []
    for at in range(draw(st.integers(1, 8))):
        body.append(draw(_steps(f"s{at}", [step["id"] for step in body])))
    names = draw(st.lists(st.sampled_from(["success", "failure", "cancel", "exit"]), unique=True))
    return plans.plan(
        *body,
        handlers={name: draw(_steps(name, [])) for name in names},
        output=draw(st.sampled_from([None, "=result('s0')", "=oops"])),
        fail_fast=draw(st.booleans()),
        timeout_ms=draw(st.sampled_from([0, 0, 15_000])),
        signals={"S": InputContract({"type": "integer"})},
        cleanup_timeout_ms=draw(st.sampled_from([5_000, 300_000])),
    )


_KINDS = ["done"] * 8 + ["error"] * 6 + ["gone"] * 3 + ["slot"] * 4 + ["due"] * 5 + ["later"] * 2
_KINDS += ["repeat"] * 6 + [
    "crash",
    "cancel",
    "pause",
    "pause",
    "resume",
    "resume",
    "permits",
    "foreign",
    "signal",
    "signal",
]
MOVES = st.lists(
    st.tuples(st.sampled_from(_KINDS), st.integers(0, 1_000), st.floats(0, 1, exclude_max=True)), max_size=60
)
"""(kind, which, random number)."""


class Player:
    """Plays moves against a run, checks each answer, and at last drives the run to its end."""

    def __init__(self, plan: Plan) -> None:
        self.book = Playbook(plan)
        self.heard: list[Any] = []  # what was said, to be said again
        (self.book >> start({"n": 1})).skip()

    @property
    def run(self) -> Any:
        return self.book.run

    def say(self, message: Any) -> list[Any]:
        """Say a message and return the records it led to."""
        self.heard.append(message)
        before = len(self.book.history)
        (self.book >> message).skip()
        self._check_permits()
        return [record for _, record in self.book.history[before:]]

    def _check_permits(self) -> None:
        started: dict[str, int] = {}
        for command in getattr(self.book.decision, "commands", ()):
            if hasattr(command, "options") and not command.alone:
                action = self.book.plan.steps[command.step].uses
                started[action] = started.get(action, 0) + 1
        for action, free in self.book.permits.items():
            assert started.get(action, 0) <= free

    def in_state(self, state: StepState) -> list[int]:
        """Return the active steps that are in a state."""
        return [index for index in self.run.active if self.run.states[index] == state]

    def play(self, kind: str, which: int, random: float) -> None:
        """Make one move; one that makes no sense now is left out, or is a message that must change nothing."""
        getattr(self, f"_{kind}")(which, random)

    def _pick(self, state: StepState, which: int) -> int | None:
        steps = self.in_state(state)
        return steps[which % len(steps)] if steps else None

    def _done(self, which: int, random: float) -> None:
        index = self._pick(StepState.RUNNING, which)
        if index is not None:
            self._answer(messages.AttemptDone(index, self.run.active[index].attempt, b"%d" % which))

    def _error(self, which: int, random: float) -> None:
        index = self._pick(StepState.RUNNING, which)
        if index is None:
            return
        failure = Failure("ACTION_FAILED", "no", retryable=which % 4 > 0)
        after = which if which % 5 == 0 else None
        self._answer(messages.AttemptError(index, self.run.active[index].attempt, failure, after, random=random))

    def _gone(self, which: int, random: float) -> None:
        index = self._pick(StepState.RUNNING, which)
        if index is not None:
            effects = "at_most_once" if which % 5 == 0 else "idempotent"
            self._answer(messages.AttemptGone(index, self.run.active[index].attempt, effects, which % 2 == 0))

    def _answer(self, message: Any) -> None:
        assert self.say(message), "an awaited answer was not heard"
        assert not self.say(message), "a repeated answer was heard"

    def _slot(self, which: int, random: float) -> None:
        index = self._pick(StepState.READY, which)
        if index is not None:
            self.say(messages.SlotFree(index, self.run.active[index].alone if random < 0.8 else random < 0.9))

    def _due(self, which: int, random: float) -> None:
        """Go to the next due time: before it nothing happens, at it something does."""
        due_at_ms = self.run.next_due_ms()
        if not due_at_ms:
            return
        if self.book.at_ms < due_at_ms - 1:
            self.book.at_ms = due_at_ms - 1
            assert not self.say(messages.Tick()), "something happened before it was due"
        self.book.at_ms = max(self.book.at_ms, due_at_ms)
        assert self.say(messages.Tick()), "nothing happened when it was due"
        later = self.run.next_due_ms()
        assert not later or later > self.book.at_ms or self.say(messages.Tick()), "the run is due and nothing happens"

    def _later(self, which: int, random: float) -> None:
        self.book.later(which * 20)

    def _repeat(self, which: int, random: float) -> None:
        """Say something again that was said before: attempts' answers of the past change nothing."""
        if not self.heard:
            return
        message = self.heard[which % len(self.heard)]
        stale = hasattr(message, "attempt") and not self._is_awaited(message)
        said = self.say(message)
        assert not (stale and said), "a stale answer was heard"

    def _is_awaited(self, message: Any) -> bool:
        active = self.run.active.get(message.step)
        if active is None or self.run.states[message.step] != StepState.RUNNING:
            return False
        return bool(active.attempt == message.attempt)

    def _signal(self, which: int, random: float) -> None:
        """A signal that is declared is kept once; one that is not is refused. Neither moves a step."""
        before = (bytes(self.run.states), self.run.state, tuple(self.run.active))
        final = run_is_final(self.run.state)
        said = self.say(messages.Signal("S", b"%d" % which, which, f"id-{which % 7}"))
        assert len(said) <= (0 if final else 1)
        assert not self.say(messages.Signal("unknown")), "an undeclared signal was kept"
        assert (bytes(self.run.states), self.run.state, tuple(self.run.active)) == before, "a signal moved a step"
        ids = [signal.request_id for signal in self.run.signals]
        assert len(ids) == len(set(ids)), "a signal was kept twice"

    def _foreign(self, which: int, random: float) -> None:
        """Answers about attempts and steps that are not there."""
        step = which % (len(self.run.states) + 3)
        attempt = self.run.active[step].attempt + 1 if step in self.run.active else 99
        failure = Failure("X", "", retryable=True)
        for message in (
            messages.AttemptDone(step, attempt),
            messages.AttemptError(step, attempt, failure),
            messages.AttemptGone(step, attempt),
        ):
            assert not self.say(message)

    def _crash(self, which: int, random: float) -> None:
        """The daemon dies: the state comes from the journal, and nobody answers for what ran."""
        self.book.run = fold(self.book.plan, self.book.history)
        for index in self.in_state(StepState.RUNNING):
            self._answer(messages.AttemptGone(index, self.run.active[index].attempt))

    def _cancel(self, which: int, random: float) -> None:
        self.say(messages.Cancel(grace_ms=which))

    def _terminate(self, which: int, random: float) -> None:
        self.say(messages.Terminate())

    def _pause(self, which: int, random: float) -> None:
        self.say(messages.Pause())

    def _resume(self, which: int, random: float) -> None:
        self.say(messages.Resume())

    def _permits(self, which: int, random: float) -> None:
        self.book.permits = {"test.act": which % 3} if which % 4 else {}

    def finish(self) -> None:
        """Answer everything and let time pass until the run has ended."""
        self.book.permits = {}
        self.say(messages.Resume())
        for _ in range(1_000):
            if run_is_final(self.run.state):
                return
            ready, running = self._pick(StepState.READY, 0), self._pick(StepState.RUNNING, 0)
            if ready is not None:
                assert self.say(messages.SlotFree(ready, self.run.active[ready].alone)), "a slot was of no use"
            elif running is not None:
                self._done(0, 0.0)
            else:
                assert self.run.next_due_ms(), "the run waits for nothing"
                self._due(0, 0.0)
        raise AssertionError("the run does not end")


# -- what must hold of any history


def check_history(plan: Plan, history: list[tuple[int, Any]]) -> None:
    """Check what holds of the records of any run, whatever it was told."""
    ended: set[int] = set()
    attempts: dict[int, int] = {}
    stopped = paused = outcome = over = False
    for _, record in history:
        assert not over, "a record after the end"
        kind = type(record)
        over = kind in (records.RunEnded, records.Terminated)
        stopped = stopped or kind in (records.CancelRequested, records.RunTimedOut)
        paused = _is_paused(kind, record, before=paused)
        if kind is records.RunOutcome:
            assert not outcome, "a second outcome"
            outcome = True
        if not hasattr(record, "step") or kind is records.FailFast:
            continue
        step = plan.steps[record.step]
        assert step.index not in ended, f"{step.id} goes on after its end"
        _check_begin(plan, step, record, ended=ended, attempts=attempts)
        if kind is records.AttemptStarted:
            assert not paused, f"{step.id} starts in a pause"
            assert record.attempt == attempts.get(step.index, 0) + 1
            began = step.index in attempts
            assert began or step.handler or not stopped or step.after_cancel, f"{step.id} begins after a cancel"
            attempts[step.index] = record.attempt
        assert not step.handler or outcome or kind is records.StepEnded, "a handler before the outcome"
        if _ends(record):
            ended.add(step.index)
    assert over, "no end"


def _is_paused(kind: type, record: Any, *, before: bool) -> bool:
    if kind is records.Paused:
        return True
    stops = kind in (records.Resumed, records.CancelRequested, records.RunTimedOut)
    return before and not stops and not (kind is records.RunOutcome and record.grace_at_ms)


def _check_begin(plan: Plan, step: Any, record: Any, *, ended: set[int], attempts: dict[int, int]) -> None:
    if isinstance(record, records.StepEnded) and record.state == StepState.CANCELED:
        return
    assert set(step.needs) <= ended, f"{step.id} before its needs"
    if step.handler and not isinstance(record, records.StepEnded):
        assert set(range(plan.body_count)) <= ended, "a handler before the body's end"
    assert step.kind is StepKind.ACTION or not isinstance(record, records.AttemptStarted)


def _ends(record: Any) -> bool:
    if isinstance(record, records.AttemptFailed):
        return not record.retry_at_ms
    if isinstance(record, records.AttemptLost):
        return record.verdict >= 2
    return isinstance(record, records.AttemptSucceeded | records.StepEnded | records.WaitEnded)


def check_end(run: Any) -> None:
    """Check what holds of any run that has ended."""
    assert all(map(step_is_final, run.states))
    assert (run.active, run.next_due_ms(), run.unfinished, sum(run.open_needs)) == ({}, 0, 0, 0)
    assert run.outcome == run.state
    bodies = range(run.plan.body_count)
    assert [step for step in run.failures if step in bodies] == sorted(
        (step for step in bodies if run.result(step) == StepState.FAILED), key=run.failures.index
    )
