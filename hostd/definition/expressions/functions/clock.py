"""Functions on timestamps and durations, named as in CEL."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from hostd.definition.expressions.functions.registry import Family, Function
from hostd.definition.expressions.kinds import ANY, TEXT, TIME, TIMESTAMP, described, integral
from hostd.definition.expressions.limits import Evaluation
from hostd.definition.expressions.problems import Problem
from hostd.definition.expressions.times import (
    Duration,
    Timestamp,
    civil,
    duration_of,
    parse_duration,
    parse_timestamp,
    timestamp_of,
)

CLOCK = Family("Time")

_SECOND = 1_000_000_000
_MILLI = 1_000_000
_MAX_PATTERN = 200
DIRECTIVES: dict[str, Callable[[datetime], str]] = {
    "Y": lambda at: f"{at.year:04d}",
    "m": lambda at: f"{at.month:02d}",
    "d": lambda at: f"{at.day:02d}",
    "H": lambda at: f"{at.hour:02d}",
    "I": lambda at: f"{(at.hour + 11) % 12 + 1:02d}",
    "M": lambda at: f"{at.minute:02d}",
    "S": lambda at: f"{at.second:02d}",
    "L": lambda at: f"{at.microsecond // 1000:03d}",
    "p": lambda at: "AM" if at.hour < 12 else "PM",
    "j": lambda at: f"{at.timetuple().tm_yday:03d}",
    "u": lambda at: str(at.isoweekday()),
    "V": lambda at: f"{at.isocalendar().week:02d}",
    "G": lambda at: f"{at.isocalendar().year:04d}",
    "a": lambda at: ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"][at.weekday()],
    "A": lambda at: ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"][at.weekday()],
    "b": lambda at: ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"][at.month - 1],
    "B": lambda at: [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ][at.month - 1],
    "z": lambda at: _offset(at),
    "s": lambda at: str(int(at.timestamp())),
    "%": lambda at: "%",
}


def _offset(at: datetime) -> str:
    delta = at.utcoffset()
    minutes = round(delta.total_seconds() / 60) if delta else 0
    sign = "-" if minutes < 0 else "+"
    return f"{sign}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"


@CLOCK.function("now", "now()", takes=(), example="now() > timestamp('2020-01-01T00:00:00Z')", gives="true")
def _now(run: Evaluation) -> Timestamp:
    """The moment the step became ready: the same whenever the expression is evaluated again."""
    return timestamp_of(run.scope.now_ms * _MILLI)


@CLOCK.function(
    "timestamp",
    "timestamp(x)",
    takes=(ANY,),
    example="timestamp('2026-01-31T12:00:00+01:00')",
    gives='"2026-01-31T11:00:00Z"',
)
def _timestamp(run: Evaluation, value: Any) -> Timestamp:
    """A moment of RFC 3339 text, or of whole seconds since 1970."""
    if type(value) is Timestamp:
        return value
    if type(value) is str:
        return parse_timestamp(value)
    seconds = integral(value)
    if seconds is None:
        raise Problem(f"timestamp reads RFC 3339 text and whole seconds since 1970, not {described(value)}")
    return timestamp_of(seconds * _SECOND)


@CLOCK.function(
    "duration", "duration(x)", takes=(ANY,), example="duration('90m') + duration('30s')", gives='"1h30m30s"'
)
def _duration(run: Evaluation, value: Any) -> Duration:
    """A length of time of text (units ns us ms s m h d w), or of whole seconds."""
    if type(value) is Duration:
        return value
    if type(value) is str:
        return parse_duration(value)
    seconds = integral(value)
    if seconds is None:
        raise Problem(f"duration reads text such as 1h30m and whole seconds, not {described(value)}")
    return duration_of(seconds * _SECOND)


@CLOCK.function("millis", "millis(x)", takes=(TIME,), example="millis(duration('1.5s'))", gives="1500")
def _millis(run: Evaluation, value: Timestamp | Duration) -> int:
    """Milliseconds of a duration, or since 1970 of a timestamp."""
    return value.ns // _MILLI if type(value) is Timestamp else _toward_zero(value.ns, _MILLI)


@CLOCK.function(
    "timestampMillis",
    "timestampMillis(x)",
    takes=(ANY,),
    example="timestampMillis(1500)",
    gives='"1970-01-01T00:00:01.500Z"',
)
def _from_millis(run: Evaluation, value: Any) -> Timestamp:
    """A moment of whole milliseconds since 1970."""
    millis = integral(value)
    if millis is None:
        raise Problem(f"timestampMillis reads whole milliseconds since 1970, not {described(value)}")
    return timestamp_of(millis * _MILLI)


@CLOCK.function(
    "formatTime",
    "formatTime(time, pattern[, zone])",
    takes=(TIMESTAMP, TEXT, TEXT),
    least=2,
    example="formatTime(timestamp('2026-01-31T23:30:00Z'), '%d.%m.%Y %H:%M', 'Europe/Berlin')",
    gives='"01.02.2026 00:30"',
)
def _format_time(run: Evaluation, moment: Timestamp, pattern: str, zone: str = "UTC") -> str:
    """A moment by a pattern of %Y %m %d %H %I %M %S %L (ms) %p %j %u %V %G (ISO week, year) %a %A %b %B %z %s %%."""
    if len(pattern) > _MAX_PATTERN:
        raise Problem(f"a pattern of a time is at most {_MAX_PATTERN} characters long")
    at = civil(moment, zone)
    parts: list[str] = []
    chars = iter(pattern)
    for char in chars:
        if char != "%":
            parts.append(char)
            continue
        directive = next(chars, "")
        if directive not in DIRECTIVES:
            raise Problem(f"`%{directive}` is not known; there are " + " ".join(f"%{one}" for one in DIRECTIVES))
        parts.append(DIRECTIVES[directive](at))
    return "".join(parts)


def _toward_zero(value: int, unit: int) -> int:
    return value // unit if value >= 0 else -(-value // unit)


def _calendar(read: Callable[[datetime], int]) -> Callable[..., int]:
    def work(run: Evaluation, moment: Timestamp, zone: str = "UTC") -> int:
        return read(civil(moment, zone))

    return work


def _clock(read: Callable[[datetime], int], unit_ns: int) -> Callable[..., int]:
    def work(run: Evaluation, value: Timestamp | Duration, zone: str = "UTC") -> int:
        return read(civil(value, zone)) if type(value) is Timestamp else _toward_zero(value.ns, unit_ns)

    return work


def _milliseconds(run: Evaluation, value: Timestamp | Duration, zone: str = "UTC") -> int:
    if type(value) is Timestamp:
        return value.ns % _SECOND // _MILLI
    return _toward_zero(value.ns, _MILLI) - _toward_zero(value.ns, _SECOND) * 1_000


def _getter(name: str, summary: str, value: str, work: Callable[..., int], *, also_durations: bool = False) -> Function:
    usage = f"time.{name}([zone])"
    example = (f"timestamp('2026-01-31T12:30:15.250Z').{name}()", value)
    return Function(name, usage, summary, example, (TIME if also_durations else TIMESTAMP, TEXT), 1, None, work)


CLOCK.functions += [
    _getter("getFullYear", "The year.", "2026", _calendar(lambda at: at.year)),
    _getter("getMonth", "The month, 0 to 11.", "0", _calendar(lambda at: at.month - 1)),
    _getter("getDate", "The day of the month, 1 to 31.", "31", _calendar(lambda at: at.day)),
    _getter("getDayOfMonth", "The day of the month, 0 to 30.", "30", _calendar(lambda at: at.day - 1)),
    _getter("getDayOfWeek", "The day of the week, 0 (Sunday) to 6.", "6", _calendar(lambda at: at.isoweekday() % 7)),
    _getter("getDayOfYear", "The day of the year, 0 to 365.", "30", _calendar(lambda at: at.timetuple().tm_yday - 1)),
    _getter(
        "getHours",
        "The hour, 0 to 23; of a duration all its hours.",
        "12",
        _clock(lambda at: at.hour, 3600 * _SECOND),
        also_durations=True,
    ),
    _getter(
        "getMinutes",
        "The minute, 0 to 59; of a duration all its minutes.",
        "30",
        _clock(lambda at: at.minute, 60 * _SECOND),
        also_durations=True,
    ),
    _getter(
        "getSeconds",
        "The second, 0 to 59; of a duration all its seconds.",
        "15",
        _clock(lambda at: at.second, _SECOND),
        also_durations=True,
    ),
    _getter(
        "getMilliseconds",
        "The milliseconds, 0 to 999; millis(x) counts all of a duration.",
        "250",
        _milliseconds,
        also_durations=True,
    ),
]
