"""From a gRPC status back to the error that the daemon raised: the inverse of its doors."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from hostd.client.error_kinds import ClientError
from hostd.client.typed_errors import typed
from hostd.errors.base import HostdError, Kind, Violation
from hostd.errors.codes import CODES
from hostd.values.version import VERSION

if TYPE_CHECKING:
    import grpc
    from google.protobuf.any_pb2 import Any as AnyMessage

DETAILS_KEY = "grpc-status-details-bin"
DOMAIN = "hostd"
_CLOSED = "{address} closed the connection at once: if it wants TLS, name its authority with --tls-ca (HOSTD_TLS_CA)"
_PLACE = re.compile(r"line ([0-9]{1,9}), column ([0-9]{1,9}): ")

_KINDS = {codes.grpc: kind for kind, codes in CODES.items()}
# What a status means that comes without a reason: from gRPC itself, or from something between us and the daemon.
_BARE = {
    "UNAVAILABLE": "UNREACHABLE",
    "DEADLINE_EXCEEDED": "UNREACHABLE",
    "CANCELLED": "UNREACHABLE",
    "UNAUTHENTICATED": "TOKEN_INVALID",
    "PERMISSION_DENIED": "ACCESS_DENIED",
    "RESOURCE_EXHAUSTED": "PAYLOAD_TOO_LARGE",
    "INVALID_ARGUMENT": "ARGUMENT_INVALID",
}


class Status(Protocol):
    """What every failed call of grpc knows, blocking or not."""

    def code(self) -> grpc.StatusCode: ...

    def details(self) -> str | None: ...

    def trailing_metadata(self) -> Iterable[tuple[str, str | bytes]] | None: ...


def error_of(status: Any, address: str) -> ClientError:
    """Return the error of a failed call, of the class of its reason in `hostd.client.errors`.

    Args:
        status: a grpc.RpcError of a call, blocking or not: a Status.

    Reason, details, violations and retry time are those the daemon sent; where none came, the call did not reach one
    and the reason is UNREACHABLE, or what the bare status can only mean.
    """
    return typed(_plain_error(status, address))


def _plain_error(status: Status, address: str) -> HostdError:
    code = status.code().name
    kind = _KINDS.get(code, Kind.BUG)
    text = status.details() or ""
    raw = next((value for key, value in status.trailing_metadata() or () if key == DETAILS_KEY), None)
    if isinstance(raw, bytes) and (sent := _sent(raw, kind, text)) is not None:
        return sent
    if code in ("UNAVAILABLE", "CANCELLED"):
        return _unreachable(address, _cause(text))
    if code == "DEADLINE_EXCEEDED":
        message = f"the daemon at {address} did not answer in time; `hostd health` says whether it serves"
        return HostdError(Kind.TIMEOUT, "UNREACHABLE", message)
    if code == "UNIMPLEMENTED":
        message = f"what listens at {address} does not know this call of hostd {VERSION}: an older daemon, or none"
        return HostdError(kind, "CALL_UNKNOWN", message)
    return HostdError(kind, _BARE.get(code, "BUG"), f"{address} answered {code}: {text[:500]}")


def _unreachable(address: str, cause: str) -> HostdError:
    """Return the error of a connection that did not come about, in words instead of gRPC's where the cause is known."""
    known = next((words for sign, words in _CAUSES.items() if sign in cause), None)
    if known is None:
        cause = cause.removeprefix(f"ipv4:{address}: ").removeprefix("Failed to connect to remote host: ")
        return HostdError(Kind.UNAVAILABLE, "UNREACHABLE", f"no daemon answers at {address}: {cause}")
    reason, what = known
    kind = Kind.UNAVAILABLE if reason == "UNREACHABLE" else Kind.STATE
    return HostdError(kind, reason, what.format(address=address))


# What gRPC says of a connection that did not come about, and what it means.
_CAUSES = {
    "WRONG_VERSION_NUMBER": ("TLS_FAILED", "{address} does not speak TLS: leave --tls-ca (HOSTD_TLS_CA) out"),
    "CERTIFICATE_VERIFY_FAILED": (
        "TLS_FAILED",
        "the certificate of {address} is not of the authority that --tls-ca (HOSTD_TLS_CA) names, or is out of date",
    ),
    "Hostname Verification": (
        "TLS_FAILED",
        "the certificate of {address} is for another name: call it by a name that stands in it",
    ),
    "No such file or directory": (
        "UNREACHABLE",
        "no daemon answers at {address}: there is no such socket, so none runs on this data folder",
    ),
    "http1.x server": (
        "UNREACHABLE",
        "{address} speaks HTTP/1, so it is no gRPC port: 7421 serves webhooks, the gRPC port is 7420 where not changed",
    ),
    "address lookup failed": ("UNREACHABLE", "no daemon answers at {address}: nobody knows this name"),
    "Socket closed": ("UNREACHABLE", _CLOSED),
    "Connection reset": ("UNREACHABLE", _CLOSED),
}


def _cause(text: str) -> str:
    """Return the last cause in gRPC's long sentence, which is the one that helps."""
    cause = text.rpartition("last error: ")[2] or "the connection was lost"
    if ": connect failed: " in cause:  # a Unix socket: the address stands in it three times
        cause = cause.rpartition(" error: ")[2]
    for prefix in ("UNAVAILABLE: ", "UNKNOWN: "):
        cause = cause.removeprefix(prefix)
    return " ".join(cause.split())[:300]


def _sent(raw: bytes, kind: Kind, text: str) -> HostdError | None:
    """Return the error in a google.rpc.Status; None when it is not one of hostd."""
    from google.protobuf.message import DecodeError
    from google.rpc import error_details_pb2, status_pb2

    info, retry = error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo()
    try:
        details = status_pb2.Status.FromString(raw).details
        if not any(detail.Unpack(info) for detail in details) or info.domain != DOMAIN:
            return None
        again = any(detail.Unpack(retry) for detail in details)
        violations = _violations(details)
    except DecodeError:
        return None
    return HostdError(
        kind,
        info.reason,
        text or info.reason,
        details=dict(info.metadata),
        violations=violations,
        retry_after_s=retry.retry_delay.ToTimedelta().total_seconds() if again else None,
    )


def _violations(details: Sequence[AnyMessage]) -> tuple[Violation, ...]:
    """Return the faults that BadRequest lists; the place stands in front of their sentences."""
    from google.rpc import error_details_pb2

    bad = error_details_pb2.BadRequest()
    if not any(detail.Unpack(bad) for detail in details):
        return ()
    return tuple(_violation(field.field, field.reason, field.description) for field in bad.field_violations)


def _violation(path: str, reason: str, description: str) -> Violation:
    place = _PLACE.match(description)
    if place is None:
        return Violation(path, reason, description)
    return Violation(path, reason, description[place.end() :], "", "", int(place[1]), int(place[2]))
