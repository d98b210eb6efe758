"""Slots: the moments a schedule names, each fired once, whatever restarts and clock steps come between."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Literal, Protocol, TypeAlias

CatchUp: TypeAlias = Literal["none", "one", "all"]
"""Of the slots that passed while nobody fired: none, the latest one, or all (at most the latest 100)."""

LATE_SLOTS_MAX = 100
LONGEST_SLEEP_S = 30.0  # wall clocks step; look again at least this often
_LIMITS: dict[str, int] = {"none": 0, "one": 1, "all": LATE_SLOTS_MAX}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_INSTANT = timedelta(microseconds=1)


class Schedule(Protocol):
    """Moments in order. Both methods are pure; times are aware and in UTC."""

    def next_after(self, at: datetime) -> datetime | None:
        """Return the first slot strictly after a time, None when there is none any more."""
        ...

    def at_or_before(self, at: datetime) -> datetime | None:
        """Return the last slot not after a time, None when there is none."""
        ...


class Periodic:
    """Multiples of a period since 1970-01-01T00:00:00Z, plus an offset."""

    def __init__(self, period: timedelta, offset: timedelta = timedelta(0)) -> None:
        if period <= timedelta(0):
            raise ValueError("a period must be more than 0s")
        self._period = period
        self._origin = _EPOCH + offset % period

    def at_or_before(self, at: datetime) -> datetime | None:
        """Return the last multiple not after a time, None before the year 1."""
        return self._multiple((at - self._origin) // self._period)

    def next_after(self, at: datetime) -> datetime | None:
        """Return the first multiple strictly after a time, None past the year 9999."""
        return self._multiple((at - self._origin) // self._period + 1)

    def _multiple(self, number: int) -> datetime | None:
        try:
            return self._origin + number * self._period
        except OverflowError:
            return None


class SlotClock(Protocol):
    """What waiting for slots needs of a clock."""

    def now(self) -> datetime: ...

    async def sleep(self, duration: timedelta | float) -> None: ...


def due_slots(schedule: Schedule, *, after: datetime, until: datetime, limit: int) -> list[datetime]:
    """Return the latest `limit` slots in (after, until], in order."""
    slots: list[datetime] = []
    at = schedule.at_or_before(until)
    while at is not None and at > after and len(slots) < limit:
        slots.append(at)
        at = schedule.at_or_before(at - _INSTANT)
    return slots[::-1]


async def fire_times(
    schedule: Schedule, clock: SlotClock, *, after: datetime | None, catch_up: CatchUp = "one"
) -> AsyncIterator[datetime]:
    """Yield each slot when it comes, in order, none twice; ends when the schedule has no more.

    Slots that pass while the consumer is busy are yielded late, at most the latest 100.

    Args:
        after: the last slot that was fired (the high-water mark); None = never: the first is the next one from now.
        catch_up: what happens with slots between `after` and now.
    """
    mark = after or clock.now()
    limit = _LIMITS[catch_up]
    if limit == 0:
        mark = max(mark, clock.now())
    while (upcoming := schedule.next_after(mark)) is not None:
        if upcoming > clock.now():
            await sleep_until(clock, upcoming)
            limit = LATE_SLOTS_MAX
        for slot in due_slots(schedule, after=mark, until=clock.now(), limit=limit or 1):
            yield slot
            mark = slot
        limit = LATE_SLOTS_MAX


async def sleep_until(clock: SlotClock, at: datetime) -> None:
    """Wait for a moment on a wall clock, which may be set meanwhile; those of tests (`longest_sleep_s`) are not."""
    longest_s = getattr(clock, "longest_sleep_s", LONGEST_SLEEP_S)
    while (missing_s := (at - clock.now()).total_seconds()) > 0:
        await clock.sleep(min(missing_s, longest_s))
