"""Cron expressions in UTC, five fields. The only module that knows croniter."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

FIELDS = ("minute", "hour", "day of month", "month", "day of week")
_BOUNDS = ("0-59", "0-23", "1-31", "1-12 or jan-dec", "0-7 or sun-sat")
_CHARACTERS = re.compile(r"[0-9A-Za-z*,/?#-]+")
_RANDOM = re.compile(r"(?<![A-Za-z])[HR](?![A-Za-z])")  # croniter's hashed and random fields change from start to start
_ANY_TIME = datetime(2024, 1, 1, tzinfo=UTC)
_MINUTE = timedelta(minutes=1)


class CronExpression:
    """A schedule: `next_after` and `at_or_before`, both pure.

    Day of month and day of week are alternatives when both are restricted; one that begins with `*` is not, as in Vixie
    cron, so `*/10` and `0` mean a tenth day that is a Sunday. `59/15` is a step from 59.

    Raises:
        ValueError: naming the field that cannot be read.
    """

    def __init__(self, text: str) -> None:
        from croniter import CroniterError, croniter

        fields = text.split()
        if len(fields) != len(FIELDS):
            given = f"{len(fields)} fields" if not text.strip().startswith("@") else "an alias"
            raise ValueError(f"{text[:80]!r} has {given}; write five: {', '.join(FIELDS)}")
        for at, field in enumerate(fields):
            _check_field(croniter, at, field)
        self._iterator: Any = _iterator(croniter, text, fields, CroniterError)

    def next_after(self, at: datetime) -> datetime | None:
        """Return the first slot after a time, None when none comes within 50 years."""
        return self._move(self._iterator.get_next, _whole_minute(at))

    def at_or_before(self, at: datetime) -> datetime | None:
        """Return the last slot not after a time."""
        return self._move(self._iterator.get_prev, _whole_minute(at) + _MINUTE)

    def _move(self, step: Any, start: datetime) -> datetime | None:
        try:
            slot: datetime = step(datetime, start_time=start)
        except (ValueError, OverflowError):  # croniter: nothing within 50 years; else past the year 9999
            return None
        return slot.astimezone(UTC)


def _whole_minute(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(second=0, microsecond=0)


def _check_field(croniter: Any, at: int, field: str) -> None:
    alone = ["*"] * len(FIELDS)
    alone[at] = field
    if not _CHARACTERS.fullmatch(field) or _RANDOM.search(field) or not croniter.is_valid(" ".join(alone)):
        raise ValueError(
            f"the {FIELDS[at]} {field[:40]!r} cannot be read; it takes {_BOUNDS[at]}, `*`, lists, ranges, steps"
        )


def _iterator(croniter: Any, text: str, fields: list[str], error_class: type[Exception]) -> Any:
    try:
        iterator = croniter(" ".join(fields), _ANY_TIME, implement_cron_bug=True)
        iterator.get_next(datetime)
    except error_class as error:
        hint = "it names a day that no month has" if "next date" in str(error) else str(error)
        raise ValueError(f"{text[:80]!r} never happens: {hint}") from None
    return iterator
