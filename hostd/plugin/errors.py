"""What plugins raise. Each class steers the host in its own way; anything else is a bug of the plugin."""

from __future__ import annotations

import math
from datetime import timedelta

from hostd.plugin.duration import parse_duration
from hostd.values.json_text import JsonValue

RetryAfter = timedelta | float | str | None
"""A time to wait: a timedelta, seconds, or duration text; None = the step's own back-off."""


def _seconds(after: RetryAfter) -> float | None:
    if after is None:
        return None
    if isinstance(after, str):
        after = parse_duration(after)
    seconds = after.total_seconds() if isinstance(after, timedelta) else float(after)
    if not math.isfinite(seconds):
        raise ValueError("retry_after must be finite")
    return max(0.0, seconds)


class ActionError(Exception):
    """A failure an action reports: the step fails with ACTION_FAILED, or is tried again where its `retry` says so.

    Args:
        message: one sentence for a person. Never put a secret into it.
        code: the action's own word for it, such as CARD_DECLINED; `non_retryable: [code:CARD_DECLINED]` reads it.
        retryable: whether trying again can help.
        retry_after: replaces the computed wait.
        details: JSON values that expressions read as `error.details`.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str = "",
        retryable: bool = False,
        retry_after: RetryAfter = None,
        details: dict[str, JsonValue] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.retryable = retryable
        self.retry_after_s = _seconds(retry_after)
        self.details: dict[str, JsonValue] = details or {}


class TriggerSignal(Exception):
    """Base of what a trigger raises to steer the host."""


class RetryLater(TriggerSignal):
    """The trigger can't go on now; start it again after this time (default: the host's back-off)."""

    def __init__(self, after: RetryAfter = None, message: str = "") -> None:
        super().__init__(message or "the trigger asked to be started again later")
        self.after_s = _seconds(after)


class NotConnected(TriggerSignal):
    """The other side is not reachable; provision and start again with back-off, without counting it as a crash."""


class EndOfTrigger(TriggerSignal):
    """There is nothing more to come, for ever; the host stops the trigger in good order."""


class PermanentFailure(TriggerSignal):
    """Starting again cannot help (wrong password, missing topic); the trigger is FAILED until somebody changes it."""
