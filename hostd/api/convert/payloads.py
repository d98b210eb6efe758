"""Payloads: checked once on the way in, bytes from there on; references and sizes on the way out."""

from __future__ import annotations

from google.protobuf import struct_pb2

from hostd.api.convert.checks import fault
from hostd.errors.base import HostdError, Violation, invalid
from hostd.model.payload import DOOR_BYTES_MAX, JSON_TYPE, BlobRef, Value
from hostd.model.records import Failure
from hostd.model.views import FailureView
from hostd.v1.payload_pb2 import Failure as FailureMessage
from hostd.v1.payload_pb2 import Payload
from hostd.values.json_text import JsonValue, dump_json, parse_json, rule_float

JSON_DEPTH_MAX = 64
INLINE_BYTES_MAX = 2 * 1024 * 1024


def read_payload(payload: Payload, path: str, *, nothing: bytes = b"null") -> tuple[bytes, JsonValue]:
    """Return a payload as JSON text and as the value it says.

    Args:
        nothing: what an empty payload means.

    Raises:
        HostdError: PAYLOAD_TOO_LARGE, PAYLOAD_INVALID, NUMBER_OUT_OF_RANGE; ARGUMENT_INVALID for another body or type.
    """
    body = payload.WhichOneof("body")
    if payload.content_type not in ("", JSON_TYPE):
        raise fault(f"{path}.content_type", f"{payload.content_type[:80]!r} is not taken; send {JSON_TYPE}")
    if "encoding" in payload.metadata:
        raise fault(f"{path}.metadata", "`encoding` is reserved; send plain JSON")
    if body == "blob":
        raise fault(f"{path}.blob", "a reference is not taken here; send the value")
    try:
        if body == "json":
            value = plain_value(payload.json, 0)
            return _within(dump_json(value)), value
        data = payload.data or nothing
        return data, parse_json(_within(data)) if data else None
    except HostdError as error:
        raise _placed(error, path) from None


def _within(data: bytes) -> bytes:
    if len(data) > DOOR_BYTES_MAX:
        message = f"the value has {len(data)} bytes; {DOOR_BYTES_MAX} are allowed"
        raise invalid("PAYLOAD_TOO_LARGE", message)
    return data


def _placed(error: HostdError, path: str) -> HostdError:
    """Return the error with the field it is about."""
    faults = error.violations or (Violation(path, error.reason, error.message),)
    return HostdError(error.kind, error.reason, f"{path}: {error.message}", details=error.details, violations=faults)


def plain_value(value: struct_pb2.Value, depth: int = 0) -> JsonValue:
    """Return a protobuf Value as plain JSON; its numbers are float64."""
    if depth > JSON_DEPTH_MAX:
        raise invalid("PAYLOAD_INVALID", f"the value is nested deeper than {JSON_DEPTH_MAX}")
    kind = value.WhichOneof("kind")
    if kind == "number_value":
        return rule_float(value.number_value)
    if kind == "string_value":
        return value.string_value
    if kind == "bool_value":
        return value.bool_value
    if kind == "struct_value":  # its map has no order: by name, so that the same value is the same text
        return {name: plain_value(item, depth + 1) for name, item in sorted(value.struct_value.fields.items())}
    if kind == "list_value":
        return [plain_value(item, depth + 1) for item in value.list_value.values]
    return None


def json_payload(data: bytes) -> Payload:
    """Return JSON text as a payload."""
    return Payload(data=data, content_type=JSON_TYPE)


class Room:
    """How many bytes of values one answer may still hold; what does not fit is named by its size only."""

    __slots__ = ("left",)

    def __init__(self, size_bytes: int = INLINE_BYTES_MAX) -> None:
        self.left = size_bytes

    def payload(self, value: Value) -> Payload | None:
        """Return a stored value as a payload; None for no value."""
        if isinstance(value, BlobRef):
            metadata = {"size_bytes": str(value.size_bytes)}
            return Payload(blob=value.digest.hex(), content_type=value.content_type, metadata=metadata)
        if not value:
            return None
        if len(value) > self.left:
            metadata = {"size_bytes": str(len(value)), "left_out": "true"}
            return Payload(content_type=JSON_TYPE, metadata=metadata)
        self.left -= len(value)
        return Payload(data=value, content_type=JSON_TYPE)


def failure_of(failure: Failure, *, step: str = "", attempt: int = 0) -> FailureMessage:
    """Return a recorded failure as it goes over the wire."""
    return FailureMessage(
        reason=failure.reason,
        code=failure.code,
        message=failure.message,
        retryable=failure.retryable,
        details=json_payload(failure.details) if failure.details else None,
        step=step,
        attempt=attempt,
    )


def placed_failure(view: FailureView) -> FailureMessage:
    """Return a failure with its place."""
    return failure_of(view.failure, step=view.step, attempt=view.attempt)
