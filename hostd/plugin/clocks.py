"""The clocks plugins see, on top of a machine's: the daemon's own, or that of a plugin's process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Protocol

from hostd.plugin.slots import LONGEST_SLEEP_S, CatchUp, Periodic, Schedule, fire_times
from hostd.values.json_text import JsonValue

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class MachineClock(Protocol):
    """Wall and monotonic time, and sleeping by it."""

    def wall_ms(self) -> int: ...

    def monotonic_s(self) -> float: ...

    async def sleep(self, seconds: float) -> None: ...


def at_ms(wall_ms: int) -> datetime:
    """Return an aware time for wall milliseconds."""
    return _EPOCH + timedelta(milliseconds=wall_ms)


class SlotMark(str):
    """A cursor that was given as a time: a high-water mark of slots. Other texts are cursors of the trigger's own."""

    __slots__ = ()


class PluginClock:
    """Wall time as aware datetimes; one for the whole process."""

    __slots__ = ("base",)

    def __init__(self, clock: MachineClock) -> None:
        self.base = clock

    def now(self) -> datetime:
        """Return the wall time, aware, UTC."""
        return at_ms(self.base.wall_ms())

    @property
    def longest_sleep_s(self) -> float:
        """After how long the wall has to be looked at again, because it may have been set."""
        longest_s: float = getattr(self.base, "longest_sleep_s", LONGEST_SLEEP_S)
        return longest_s

    def monotonic_s(self) -> float:
        """Return seconds that never jump."""
        return self.base.monotonic_s()

    async def sleep(self, duration: timedelta | float) -> None:
        """Wait; a number is seconds."""
        await self.base.sleep(duration.total_seconds() if isinstance(duration, timedelta) else duration)


class SlotsClock(PluginClock):
    """A trigger's clock: slots go on behind the mark its cursor holds, at first behind the trigger's activation."""

    __slots__ = ("_mark",)

    def __init__(self, clock: MachineClock, cursor: JsonValue, since: datetime | None = None) -> None:
        super().__init__(clock)
        self._mark = slot_of(cursor) or since

    def ticks(
        self, period: timedelta, offset: timedelta = timedelta(0), *, catch_up: CatchUp = "one"
    ) -> AsyncIterator[datetime]:
        """Yield the multiples of `period` since the epoch plus `offset`, each when it comes."""
        return self.slots(Periodic(period, offset), catch_up=catch_up)

    def slots(self, schedule: Schedule, *, catch_up: CatchUp = "one") -> AsyncIterator[datetime]:
        """Yield each slot of a schedule when it comes, none twice."""
        return fire_times(schedule, self, after=self._mark, catch_up=catch_up)


def slot_of(cursor: JsonValue) -> datetime | None:
    """Return the high-water mark a cursor holds, None when it holds something else."""
    if not isinstance(cursor, str):
        return None
    try:
        mark = datetime.fromisoformat(cursor)
    except ValueError:
        return None
    return mark if mark.tzinfo else None
