"""Errors through the wire and back."""

from pathlib import Path

import grpc
import pytest

from hostd.api.status import DETAILS_KEY, status_of
from hostd.client.address import Tls
from hostd.client.channel import credentials
from hostd.client.failures import error_of
from hostd.errors.base import HostdError, Kind, Violation
from hostd.errors.codes import CODES


class Failed:
    """A call that failed, as grpc shows it."""

    def __init__(self, code: str, text: str = "", trailing: tuple[tuple[str, bytes | str], ...] | None = None) -> None:
        self._code = getattr(grpc.StatusCode, code)
        self._text = text
        self._trailing = trailing

    def code(self) -> grpc.StatusCode:
        """Return the status."""
        return self._code

    def details(self) -> str | None:
        """Return the sentence."""
        return self._text

    def trailing_metadata(self) -> tuple[tuple[str, bytes | str], ...] | None:
        """Return the headers at the end."""
        return self._trailing


def through_the_wire(error: HostdError) -> HostdError:
    """Return an error as a client sees what a door sends."""
    status = status_of(error)
    sent = Failed(CODES[error.kind].grpc, status.message, ((DETAILS_KEY, status.SerializeToString()),))
    return error_of(sent, "here:1")


@pytest.mark.parametrize("kind", list(Kind))
def test_each_kind_comes_back_as_it_was(kind: Kind) -> None:
    """Kind, reason, sentence, details and retry time survive the wire."""
    error = HostdError(kind, "RUN_MISSING", "there is none", details={"run_id": "r", "id": "7"}, retry_after_s=1.5)

    back = through_the_wire(error)

    assert (back.kind, back.reason, back.message) == (kind, "RUN_MISSING", "there is none")
    assert back.details == error.details
    assert back.retry_after_s == 1.5


def test_violations_come_back_with_their_places() -> None:
    """Line and column are read out of the sentence they travel in."""
    faults = (
        Violation("steps.a", "KEY_UNKNOWN", "nedes is no key", "", "", 3, 5),
        Violation("input.n", "INPUT_INVALID", "12 is not a string"),
    )

    back = through_the_wire(HostdError(Kind.INVALID, "DOCUMENT_INVALID", "two mistakes", violations=faults))

    assert back.violations == faults
    assert back.retry_after_s is None


@pytest.mark.parametrize(
    "code,kind,reason",
    [
        ("UNAVAILABLE", Kind.UNAVAILABLE, "UNREACHABLE"),
        ("DEADLINE_EXCEEDED", Kind.TIMEOUT, "UNREACHABLE"),
        ("UNAUTHENTICATED", Kind.UNAUTHENTICATED, "TOKEN_INVALID"),
        ("UNIMPLEMENTED", Kind.UNSUPPORTED, "CALL_UNKNOWN"),
        ("RESOURCE_EXHAUSTED", Kind.EXHAUSTED, "PAYLOAD_TOO_LARGE"),
        ("UNKNOWN", Kind.BUG, "BUG"),
    ],
)
def test_a_bare_status_gets_the_reason_it_can_only_mean(code: str, kind: Kind, reason: str) -> None:
    """What comes from gRPC itself, or from a proxy, has no details."""
    error = error_of(Failed(code, "x"), "here:1")

    assert (error.kind, error.reason) == (kind, reason)
    assert "here:1" in error.message


@pytest.mark.parametrize("raw", [b"", b"\xff\xff\xff", b"\x0a\x03abc"])
def test_details_of_somebody_else_are_not_believed(raw: bytes) -> None:
    """Damaged or foreign details leave the bare status."""
    error = error_of(Failed("UNAVAILABLE", "x", ((DETAILS_KEY, raw),)), "here:1")

    assert error.reason == "UNREACHABLE"


def test_a_socket_that_nobody_listens_on_is_told_in_a_few_words() -> None:
    """gRPC names the address of a Unix socket three times; once is enough."""
    long = (
        "failed to connect to all addresses; last error: FAILED_PRECONDITION: unix:/d/run/hostd.sock: "
        "connect failed: addr: unix:/d/run/hostd.sock error: Connection refused"
    )
    error = error_of(Failed("UNAVAILABLE", long), "unix:/d/run/hostd.sock")
    assert error.message == "no daemon answers at unix:/d/run/hostd.sock: Connection refused"


def test_a_file_without_a_certificate_is_refused_before_the_call(tmp_path: Path) -> None:
    """gRPC itself would only write four lines of C++ to standard error."""
    (tmp_path / "ca.pem").write_text("127.0.0.1 localhost")
    with pytest.raises(HostdError, match="is no PEM file"):
        credentials(Tls(tmp_path / "ca.pem"))
