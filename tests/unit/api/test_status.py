"""What an error is on the wire."""

from urllib.parse import quote

import grpc
import pytest
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, PreconditionFailure, ResourceInfo, RetryInfo
from google.rpc.status_pb2 import Status

from hostd.api.status import DETAILS_KEY, grpc_code, status_of
from hostd.errors.base import HostdError, Kind, Violation, invalid
from hostd.errors.codes import CODES

HEADERS_MAX = 8_192


def detail(status: Status, kind: type) -> object:
    """Return the one detail of a kind."""
    (found,) = [packed for packed in status.details if packed.Is(kind.DESCRIPTOR)]
    message = kind()
    found.Unpack(message)
    return message


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_has_a_code(kind: Kind) -> None:
    """Each kind becomes the code that the one table names, and always says its reason and domain."""
    status = status_of(HostdError(kind, "BUG", "it broke"))
    assert grpc_code(kind) is grpc.StatusCode[CODES[kind].grpc]
    assert status.code == grpc_code(kind).value[0]
    info = detail(status, ErrorInfo)
    assert (info.reason, info.domain) == ("BUG", "hostd")


def test_details_follow_from_the_error() -> None:
    """What is missing is named, a wrong state is a precondition, and a time to wait is told."""
    missing = status_of(HostdError(Kind.MISSING, "RUN_MISSING", "no such run", details={"run_id": "abc"}))
    assert detail(missing, ResourceInfo).resource_name == "abc"
    state = status_of(HostdError(Kind.STATE, "RUN_FINAL", "it has ended"))
    assert detail(state, PreconditionFailure).violations[0].type == "RUN_FINAL"
    full = status_of(HostdError(Kind.EXHAUSTED, "INTAKE_FULL", "full", retry_after_s=1.5))
    assert detail(full, RetryInfo).retry_delay.ToMilliseconds() == 1_500


def test_violations_keep_path_place_and_fix() -> None:
    """A violation says where, why and what to write instead."""
    error = invalid("DOCUMENT_INVALID", "one mistake", violations=(
        Violation("steps.a.uses", "ACTION_UNKNOWN", "no such action", "did you mean log.write?", "w.yaml", 3, 5),
    ))  # fmt: skip
    (violation,) = detail(status_of(error), BadRequest).field_violations
    assert (violation.field, violation.reason) == ("steps.a.uses", "ACTION_UNKNOWN")
    assert violation.description == "line 3, column 5: no such action (did you mean log.write?)"


@pytest.mark.parametrize("char", ["x", "\u20ac", "\U0001f600"])
def test_any_error_fits_a_header(char: str) -> None:
    """However long the texts and many the violations, both headers fit what clients take, and say what is left out."""
    long = char * 10_000
    violations = tuple(Violation(long, "VALUE_INVALID", long, long) for _ in range(1_000))
    details = {f"{number}{long}": long for number in range(100)}
    status = status_of(
        HostdError(Kind.MISSING, "BUG", long, details={"run_id": long, **details}, violations=violations)
    )
    assert int(detail(status, ErrorInfo).metadata["violations_left_out"]) > 900
    details_header = len(DETAILS_KEY) + len(status.SerializeToString()) * 4 / 3
    message_header = len("grpc-message") + len(quote(status.message))
    assert details_header + message_header < HEADERS_MAX


def test_a_text_that_utf8_cannot_write_still_goes_out() -> None:
    """A lone surrogate in a message is replaced: an error about bad text must not fail itself."""
    assert status_of(invalid("PAYLOAD_INVALID", "bad \ud800 text")).message == "bad ? text"
