"""Moments on the wire."""

from __future__ import annotations

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from hostd.api.convert.checks import fault

FIRST_S, LAST_S = -62_135_596_800, 253_402_300_799  # the years 1 to 9999


def micros_of(moment: Timestamp, path: str) -> int:
    """Return microseconds since 1970. Raises ARGUMENT_INVALID outside the years 1 to 9999."""
    if not FIRST_S <= moment.seconds <= LAST_S or not 0 <= moment.nanos < 1_000_000_000:
        raise fault(path, "a time lies within the years 1 to 9999")
    return moment.seconds * 1_000_000 + moment.nanos // 1000


def moment_of(request: Message, path: str) -> Timestamp | None:
    """Return a field of a request, None where it is not set."""
    if not request.HasField(path):
        return None
    found: Timestamp = getattr(request, path)
    return found


def moment(at_us: int) -> Timestamp:
    """Return a moment from microseconds since 1970."""
    return Timestamp(seconds=at_us // 1_000_000, nanos=at_us % 1_000_000 * 1000)
