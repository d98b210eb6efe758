"""Attempts that a plugin's process holds, as the host waits for them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from hostd.errors.base import HostdError, Kind, invalid
from hostd.host.process.link import fault_error
from hostd.plugin import ActionError
from hostd.plugin.v1 import host_pb2 as pb
from hostd.values.json_text import parse_json
from hostd.values.limits import OUTPUT_BYTES_MAX

Key = tuple[str, str, int]  # run, step, attempt


class Held:
    """One attempt in the process. `answer` gets its outcome, or an exception when the process is gone."""

    __slots__ = ("answer", "context", "id")

    def __init__(self, attempt_id: pb.AttemptId, context: Any) -> None:
        self.id = attempt_id
        self.context = context
        self.answer: asyncio.Future[pb.Outcome] = asyncio.get_running_loop().create_future()

    @property
    def key(self) -> Key:
        """Names the attempt."""
        return key_of(self.id)

    @property
    def place(self) -> tuple[str, str]:
        """Names the step."""
        return self.id.run_id, self.id.step


def key_of(attempt_id: pb.AttemptId) -> Key:
    """Return an attempt's name as a key."""
    return attempt_id.run_id, attempt_id.step, attempt_id.attempt


def result_of(outcome: pb.Outcome, parse: Callable[[bytes], Any], log_error: Callable[[str], None]) -> Any:
    """Return an attempt's output. Raises what the action raised, as if it had run inside the daemon."""
    end = outcome.WhichOneof("end")
    if end == "output":
        if len(outcome.output) > OUTPUT_BYTES_MAX:  # before it is read, which would take long
            message = f"the output has {len(outcome.output)} bytes; at most {OUTPUT_BYTES_MAX} are kept"
            raise invalid("OUTPUT_TOO_LARGE", message)
        return parse(outcome.output)
    if end == "canceled":
        raise asyncio.CancelledError
    if end is None:
        raise HostdError(Kind.UNAVAILABLE, "PLUGIN_FAILED", "the outcome holds neither an output nor a failure")
    fault = outcome.fault
    if fault.traceback:
        log_error(fault.traceback)
    if fault.reason == "ACTION_FAILED":
        raise ActionError(
            fault.message,
            code=fault.code,
            retryable=fault.retryable,
            retry_after=fault.retry_after_ms / 1000 if fault.retry_after_ms else None,
            details=_details(fault.details),
        )
    if fault.reason == "ACTION_RAISED":
        raise HostdError(Kind.UNAVAILABLE, "ACTION_RAISED", fault.message)  # the message names the class
    raise fault_error(fault)


def _details(details: bytes) -> dict[str, Any]:
    """Return a failure's details; none where they are no JSON, for the failure itself counts."""
    try:
        value = parse_json(details) if details else {}
    except HostdError:
        return {}
    return value if isinstance(value, dict) else {"value": value}
