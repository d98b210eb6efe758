"""Slots: each fired once, whatever restarts, delays and clock steps come between."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostd.plugin.slots import CatchUp, Periodic, due_slots, fire_times
from hostd.plugin.testing import FakeClock
from hostd.plugin.testing.clock import settle

START = datetime(2026, 1, 1, tzinfo=UTC)
TEN = timedelta(seconds=10)


async def fired(clock: FakeClock, turn: timedelta, *, catch_up: CatchUp = "one", pause_s: float = 0) -> list[int]:
    """Return the seconds after START of the slots that fire while the clock is turned."""
    slots: list[int] = []

    async def consume() -> None:
        async for slot in clock.ticks(TEN, catch_up=catch_up):
            slots.append(round((slot - START).total_seconds()))
            if pause_s:
                await clock.sleep(pause_s)

    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(consume())
        await clock.advance(turn)
        task.cancel()
    return slots


async def test_slots_are_multiples_since_the_epoch() -> None:
    """The first slot is the next multiple, not now plus the period."""
    clock = FakeClock(START + timedelta(seconds=3))
    assert await fired(clock, timedelta(seconds=30)) == [10, 20, 30]


@pytest.mark.parametrize("catch_up, expected", [("none", [60]), ("one", [50, 60]), ("all", [20, 30, 40, 50, 60])])
async def test_missed_slots_follow_catch_up(catch_up: CatchUp, expected: list[int]) -> None:
    """After 45 s away, with slot 10 fired before: none, the latest, or all of the missed ones, then the next."""
    clock = FakeClock(START + timedelta(seconds=55), high_water=START + TEN)
    assert await fired(clock, timedelta(seconds=9), catch_up=catch_up) == expected


async def test_catching_up_is_bounded() -> None:
    """A year away is at most 100 slots, the latest ones."""
    clock = FakeClock(START + timedelta(days=365), high_water=START)
    slots = await fired(clock, timedelta(0), catch_up="all")
    assert len(slots) == 100
    assert slots[-1] == 365 * 86_400


async def test_a_slow_consumer_misses_nothing() -> None:
    """Slots that pass while the consumer is busy are fired late, each once."""
    clock = FakeClock(START)
    assert await fired(clock, timedelta(seconds=100), pause_s=15) == [10, 20, 30, 40, 50, 60, 70]


async def test_a_clock_stepped_back_fires_nothing_twice() -> None:
    """An hour set back means an hour of silence, not an hour again."""
    clock = FakeClock(START)
    slots: list[datetime] = []

    async def consume() -> None:
        async for slot in clock.ticks(TEN):
            slots.append(slot)

    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(consume())
        await clock.advance(20)
        clock.step_wall(-timedelta(hours=1))
        await clock.advance(3_600)
        assert slots == [START + TEN, START + 2 * TEN]
        await clock.advance(10)
        task.cancel()
    assert slots[-1] == START + 3 * TEN
    await settle()


@given(
    period=st.timedeltas(min_value=timedelta(milliseconds=1), max_value=timedelta(days=400)),
    offset=st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=400)),
    at=st.datetimes(min_value=datetime(1980, 1, 1), max_value=datetime(2200, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_neighbouring_slots_lie_a_period_apart(period: timedelta, offset: timedelta, at: datetime) -> None:
    """For any period and time: the slot before is not after it, the next is, and exactly a period lies between."""
    schedule = Periodic(period, offset)
    before, after = schedule.at_or_before(at), schedule.next_after(at)
    assert before <= at < after
    assert after - before == period
    assert schedule.at_or_before(before) == before
    assert due_slots(schedule, after=before, until=after, limit=5) == [after]


def test_a_period_ends_with_the_calendar() -> None:
    """Where the next multiple, or the last, lies past what a date can hold there is none."""
    year = Periodic(timedelta(days=366))
    assert year.next_after(datetime(9999, 12, 31, tzinfo=UTC)) is None
    assert year.at_or_before(datetime(1, 1, 1, tzinfo=UTC)) is None


class Counted(Periodic):
    """A schedule that counts what it is asked."""

    def __init__(self) -> None:
        super().__init__(TEN)
        self.asked: list[str] = []

    def next_after(self, at: datetime) -> datetime | None:
        """Count it."""
        self.asked.append("next")
        return super().next_after(at)

    def at_or_before(self, at: datetime) -> datetime | None:
        """Count it."""
        self.asked.append("last")
        return super().at_or_before(at)


async def test_a_trigger_that_begins_computes_its_next_slot_and_nothing_else() -> None:
    """Ten thousand that begin ask for what was missed only where something was."""
    schedule, clock = Counted(), FakeClock(START + timedelta(seconds=3))
    times = fire_times(schedule, clock, after=None)
    waiting = asyncio.ensure_future(anext(times))  # type: ignore[arg-type]
    await settle()
    assert schedule.asked == ["next"]
    await clock.advance(TEN)
    assert await waiting == START + TEN
    await times.aclose()  # type: ignore[attr-defined]
