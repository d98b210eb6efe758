"""What a fake answers in an action's place, and what is remembered of each call."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from hostd.embedding.calls import Duration, seconds_of
from hostd.errors.base import invalid
from hostd.plugin import ActionError
from hostd.values.json_text import JsonValue


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One call of a fake. `options`: as the step gives them, rendered, with values of secrets, without defaults."""

    action: str
    options: Any
    workflow: str
    run_id: str
    step: str
    attempt: int
    at: datetime


class Returns(msgspec.Struct, frozen=True):
    """Answer with a value, `after` a time on the host's clock."""

    value: Any = None
    after: Duration = None


class Fails(msgspec.Struct, frozen=True):
    """Fail as an action does in its own words, `after` a time on the host's clock.

    Args:
        code: what `non_retryable: [code:TEXT]` and `error.code` read.
        retry_after: replaces the step's own back-off.
        details: what expressions read as `error.details`.
    """

    code: str = ""
    message: str = "told to fail"
    retryable: bool = False
    retry_after: float | str | timedelta | None = None
    details: Mapping[str, JsonValue] = {}
    after: Duration = None

    def error(self) -> ActionError:
        """Return what is raised."""
        return ActionError(
            self.message,
            code=self.code,
            retryable=self.retryable,
            retry_after=self.retry_after,
            details=dict(self.details),
        )


class Hangs(msgspec.Struct, frozen=True):
    """Never answer: what waits for it runs into its timeout, or is cancelled."""


Answer = Returns | Fails | Hangs
Function = Callable[[Call], Any | Awaitable[Any]]


def answer_of(given: Any) -> Answer:
    """Return what a script's entry, or a function's result, means: anything else is the value to return."""
    if isinstance(given, Answer):
        return given
    if isinstance(given, ActionError):
        message, code = given.message, given.code
        return Fails(code, message, given.retryable, given.retry_after_s, given.details)
    return Returns(given)


def check_answers(answers: Sequence[Answer]) -> None:
    """Raise HostdError ARGUMENT_INVALID for a time that is none."""
    for answer in answers:
        if not isinstance(answer, Hangs):
            after_s = seconds_of(answer.after)
            if after_s is not None and after_s < 0:
                raise invalid("ARGUMENT_INVALID", f"after: {answer.after!r} lies in the past")
