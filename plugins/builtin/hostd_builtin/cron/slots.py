"""Schedules: a cron expression in a time zone, listed times, and bounds around either.

Where clocks are moved, an expression goes one of two ways, as Debian's and Vixie's cron do:

- minute and hour are both fixed (neither begins with `*`): it follows the wall. A wall time that does not exist fires
  once, right after the gap; one that comes twice fires once, at the first.
- minute or hour begins with `*`: it follows elapsed time. Every moment whose wall time fits fires, in a repeated hour
  each time; wall times that do not exist are not made up for.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from hostd.plugin import Schedule
from hostd_builtin.cron.expression import CronExpression
from hostd_builtin.cron.zone import Stretch, Zone

_INSTANT = timedelta(microseconds=1)
_STRETCHES_MAX = 150  # croniter looks 50 years ahead; a zone has about two changes a year


class CronSlots:
    """A Schedule: the moments of a cron expression in a time zone."""

    def __init__(self, expression: CronExpression, zone: Zone) -> None:
        self._expression = expression
        self._zone = zone

    def next_after(self, at: datetime) -> datetime | None:
        """Return the first slot strictly after a time."""
        if self._zone.is_utc:
            return self._expression.next_wall(at)
        at = at.astimezone(UTC)
        try:
            return self._next_elapsed(at) if self._expression.is_elapsed else self._next_fixed(at)
        except OverflowError:  # past the year 9999
            return None

    def at_or_before(self, at: datetime) -> datetime | None:
        """Return the last slot not after a time."""
        if self._zone.is_utc:
            return self._expression.last_wall(at)
        at = at.astimezone(UTC)
        try:
            return self._last_elapsed(at) if self._expression.is_elapsed else self._last_fixed(at)
        except OverflowError:
            return None

    # -- on the wall: `instant` rises with the wall, so what the wall has shown so far is what has fired

    def _shown(self, at: datetime) -> datetime:
        """Return the latest wall time that has been shown until a moment."""
        stretch = self._zone.stretch(at)
        return max(at + stretch.offset, stretch.start + stretch.before - _INSTANT)

    def _next_fixed(self, at: datetime) -> datetime | None:
        wall = self._expression.next_wall(self._shown(at))
        return None if wall is None else self._zone.instant(wall)

    def _last_fixed(self, at: datetime) -> datetime | None:
        wall = self._expression.last_wall(self._shown(at))
        return None if wall is None else self._zone.instant(wall)

    # -- by elapsed time: within a stretch the wall is UTC plus its offset

    def _next_elapsed(self, at: datetime) -> datetime | None:
        stretch = self._zone.stretch(at)
        found = self._first_in(stretch, at)
        for _ in range(_STRETCHES_MAX):
            if found is not None:
                return found
            end = stretch.end
            stretch = self._zone.stretch(end)
            found = self._first_in(stretch, end - _INSTANT)
        return None

    def _first_in(self, stretch: Stretch, after: datetime) -> datetime | None:
        wall = self._expression.next_wall(after + stretch.offset)
        if wall is None or wall - stretch.offset >= stretch.end:
            return None
        return wall - stretch.offset

    def _last_elapsed(self, at: datetime) -> datetime | None:
        for _ in range(_STRETCHES_MAX):
            stretch = self._zone.stretch(at)
            wall = self._expression.last_wall(at + stretch.offset)
            if wall is not None and wall - stretch.offset >= stretch.start:
                return wall - stretch.offset
            at = stretch.start - _INSTANT
        return None


class ListedSlots:
    """A Schedule: moments that are listed."""

    def __init__(self, moments: Iterable[datetime]) -> None:
        self._moments = sorted(set(moments))

    def next_after(self, at: datetime) -> datetime | None:
        """Return the first slot strictly after a time."""
        place = bisect_right(self._moments, at)
        return self._moments[place] if place < len(self._moments) else None

    def at_or_before(self, at: datetime) -> datetime | None:
        """Return the last slot not after a time."""
        place = bisect_right(self._moments, at)
        return self._moments[place - 1] if place else None


class BoundedSlots:
    """A Schedule: the slots of another from `start` to `end`, both included; None = unbounded."""

    def __init__(self, slots: Schedule, start: datetime | None, end: datetime | None) -> None:
        self._slots = slots
        self._start = start
        self._end = end

    def next_after(self, at: datetime) -> datetime | None:
        """Return the first slot strictly after a time."""
        if self._start is not None:
            at = max(at, self._start - _INSTANT)
        slot = self._slots.next_after(at)
        return None if slot is None or (self._end is not None and slot > self._end) else slot

    def at_or_before(self, at: datetime) -> datetime | None:
        """Return the last slot not after a time."""
        slot = self._slots.at_or_before(at if self._end is None else min(at, self._end))
        return None if slot is None or (self._start is not None and slot < self._start) else slot


def bounded(slots: Schedule, start: datetime | None, end: datetime | None) -> Schedule:
    """Return a schedule within bounds, itself where there are none."""
    return slots if start is None and end is None else BoundedSlots(slots, start, end)
