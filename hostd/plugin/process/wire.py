"""Between what the SDK knows and what goes over the wire."""

from __future__ import annotations

from typing import Any, NamedTuple

from hostd.errors.base import HostdError, Kind, Violation
from hostd.errors.reasons import REASONS
from hostd.plugin.errors import ActionError
from hostd.plugin.event import EmitOutcome, Emitted, Event, rfc3339
from hostd.plugin.guard import Fault
from hostd.plugin.v1 import host_pb2 as pb
from hostd.values.json_text import JsonValue, dump_json, parse_json

VIOLATIONS_MAX = 100


class AttemptKey(NamedTuple):
    """Names an attempt, with the epoch of whoever asked for it."""

    run_id: str
    step: str
    attempt: int
    epoch: int

    @property
    def place(self) -> tuple[str, str, int]:
        """The attempt without its epoch."""
        return self.run_id, self.step, self.attempt

    def to_wire(self) -> pb.AttemptId:
        """Return it as a frame holds it."""
        return pb.AttemptId(run_id=self.run_id, step=self.step, attempt=self.attempt, epoch=self.epoch)


def key_of(wire: pb.AttemptId) -> AttemptKey:
    """Return an attempt's name as a key."""
    return AttemptKey(wire.run_id, wire.step, wire.attempt, wire.epoch)


def value_of(text: bytes) -> JsonValue:
    """Return what JSON text says, None for no text. Raises HostdError PAYLOAD_INVALID, NUMBER_OUT_OF_RANGE."""
    return parse_json(text) if text else None


def fault_to_wire(fault: Fault) -> pb.Fault:
    """Return a fault as a frame holds it."""
    return pb.Fault(
        reason=fault.reason,
        message=_text(fault.message),
        code=_text(fault.code),
        retryable=fault.retryable,
        details=fault.details,
        retry_after_ms=fault.retry_after_ms or 0,
        traceback=_text(fault.traceback),
    )


def _text(text: str) -> str:
    """Return text that UTF-8 can hold: an exception's may not be."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def error_of(fault: pb.Fault) -> HostdError | ActionError:
    """Return a fault of the host's as the error a plugin catches."""
    after_s = fault.retry_after_ms / 1000 or None
    details, violations = _details(fault.details)
    if fault.reason == "ACTION_FAILED":
        return ActionError(
            fault.message, code=fault.code, retryable=fault.retryable, retry_after=after_s, details=details
        )
    page = REASONS.get(fault.reason)
    kind = page.kind if page is not None else Kind.UNAVAILABLE if fault.retryable else Kind.INVALID
    texts = {name: value if isinstance(value, str) else dump_json(value).decode() for name, value in details.items()}
    return HostdError(kind, fault.reason, fault.message, details=texts, violations=violations, retry_after_s=after_s)


def _details(text: bytes) -> tuple[dict[str, JsonValue], tuple[Violation, ...]]:
    try:
        details = value_of(text)
    except HostdError:
        return {}, ()
    if not isinstance(details, dict):
        return {}, ()
    told = details.get("violations")
    if not isinstance(told, list):
        return details, ()
    violations = tuple(_violation(entry) for entry in told[:VIOLATIONS_MAX] if isinstance(entry, dict))
    return {name: value for name, value in details.items() if name != "violations"}, violations


def _violation(entry: dict[str, Any]) -> Violation:
    path, reason, message = (str(entry.get(name, "")) for name in ("path", "reason", "message"))
    return Violation(path, reason, message)


def event_to_wire(event: Event) -> pb.Event:
    """Return an event as a frame holds it. Raises HostdError PAYLOAD_INVALID where it is no JSON."""
    return pb.Event(
        id=event.id,
        source=event.source,
        type=event.type,
        subject=event.subject,
        time=rfc3339(event.time),
        data=dump_json(event.data),
        extensions=dump_json(event.extensions) if event.extensions else b"",
        overlap=event.overlap,
    )


def emitted_of(wire: pb.Emitted) -> list[Emitted]:
    """Return what became of events."""
    return [Emitted(one.event_id, EmitOutcome(one.outcome), tuple(one.run_ids)) for one in wire.events]
