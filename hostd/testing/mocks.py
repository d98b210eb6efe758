"""Fakes that stand in the place of actions: by the action's id, or by the step that uses it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from hostd.embedding.calls import seconds_of
from hostd.errors.base import invalid
from hostd.host.registry import HostRegistry
from hostd.plugin import ActionError
from hostd.plugin.clocks import at_ms
from hostd.runtime.attempts.attempt import Attempt
from hostd.runtime.ports import ActionEntry
from hostd.testing.answers import Answer, Call, Fails, Function, Hangs, answer_of, check_answers
from hostd.testing.skipping_clock import SkippingClock

CALLS_MAX = 100_000
STEP_WORDS = ("steps", "handlers")
WITHIN = frozenset({"event", "kv", "log", "lua", "mock", "schema", "transform"})
"""Built-in plugins that reach nothing outside the host by themselves."""


class Mock:
    """A fake and the calls it got, in order. Its last answer is given again and again."""

    def __init__(self, target: str, workflow: str, answers: Sequence[Answer], function: Function | None) -> None:
        self.target = target
        self.workflow = workflow
        self.calls: list[Call] = []
        self._answers = tuple(answers)
        self._function = function
        self._given = 0

    def __repr__(self) -> str:
        return f"<mock of {self.target}, {len(self.calls)} calls>"

    async def next(self, call: Call) -> Answer:
        """Return the answer to a call. Raises what the function raises."""
        if len(self.calls) < CALLS_MAX:
            self.calls.append(call)
        if self._function is not None:
            found = self._function(call)
            return answer_of(await found if inspect.isawaitable(found) else found)
        answer = self._answers[min(self._given, len(self._answers) - 1)]
        self._given += 1
        return answer


class Mocks:
    """The fakes of one host.

    Args:
        only: actions that reach outside and have no fake fail with the code NOT_MOCKED.
        allowed: ids of actions that may run all the same.
        own: plugins of the test, whose word is taken where they say that an action has no effects.
    """

    def __init__(
        self, clock: SkippingClock, *, only: bool, allowed: Sequence[str] = (), own: Sequence[str] = ()
    ) -> None:
        self._clock = clock
        self._only = only
        self._allowed = frozenset(allowed)
        self._own = frozenset(own) | {"embedded"}
        self._mocks: dict[tuple[str, str], Mock] = {}
        self._calls: list[Call] = []

    def add(self, target: str, workflow: str, answers: Sequence[Answer], function: Function | None) -> Mock:
        """Put a fake in place; it replaces the former one of the same target. Raises ARGUMENT_INVALID."""
        if not answers and function is None:
            raise invalid(
                "ARGUMENT_INVALID", f"{target}: say what it answers: returns, fails, script, answers or hangs"
            )
        check_answers(answers)
        mock = self._mocks[workflow, target] = Mock(target, workflow, answers, function)
        return mock

    def has(self, target: str) -> bool:
        """Say whether a fake answers for a target, in some workflow."""
        return any(place[1] == target for place in self._mocks)

    def calls(self, target: str) -> list[Call]:
        """Return the calls of an action id or of `steps.<id>`, of all where it is empty, in order."""
        return [call for call in self._calls if target in ("", call.action, step_target(call.step))]

    # -- what the host asks

    def stand_in(self, attempt: Attempt, entry: ActionEntry) -> ActionEntry:
        """Return what runs in an attempt: the action, or a fake of it."""
        found = self._find(attempt.plan.workflow, step_target(attempt.step.id), attempt.action)
        return self._fake(attempt.action, entry, found)

    def inner(self, registry: Callable[[], HostRegistry]) -> InnerActions:
        """Return the actions that scripts and plugins see within attempts."""
        return InnerActions(self, registry)

    def inner_entry(self, action: str, entry: ActionEntry | None) -> ActionEntry | None:
        """Return what is called within an attempt: fakes of single workflows and steps are not asked."""
        return entry if entry is None else self._fake(action, entry, self._mocks.get(("", action)))

    def _find(self, workflow: str, step: str, action: str) -> Mock | None:
        places = ((workflow, step), ("", step), (workflow, action), ("", action))
        return next((self._mocks[place] for place in places if place in self._mocks), None)

    def _fake(self, action: str, entry: ActionEntry, mock: Mock | None) -> ActionEntry:
        if mock is None and not (self._only and action not in self._allowed and self._reaches_outside(entry)):
            return entry
        return Fake(self, action, entry, mock)

    # -- what a fake does

    async def answer(self, action: str, mock: Mock | None, ctx: Any, options: Any) -> Any:
        """Return a fake's output. Raises ActionError."""
        call = Call(
            action=action,
            options=options,
            workflow=ctx.workflow,
            run_id=ctx.run_id,
            step=ctx.step,
            attempt=ctx.attempt,
            at=at_ms(self._clock.wall_ms()),
        )
        if len(self._calls) < CALLS_MAX:
            self._calls.append(call)
        if mock is None:
            raise self._not_mocked(action)
        answer = await mock.next(call)
        if isinstance(answer, Hangs):
            return await self._clock.sleep_for_ever()
        if after_s := seconds_of(answer.after):
            await self._clock.sleep(after_s)
        if isinstance(answer, Fails):
            raise answer.error()
        return answer.value

    def _not_mocked(self, action: str) -> ActionError:
        ways = f"give it a mock, or allow it: `allow: [{action}]` in a case file, `allow=[{action!r}]` of a TestHost"
        return ActionError(f"{action} reaches outside and is not mocked; {ways}", code="NOT_MOCKED")

    def _reaches_outside(self, entry: Any) -> bool:
        """Say whether an action may touch what is not the host's. Those of the test's own say so by `effects`."""
        if entry.plugin in WITHIN:
            return False
        return not (entry.plugin in self._own and entry.effects == "none")


class Life(NamedTuple):
    """A fake needs nothing."""

    ready: bool = True


class Asked(NamedTuple):
    """Options that the action itself would take."""

    options: Any


class Fake:
    """An ActionEntry that checks options as the action does, and answers in its place, on the host's loop."""

    filled = True
    executors = ("inline",)
    own_loop = False
    max_in_flight: int | None = None
    life = Life()

    def __init__(self, mocks: Mocks, action: str, real: Any, mock: Mock | None) -> None:
        self._mocks = mocks
        self._action = action
        self._real = real
        self._mock = mock
        self.effects: str = real.effects
        self.plugin: str = getattr(real, "plugin", "")
        self.instance = self

    def look(self) -> None:
        """Import nothing: what it stands for is loaded."""

    def parse(self, rendered: Any) -> Asked:
        """Return the options as they are given. Raises HostdError OPTION_INVALID where the action would."""
        self._real.parse(rendered)
        return Asked(rendered)

    async def run(self, ctx: Any, asked: Asked) -> Any:
        """Answer. Raises ActionError."""
        return await self._mocks.answer(self._action, self._mock, ctx, asked.options)


class InnerActions:
    """The actions that scripts (`host.http`) and plugins (`ctx.http`) call: fakes where there are."""

    def __init__(self, mocks: Mocks, registry: Callable[[], HostRegistry]) -> None:
        self._mocks = mocks
        self._registry = registry

    def action(self, component_id: str) -> ActionEntry | None:
        """Return an action or its fake, None when nothing loaded provides it."""
        return self._mocks.inner_entry(component_id, self._registry().action(component_id))


def step_target(step: str) -> str:
    """Return how a step is named as a mock's target: `steps.fetch`, and `handlers.failure` as it is."""
    return step if step.startswith("handlers.") else f"steps.{step}"


def is_step(target: str) -> bool:
    """Say whether a target names a step, and not an action."""
    return target.partition(".")[0] in STEP_WORDS
