"""Time zones as runs of constant offset from UTC, found in zoneinfo (the system's, else the `tzdata` package's)."""

from __future__ import annotations

import difflib
import zoneinfo
from bisect import bisect_right
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

UTC_NAMES = frozenset({"UTC", "Etc/UTC", "Z"})
_LOCAL_NAMES = frozenset({"localtime", "posixrules", "Factory"})
_DAY = timedelta(days=1)
_TICK = timedelta(seconds=1)
_FIRST = datetime(1, 1, 2, tzinfo=UTC)
_LAST = datetime(9999, 12, 30, tzinfo=UTC)


class Stretch(NamedTuple):
    """A time in which the offset does not change: start <= t < end, both in UTC. `before` is the offset until then."""

    start: datetime
    end: datetime
    offset: timedelta
    before: timedelta


class Zone:
    """One time zone.

    Raises:
        ValueError: there is no such zone; the message names one that is alike.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._info = None if name in UTC_NAMES else _load(name)
        self._year = lru_cache(maxsize=64)(self._changes_of)

    @property
    def is_utc(self) -> bool:
        """Whether its wall is UTC."""
        return self._info is None

    def offset(self, at: datetime) -> timedelta:
        """Return the offset from UTC at a moment."""
        if self._info is None:
            return timedelta(0)
        return at.astimezone(self._info).utcoffset() or timedelta(0)

    def stretch(self, at: datetime) -> Stretch:
        """Return the stretch that holds a moment; it ends at the next change, or two years on at most."""
        year = at.year
        years = range(max(1, year - 1), min(9999, year + 1) + 1)
        changes = [change for each in years for change in self._year(each)]
        place = bisect_right(changes, at)
        start = changes[place - 1] if place else datetime(years[0], 1, 1, tzinfo=UTC)
        end = changes[place] if place < len(changes) else _end_of(years[-1])
        offset = self.offset(max(start, _FIRST))
        before = self.offset(start - _TICK) if place else offset
        return Stretch(start, end, offset, before)

    def instant(self, wall: datetime) -> datetime:
        """Return when a wall shows this: the first time where it does twice, the end of the gap where it never does.

        Args:
            wall: in UTC, standing for the zone's wall.
        """
        if self._info is None:
            return wall
        moment = wall.replace(tzinfo=self._info, fold=0).astimezone(UTC)  # fold 0: the first; past the gap
        if moment + self.offset(moment) == wall:
            return moment
        return self.stretch(moment).start

    def parse(self, text: str) -> datetime:
        """Return the moment of an ISO 8601 text; without an offset it is this zone's wall. Raises ValueError."""
        try:
            moment = datetime.fromisoformat(text.strip())
        except ValueError:
            raise ValueError(
                f"{text[:40]!r} is no time; write it as 2026-03-29T02:30:00 or 2026-03-29T02:30:00Z"
            ) from None
        try:
            instant = self.instant(moment.replace(tzinfo=UTC)) if moment.tzinfo is None else moment.astimezone(UTC)
        except OverflowError:
            instant = None
        if instant is None or instant < _FIRST:
            raise ValueError(f"{text[:40]!r} lies outside the years 1 to 9999 in UTC")
        return instant

    def _changes_of(self, year: int) -> tuple[datetime, ...]:
        """Return the moments in a year at which the offset changes, to the second."""
        at = max(datetime(year, 1, 1, tzinfo=UTC), _FIRST)
        end = min(_end_of(year), _LAST)
        changes = []
        offset = self.offset(at)
        while at < end:
            after = self.offset(at + _DAY)
            if after != offset:
                changes.append(self._change(at, at + _DAY, offset))
            at, offset = at + _DAY, after
        return tuple(changes)

    def _change(self, low: datetime, high: datetime, offset: timedelta) -> datetime:
        while high - low > _TICK:
            middle = low + (high - low) // 2
            middle = middle.replace(microsecond=0)
            low, high = (middle, high) if self.offset(middle) == offset else (low, middle)
        return high


def _end_of(year: int) -> datetime:
    return datetime(year + 1, 1, 1, tzinfo=UTC) if year < 9999 else datetime.max.replace(tzinfo=UTC)


def _load(name: str) -> zoneinfo.ZoneInfo:
    try:
        if name in _LOCAL_NAMES:
            raise zoneinfo.ZoneInfoNotFoundError(name)
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        close = difflib.get_close_matches(name, zoneinfo.available_timezones() - _LOCAL_NAMES, n=1)
        hint = f"did you mean {close[0]}?" if close else "write an IANA name, such as Europe/Berlin"
        raise ValueError(f"there is no time zone {name[:64]!r}; {hint}") from None


@lru_cache(maxsize=256)
def zone(name: str) -> Zone:
    """Return a zone by its IANA name, the same object for the same name. Raises ValueError as Zone does."""
    return Zone(name)
