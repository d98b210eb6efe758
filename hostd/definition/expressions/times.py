"""Timestamps and durations: CEL's two types for time, in nanoseconds, and their text."""

from __future__ import annotations

import functools
import re
import zoneinfo
from datetime import UTC, datetime, timedelta, timezone, tzinfo

from hostd.definition.expressions.problems import Problem
from hostd.values.durations import format_duration_ms

_SECOND = 1_000_000_000
_MILLI = 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_NS = int((datetime(1, 1, 1, tzinfo=UTC) - _EPOCH).total_seconds()) * _SECOND
_LAST_NS = (int((datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC) - _EPOCH).total_seconds()) + 1) * _SECOND - 1
_LONGEST_NS = 2**63 - 1  # about 292 years

_TIME = re.compile(r"(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?([Zz]|[+-]\d{2}:\d{2})", re.ASCII)
_OFFSET = re.compile(r"([+-]?)(\d{2}):(\d{2})", re.ASCII)
_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h|d|w)", re.ASCII)
_WHOLE = re.compile(r"([+-]?)((?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|ms|s|m|h|d|w))+|0)", re.ASCII)
_UNIT_NS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "ms": _MILLI,
    "s": _SECOND,
    "m": 60 * _SECOND,
    "h": 3_600 * _SECOND,
    "d": 86_400 * _SECOND,
    "w": 604_800 * _SECOND,
}


class _Nanoseconds:
    __slots__ = ("ns",)

    def __init__(self, ns: int) -> None:
        self.ns = ns

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.ns == self.ns

    def __lt__(self, other: _Nanoseconds) -> bool:
        return self.ns < other.ns

    def __hash__(self) -> int:
        return hash((type(self), self.ns))


class Timestamp(_Nanoseconds):
    """A moment: nanoseconds since 1970, UTC."""

    __slots__ = ()

    def __str__(self) -> str:
        seconds, ns = divmod(self.ns, _SECOND)
        text = (_EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0")
        return f"{text}{_fraction(ns)}Z"


class Duration(_Nanoseconds):
    """A length of time in nanoseconds; may be negative."""

    __slots__ = ()

    def __str__(self) -> str:
        """Return duration text; less than a millisecond is a fraction of one: `1s0.5ms`."""
        sign, ns = ("-", -self.ns) if self.ns < 0 else ("", self.ns)
        ms, rest = divmod(ns, _MILLI)
        if not rest:
            return sign + format_duration_ms(ms)
        seconds, ms = divmod(ms, 1_000)
        whole = format_duration_ms(seconds * 1_000) if seconds else ""
        return f"{sign}{whole}{ms}.{rest:06d}".rstrip("0") + "ms"


def _fraction(ns: int) -> str:
    if not ns:
        return ""
    digits = f"{ns:09d}"
    for length in (3, 6):
        if digits[length:] == "0" * (9 - length):
            return f".{digits[:length]}"
    return f".{digits}"


def timestamp_of(ns: int) -> Timestamp:
    """Return a timestamp. Raises Problem outside the years 1 to 9999."""
    if not _FIRST_NS <= ns <= _LAST_NS:
        raise Problem("the time is outside the years 1 to 9999")
    return Timestamp(ns)


def duration_of(ns: int) -> Duration:
    """Return a duration. Raises Problem past 292 years."""
    if not -_LONGEST_NS <= ns <= _LONGEST_NS:
        raise Problem("the duration is longer than 292 years")
    return Duration(ns)


def parse_timestamp(text: str) -> Timestamp:
    """Return the moment of RFC 3339 text with an offset. Raises Problem."""
    match = _TIME.fullmatch(text) if len(text) <= 40 else None
    if match is None:
        raise Problem(f"{text[:40]!r} is not a time such as 2026-01-31T12:00:00Z")
    date, clock, fraction, offset = match.groups()
    try:
        local = datetime.fromisoformat(f"{date}T{clock}+00:00")
        seconds = int((local - _EPOCH).total_seconds())
    except ValueError:
        raise Problem(f"{text!r} names no day or time there is") from None
    ns = seconds * _SECOND + int((fraction or "0").ljust(9, "0"))
    return timestamp_of(ns - _offset_seconds(offset) * _SECOND)


def parse_duration(text: str) -> Duration:
    """Return the duration of text: hostd's (`1h30m`, `2d`) and CEL's (`-1.5s`, `10us`). Raises Problem."""
    match = _WHOLE.fullmatch(text) if len(text) <= 64 else None
    if match is None:
        raise Problem(f"{text[:64]!r} is not a duration such as 500ms, 10s, 5m, 1h30m or 2d")
    total = 0
    for number, unit in _PART.findall(match[2]):
        whole, _, fraction = number.partition(".")
        size = _UNIT_NS[unit]
        total += int(whole or "0") * size
        if fraction:
            total += int(fraction) * size // 10 ** len(fraction)
    return duration_of(-total if match[1] == "-" else total)


def _offset_seconds(text: str) -> int:
    if text in ("Z", "z"):
        return 0
    match = _OFFSET.fullmatch(text)
    if match is None or int(match[2]) > 23 or int(match[3]) > 59:
        raise Problem(f"{text[:40]!r} is not an offset such as +01:00")
    seconds = int(match[2]) * 3_600 + int(match[3]) * 60
    return -seconds if match[1] == "-" else seconds


@functools.lru_cache(maxsize=128)
def zone_of(name: str) -> tzinfo:
    """Return a time zone: a name such as Europe/Berlin, or an offset such as +01:00. Raises Problem."""
    if name == "UTC" or not name:
        return UTC
    if _OFFSET.fullmatch(name):
        return timezone(timedelta(seconds=_offset_seconds(name)))
    try:
        return zoneinfo.ZoneInfo(name[:80])
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        raise Problem(f"there is no time zone {name[:80]!r}; write Europe/Berlin or +01:00") from None


def civil(moment: Timestamp, zone: str = "UTC") -> datetime:
    """Return calendar and clock of a moment in a zone, to the microsecond. Raises Problem."""
    try:
        return (_EPOCH + timedelta(microseconds=moment.ns // 1_000)).astimezone(zone_of(zone))
    except OverflowError:
        raise Problem("the time is outside the years 1 to 9999 in that zone") from None
