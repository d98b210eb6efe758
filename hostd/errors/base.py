"""The one error tree. A class exists only where a caller acts differently."""

from __future__ import annotations

import enum
from typing import NamedTuple


class Kind(enum.StrEnum):
    """What went wrong, coarsely. One table (api/status.py) maps it to a gRPC code, an HTTP status and an exit code."""

    INVALID = "INVALID"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    DENIED = "DENIED"
    MISSING = "MISSING"
    EXISTS = "EXISTS"
    STATE = "STATE"
    CONFLICT = "CONFLICT"
    EXHAUSTED = "EXHAUSTED"
    UNAVAILABLE = "UNAVAILABLE"
    TIMEOUT = "TIMEOUT"
    CANCELED = "CANCELED"
    UNSUPPORTED = "UNSUPPORTED"
    CORRUPT = "CORRUPT"
    BUG = "BUG"


class Violation(NamedTuple):
    """One fault in something a person or client sent. `line` and `column` count from 1; 0 means unknown."""

    path: str
    reason: str
    message: str
    suggestion: str = ""
    file: str = ""
    line: int = 0
    column: int = 0


class HostdError(Exception):
    """Every error hostd raises on purpose.

    Args:
        kind: decides the gRPC code, the HTTP status and the exit code.
        reason: UPPER_SNAKE, at most 63 characters, listed in errors/reasons.py.
        message: one sentence for a person, naming the fix where there is one. Never holds a secret.
        details: short texts for programs (ErrorInfo.metadata).
        violations: every fault found, when there can be several.
        retry_after_s: when trying again makes sense; None means hostd does not know.
    """

    def __init__(
        self,
        kind: Kind,
        reason: str,
        message: str,
        *,
        details: dict[str, str] | None = None,
        violations: tuple[Violation, ...] = (),
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.reason = reason
        self.message = message
        self.details = details or {}
        self.violations = violations
        self.retry_after_s = retry_after_s

    def __str__(self) -> str:
        return f"{self.reason}: {self.message}"


def invalid(reason: str, message: str, *, violations: tuple[Violation, ...] = (), **details: str) -> HostdError:
    """Return the error for something sent that can never be accepted as it is."""
    return HostdError(Kind.INVALID, reason, message, details=details, violations=violations)


def invariant(condition: bool, message: str) -> None:
    """Raise BUG when a condition that only a mistake of ours can break does not hold (survives `python -O`)."""
    if not condition:
        raise HostdError(Kind.BUG, "BUG", message)
