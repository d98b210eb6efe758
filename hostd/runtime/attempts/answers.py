"""What an attempt answers, as the message the engine hears: checked, bounded, and without the secrets it used."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from random import Random
from typing import Any

import msgspec

from hostd.errors.base import HostdError
from hostd.host.guard import MESSAGE_CHARS_MAX, Fault, output_of
from hostd.host.logs import LINE_CHARS_MAX
from hostd.model.messages import AttemptDone, AttemptError
from hostd.model.payload import OUTPUT_BYTES_MAX, to_blob
from hostd.model.records import Failure
from hostd.model.redaction import redact, redact_bytes, redact_cut
from hostd.runtime.attempts.attempt import Attempt
from hostd.runtime.attempts.ports import Contexts
from hostd.runtime.attempts.scripts import ScriptStepError
from hostd.values.json_text import dump_json

LOG_TAIL_LINES = 20


class Answers:
    """Makes messages of what attempts return and raise."""

    def __init__(self, *, contexts: Contexts, random: Random) -> None:
        self._contexts = contexts
        self._random = random

    def of(self, attempt: Attempt, value: Any, error: BaseException | None) -> AttemptDone | AttemptError:
        """Return the one answer of an attempt. Never raises for what an action did."""
        if error is None and value is None:
            return AttemptDone(attempt.step.index, attempt.number)
        try:
            return self._done(attempt, value) if error is None else self._raised(attempt, error)
        except Exception as unreadable:  # noqa: BLE001 an attempt without an answer would wait for ever
            message = f"what the action answered cannot be read: {type(unreadable).__name__}"
            return self.failed(attempt, Failure("ACTION_RAISED", message, retryable=True))

    def _done(self, attempt: Attempt, value: Any) -> AttemptDone | AttemptError:
        data = _too_large(value) if attempt.executor == "lua" and type(value) is bytes else output_of(value)
        if isinstance(data, Fault):
            return self.failed(attempt, data.failure)
        if attempt.hidden:
            data = redact_bytes(data, attempt.hidden)
        output, blob = to_blob(data)
        return AttemptDone(attempt.step.index, attempt.number, output, blob)

    def _raised(self, attempt: Attempt, error: BaseException) -> AttemptError:
        if attempt.cancel_reason == "timeout":
            message = f"the attempt took longer than {attempt.step.timeout_ms / 1000:g} s"
            return self.failed(attempt, Failure("ATTEMPT_TIMEOUT", message, retryable=True))
        if attempt.cancel_reason:
            return self.failed(attempt, Failure("CANCELED", "the attempt was canceled"), canceled=True)
        if isinstance(error, asyncio.CancelledError):
            message = "the action canceled itself; it should raise ActionError"
            return self.failed(attempt, Failure("ACTION_RAISED", message, retryable=True))
        failure, retry_after_ms = self._contexts.failure(error, attempt)
        if isinstance(error, ScriptStepError):
            failure = msgspec.structs.replace(failure, reason=error.reason)
        return self.failed(attempt, failure, retry_after_ms=retry_after_ms)

    def failed(
        self, attempt: Attempt, failure: Failure, *, retry_after_ms: int | None = None, canceled: bool = False
    ) -> AttemptError:
        """Return a failure as the engine hears it."""
        tail = tuple(attempt.context.lines[-LOG_TAIL_LINES:]) if attempt.context is not None else ()
        if attempt.hidden:
            tail = tuple(clean(tail, attempt.hidden))
            failure = _without(failure, attempt.hidden)
        return AttemptError(
            attempt.step.index,
            attempt.number,
            failure,
            retry_after_ms=retry_after_ms,
            canceled=canceled,
            log_tail=tail,
            random=self._random.random(),
        )


def _too_large(data: bytes) -> bytes | Fault:
    """Return JSON text that a script made, unless there is too much of it."""
    if len(data) <= OUTPUT_BYTES_MAX:
        return data
    return Fault(Failure("OUTPUT_TOO_LARGE", f"the output has {len(data)} bytes; at most {OUTPUT_BYTES_MAX} are kept"))


def clean(lines: Sequence[str], hidden: tuple[str, ...]) -> list[str]:
    """Return log lines without secrets."""
    return [redact_cut(line, hidden, cut_chars=LINE_CHARS_MAX) for line in lines]


def _without(failure: Failure, hidden: tuple[str, ...]) -> Failure:
    return msgspec.structs.replace(
        failure,
        message=redact_cut(failure.message, hidden, cut_chars=MESSAGE_CHARS_MAX),
        code=redact(failure.code, hidden),
        details=redact_bytes(failure.details, hidden) if failure.details else failure.details,
    )


def refused(error: HostdError) -> Failure:
    """Return why an attempt was not even begun: options that do not parse."""
    details: dict[str, Any] = dict(error.details)
    if error.violations:
        details["violations"] = [{"path": fault.path, "message": fault.message} for fault in error.violations]
    return Failure(error.reason, error.message, details=dump_json(details) if details else b"")
