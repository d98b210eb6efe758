"""Errors on the wire: gRPC's status with details. Codes come from the one table, errors/codes.py.

Details travel in a header, and clients refuse headers past 8 KiB: everything here is cut to fit.
"""

from __future__ import annotations

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import (
    BadRequest,
    ErrorInfo,
    PreconditionFailure,
    QuotaFailure,
    ResourceInfo,
    RetryInfo,
)
from google.rpc.status_pb2 import Status

from hostd.errors.base import HostdError, Kind, Violation
from hostd.errors.codes import CODES

DOMAIN = "hostd"
DETAILS_KEY = "grpc-status-details-bin"
MESSAGE_BYTES_MAX = 600  # it travels twice, once percent-encoded: three times as long where it is not ASCII
TEXT_BYTES_MAX = 200
INFO_BYTES_MAX = 1_200
DETAILS_BYTES_MAX = 3_000

_CODES: dict[Kind, grpc.StatusCode] = {kind: grpc.StatusCode[codes.grpc] for kind, codes in CODES.items()}
_RESOURCES = {"run_id": "run", "workflow": "workflow", "trigger": "trigger", "plugin": "plugin"}


def grpc_code(kind: Kind) -> grpc.StatusCode:
    """Return the gRPC code of a kind of error."""
    return _CODES[kind]


def status_of(error: HostdError) -> Status:
    """Return the status of an error: ErrorInfo always, then what the error has, violations while there is room."""
    message = _cut(error.message, MESSAGE_BYTES_MAX)
    info = _info(error)
    parts = _of_kind(error)
    if error.retry_after_s is not None:
        retry = RetryInfo()
        retry.retry_delay.FromMilliseconds(max(0, round(error.retry_after_s * 1000)))
        parts.append(retry)
    if error.violations:
        bad = BadRequest()
        room_bytes = DETAILS_BYTES_MAX - info.ByteSize() - sum(part.ByteSize() for part in parts)
        left_out = _fill(bad, error.violations, room_bytes)
        if left_out:
            info.metadata["violations_left_out"] = str(left_out)
        parts.append(bad)
    return Status(code=grpc_code(error.kind).value[0], message=message, details=map(_packed, (info, *parts)))


def _cut(text: str, bytes_max: int = TEXT_BYTES_MAX) -> str:
    """Return as much of a text as fits; what UTF-8 cannot write becomes a question mark."""
    return text[:bytes_max].encode("utf-8", "replace")[:bytes_max].decode("utf-8", "ignore")


def _info(error: HostdError) -> ErrorInfo:
    info = ErrorInfo(reason=error.reason, domain=DOMAIN)
    room_bytes = INFO_BYTES_MAX
    for name, value in error.details.items():
        name, value = _cut(name), _cut(value)
        room_bytes -= len(name.encode()) + len(value.encode()) + 8  # tags and lengths of the entry
        if room_bytes < 0:
            break
        info.metadata[name] = value
    return info


def _packed(part: Message) -> AnyMessage:
    packed = AnyMessage()
    packed.Pack(part)
    return packed


def _of_kind(error: HostdError) -> list[Message]:
    """Return the details that an error's kind calls for."""
    said = _cut(error.message)
    if error.kind is Kind.MISSING:
        name = next((name for name in _RESOURCES if name in error.details), "")
        if not name:
            return []
        resource = _cut(error.details[name])
        return [ResourceInfo(resource_type=_RESOURCES[name], resource_name=resource, description=said)]
    if error.kind is Kind.STATE:
        return [PreconditionFailure(violations=[PreconditionFailure.Violation(type=error.reason, description=said)])]
    if error.kind is Kind.EXHAUSTED:
        return [QuotaFailure(violations=[QuotaFailure.Violation(subject=error.reason, description=said)])]
    return []


def _fill(bad: BadRequest, violations: tuple[Violation, ...], room_bytes: int) -> int:
    """Add violations while there is room; return how many were left out."""
    for index, violation in enumerate(violations):
        added = bad.field_violations.add(
            field=_cut(violation.path),
            description=_cut(_sentence(violation), 2 * TEXT_BYTES_MAX),
            reason=violation.reason,
        )
        room_bytes -= added.ByteSize() + 4  # tag and length of the entry
        if room_bytes < 0:
            del bad.field_violations[-1]
            return len(violations) - index
    return 0


def _sentence(violation: Violation) -> str:
    place = f"line {violation.line}, column {violation.column}: " if violation.line else ""
    hint = f" ({violation.suggestion})" if violation.suggestion else ""
    return f"{place}{violation.message}{hint}"


def is_retryable(error: HostdError) -> bool:
    """Say whether the same request may be accepted later."""
    return error.retry_after_s is not None or error.kind in (Kind.UNAVAILABLE, Kind.EXHAUSTED, Kind.CONFLICT)
