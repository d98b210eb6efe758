"""The one table from a kind of error to its gRPC code, HTTP status and exit code; doors and commands read it."""

from __future__ import annotations

from typing import NamedTuple

from hostd.errors.base import Kind


class Codes(NamedTuple):
    """How one kind of error looks outside. `grpc` is the name of a grpc.StatusCode."""

    grpc: str
    http: int
    exit: int


CODES: dict[Kind, Codes] = {
    Kind.INVALID: Codes("INVALID_ARGUMENT", 400, 2),
    Kind.UNAUTHENTICATED: Codes("UNAUTHENTICATED", 401, 3),
    Kind.DENIED: Codes("PERMISSION_DENIED", 403, 3),
    Kind.MISSING: Codes("NOT_FOUND", 404, 4),
    Kind.EXISTS: Codes("ALREADY_EXISTS", 409, 5),
    Kind.STATE: Codes("FAILED_PRECONDITION", 409, 6),
    Kind.CONFLICT: Codes("ABORTED", 409, 7),
    Kind.EXHAUSTED: Codes("RESOURCE_EXHAUSTED", 429, 8),
    Kind.UNAVAILABLE: Codes("UNAVAILABLE", 503, 9),
    Kind.TIMEOUT: Codes("DEADLINE_EXCEEDED", 504, 9),
    Kind.UNSUPPORTED: Codes("UNIMPLEMENTED", 501, 10),
    Kind.CORRUPT: Codes("DATA_LOSS", 500, 11),
    Kind.CANCELED: Codes("CANCELLED", 499, 12),
    Kind.BUG: Codes("INTERNAL", 500, 70),
}
