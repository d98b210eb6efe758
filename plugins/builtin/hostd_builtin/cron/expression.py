"""Cron expressions on a wall without time zones. The only module that knows croniter."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Literal, TypeAlias

SecondsAt: TypeAlias = Literal["first", "last"]

FIELDS = ("minute", "hour", "day of month", "month", "day of week")
ALIASES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_BOUNDS = {
    "second": "0-59",
    "minute": "0-59",
    "hour": "0-23",
    "day of month": "1-31, L for the last, 15W for the working day nearest the 15th",
    "month": "1-12 or jan-dec",
    "day of week": "0-7 or sun-sat, L5 for the last Friday, 5#2 for the second",
}
_CHARACTERS = re.compile(r"[0-9A-Za-z*?,/?#-]+")
_STEP = re.compile(r"/(\d+)")
_RANDOM = re.compile(r"(?<![A-Za-z])[HR](?![A-Za-z])")  # croniter's hashed and random fields change from start to start
_ANY_TIME = datetime(2024, 1, 1, tzinfo=UTC)
_LAST_WEEKDAY = re.compile(r"\b([0-7])L\b", re.IGNORECASE)  # Quartz writes 5L, croniter L5
_RANGE = re.compile(r"(?<![^,])([0-9A-Za-z]+)-([0-9A-Za-z]+)(?:/\d+)?(?![^,])")
_DAYS = {name: str(number) for number, name in enumerate(("sun", "mon", "tue", "wed", "thu", "fri", "sat"))}
_MONTHS = {
    name: str(number)
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), start=1
    )
}
FIELDS_MAX = 4_096  # that are remembered to be right or wrong
_DAYS_AT = (FIELDS.index("day of month"), FIELDS.index("day of week"))
_STEPS_MAX = {"second": 60, "minute": 60, "hour": 24, "day of month": 31, "month": 12, "day of week": 7}


class CronExpression:
    """What a cron expression names: `next_wall` and `last_wall`, both pure.

    Walls are aware times in UTC that stand for what a clock on some wall shows; time zones are slots.py's. Day of month
    and day of week are alternatives when both are restricted; one that begins with `*` or `?` is not, as in Vixie
    cron, so `*/10` and `0` mean a tenth day that is a Sunday. `59/15` is a step from 59.

    Attributes:
        is_elapsed: minute or hour begins with `*`: the expression follows elapsed time where clocks are moved.

    Raises:
        ValueError: naming the field that cannot be read.
    """

    def __init__(self, text: str, *, seconds_at: SecondsAt = "first") -> None:
        from croniter import CroniterError, croniter

        fields = _fields(text, seconds_at)
        names = (*FIELDS, "second")
        for name, field in zip(names, fields, strict=False):
            _check_field(name, field)
        self.is_elapsed = fields[0].startswith("*") or fields[1].startswith("*")
        self._grain = timedelta(minutes=1) if len(fields) == len(FIELDS) else timedelta(seconds=1)
        self._iterator: Any = _iterator(croniter, text, fields, CroniterError)

    def next_wall(self, at: datetime) -> datetime | None:
        """Return the first moment strictly after a wall time, None when none comes within 50 years."""
        return self._move(self._iterator.get_next, self._floor(at))

    def last_wall(self, at: datetime) -> datetime | None:
        """Return the last moment not after a wall time."""
        return self._move(self._iterator.get_prev, self._floor(at) + self._grain)

    def _floor(self, at: datetime) -> datetime:
        second = 0 if self._grain.total_seconds() > 1 else at.second
        return at.astimezone(UTC).replace(second=second, microsecond=0)

    def _move(self, step: Any, start: datetime) -> datetime | None:
        try:
            moment: datetime = step(datetime, start_time=start)
        except (ValueError, OverflowError):  # croniter: nothing within 50 years; else past the year 9999
            return None
        return moment.astimezone(UTC)


def _fields(text: str, seconds_at: SecondsAt) -> list[str]:
    """Return five fields, or six with the seconds last, as croniter has them."""
    written = text.strip()
    if written.startswith("@"):
        known = ALIASES.get(written.lower())
        if known is None:
            raise ValueError(
                f"{written[:80]!r} is no alias; there are {', '.join(ALIASES)} (and the trigger cron.every)"
            )
        return known.split()
    fields = written.split()
    if len(fields) not in (len(FIELDS), len(FIELDS) + 1):
        shape = f"five: {', '.join(FIELDS)}, or six with the second {seconds_at}"
        raise ValueError(f"{text[:80]!r} has {len(fields)} fields; write {shape}")
    if len(fields) > len(FIELDS) and seconds_at == "first":
        fields = [*fields[1:], fields[0]]
    fields[4] = _LAST_WEEKDAY.sub(r"L\1", fields[4])
    names: list[Mapping[str, str]] = [{}, {}, {}, _MONTHS, _DAYS, {}]
    return [_without_ranges_of_one(field, known) for field, known in zip(fields, names, strict=False)]


def _without_ranges_of_one(field: str, names: Mapping[str, str]) -> str:
    """Return a field with `5-5` written `5`: croniter takes it for everything. So `7-0`, from Sunday to Sunday."""

    def one(written: re.Match[str]) -> str:
        low, high = (names.get(end.lower(), end.lstrip("0") or "0") for end in written.groups())
        same = low == high or (names is _DAYS and (low, high) == ("7", "0"))
        return high if same else written[0]

    return _RANGE.sub(one, field)


def _check_field(name: str, field: str) -> None:
    if not _can_be_read(name, field):
        raise ValueError(
            f"the {name} {field[:40]!r} cannot be read; it takes {_BOUNDS[name]}, `*`, lists, ranges, steps"
        )


@lru_cache(FIELDS_MAX)  # thousands of expressions are made of few fields
def _can_be_read(name: str, field: str) -> bool:
    from croniter import croniter

    alone = ["*"] * (len(FIELDS) + (name == "second"))
    alone[(*FIELDS, "second").index(name)] = field
    return not (
        not _CHARACTERS.fullmatch(field)
        or _RANDOM.search(field)
        or ("?" in field and (field != "?" or not name.startswith("day")))
        or any(int(step) > _STEPS_MAX[name] for step in _STEP.findall(field))
        or not croniter.is_valid(" ".join(alone))
    )


def _iterator(croniter: Any, text: str, fields: list[str], error_class: type[Exception]) -> Any:
    try:
        iterator = croniter(" ".join(fields), _ANY_TIME, implement_cron_bug=True)
        if any(fields[place] != "*" for place in _DAYS_AT):  # else there is a moment on every day
            iterator.get_next(datetime)
    except error_class as error:
        hint = "it names a day that no month has" if "next date" in str(error) else str(error)
        raise ValueError(f"{text[:80]!r} never happens: {hint}") from None
    return iterator
