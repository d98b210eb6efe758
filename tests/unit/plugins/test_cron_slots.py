"""Cron in time zones: what fires where clocks are moved, between bounds, at listed times, and with jitter."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cronsim import CronSim
from hypothesis import given, settings
from hypothesis import strategies as st

from hostd.plugin import EndOfTrigger, Schedule
from hostd.plugin.testing import FakeClock, FakeTriggerContext, running_trigger
from hostd_builtin.cron.every import Every, EveryOptions
from hostd_builtin.cron.expression import CronExpression, SecondsAt
from hostd_builtin.cron.once import At
from hostd_builtin.cron.schedule import CronSchedule, ScheduleOptions
from hostd_builtin.cron.slots import CronSlots
from hostd_builtin.cron.zone import zone

BERLIN, HOWE, APIA, SANTIAGO = "Europe/Berlin", "Australia/Lord_Howe", "Pacific/Apia", "America/Santiago"


def slots(text: str, timezone: str, seconds: SecondsAt = "first") -> Schedule:
    """Return a schedule."""
    return CronSlots(CronExpression(text, seconds_at=seconds), zone(timezone))


def between(schedule: Schedule, start: str, end: str) -> list[str]:
    """Return the slots in (start, end], in UTC, found forwards and backwards alike."""
    at, last = datetime.fromisoformat(start).astimezone(UTC), datetime.fromisoformat(end).astimezone(UTC)
    found: list[datetime] = []
    here: datetime | None = at
    while here is not None and (here := schedule.next_after(here)) is not None and here <= last:
        found.append(here)
    back: list[datetime] = []
    late = schedule.at_or_before(last)
    while late is not None and late > at:
        back.append(late)
        late = schedule.at_or_before(late - timedelta(microseconds=1))
    assert back[::-1] == found
    return [slot.strftime("%m-%d %H:%M:%S").removesuffix(":00") for slot in found]


SPRING = ("2026-03-28T12:00:00+00:00", "2026-03-30T04:00:00+00:00")  # Berlin: 29 March, 01:00 UTC, 02:00 -> 03:00
AUTUMN = ("2026-10-24T12:00:00+00:00", "2026-10-26T04:00:00+00:00")  # Berlin: 25 October, 01:00 UTC, 03:00 -> 02:00


@pytest.mark.parametrize(
    ("text", "span", "expected"),
    [
        ("30 2 * * *", SPRING, ["03-29 01:00", "03-30 00:30"]),
        ("0,15,30 2 * * *", SPRING, ["03-29 01:00", "03-30 00:00", "03-30 00:15", "03-30 00:30"]),
        ("30 2,3 * * *", SPRING, ["03-29 01:00", "03-29 01:30", "03-30 00:30", "03-30 01:30"]),
        ("0 3 * * *", SPRING, ["03-29 01:00", "03-30 01:00"]),
        ("30 2 * * *", AUTUMN, ["10-25 00:30", "10-26 01:30"]),
        ("0 3 * * *", AUTUMN, ["10-25 02:00", "10-26 02:00"]),
        ("0 1-4 25 * *", AUTUMN, ["10-24 23:00", "10-25 00:00", "10-25 02:00", "10-25 03:00"]),
    ],
)
def test_a_fixed_time_follows_the_wall(text: str, span: tuple[str, str], expected: list[str]) -> None:
    """What does not exist fires once, right after the gap; what comes twice fires once, at the first."""
    assert between(slots(text, BERLIN), *span) == expected


def test_hours_and_minutes_follow_elapsed_time() -> None:
    """Every hour means every 60 minutes, every ten minutes every ten, on the days clocks are moved too."""
    for month, day, name in ((3, 29, BERLIN), (10, 25, BERLIN), (4, 5, SANTIAGO), (9, 6, SANTIAGO)):
        start = datetime(2026, month, day, tzinfo=UTC) - timedelta(days=1)
        for text, minutes in (("0 * * * *", 60), ("*/10 * * * *", 10), ("0 */10 * * * *", 10)):
            here, schedule = start, slots(text, name)
            for _ in range(2 * 24 * 60 // minutes):
                following = schedule.next_after(here)
                assert following is not None
                assert following - here == timedelta(minutes=minutes)
                here = following
    repeated = between(slots("*/30 2 * * *", BERLIN), *AUTUMN)
    assert repeated == ["10-25 00:00", "10-25 00:30", "10-25 01:00", "10-25 01:30", "10-26 01:00", "10-26 01:30"]


def test_odd_changes() -> None:
    """Half an hour's shift, a day that was left out, midnight that does not exist."""
    howe = between(slots("15 2 * * *", HOWE), "2026-10-02T16:00:00+00:00", "2026-10-05T00:00:00+00:00")
    assert howe == ["10-03 15:30", "10-04 15:15"]  # 3 October, 15:30 UTC: 02:00 -> 02:30
    late = between(slots("*/20 2 * * *", HOWE), "2024-04-06T00:00:00+00:00", "2024-04-07T00:00:00+00:00")
    assert late == ["04-06 15:30", "04-06 15:50", "04-06 16:10"]  # 6 April 2024, 15:00 UTC: 02:00 -> 01:30
    apia = between(slots("0 9 * * *", APIA), "2011-12-29T12:00:00+00:00", "2012-01-01T00:00:00+00:00")
    assert apia == ["12-29 19:00", "12-30 10:00", "12-30 19:00", "12-31 19:00"]  # 30 December 2011 did not exist there
    santiago = between(slots("0 0 * * *", SANTIAGO), "2026-09-04T12:00:00+00:00", "2026-09-07T12:00:00+00:00")
    assert santiago == ["09-05 04:00", "09-06 04:00", "09-07 03:00"]  # 6 September begins at 01:00


# Lord Howe is not among them: the other one leaves slots out after a change of half an hour.
ZONES = [BERLIN, "America/New_York", SANTIAGO, "Africa/Casablanca", "Asia/Kathmandu", "Etc/GMT+5"]


@settings(max_examples=80, deadline=None)
@given(
    minute=st.sampled_from(["*", "0", "30", "*/20", "5-10", "0,30"]),
    hour=st.sampled_from(["*", "0", "2", "1,2,3", "*/2", "1-4"]),
    name=st.sampled_from(ZONES),
    at=st.datetimes(datetime(2024, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    near=st.booleans(),
)
def test_slots_in_zones_agree_with_another_implementation(
    minute: str, hour: str, name: str, at: datetime, near: bool
) -> None:
    """The next five slots are those of cronsim, around changes above all; each is found again from behind."""
    place = zone(name)
    text = f"{minute} {hour} * * *"
    schedule = slots(text, name)
    here = at.replace(microsecond=0)
    if near:
        here = max(here, place.stretch(here).end - timedelta(hours=30))
    oracle = CronSim(text, here.astimezone(place._info))
    for _ in range(5):
        slot = schedule.next_after(here)
        assert slot is not None
        assert slot == next(oracle).astimezone(UTC)
        assert schedule.at_or_before(slot) == slot
        before = schedule.at_or_before(slot - timedelta(microseconds=1))
        assert before is not None and before <= here
        here = slot


@pytest.mark.parametrize(
    ("text", "seconds", "expected"),
    [
        ("@hourly", "first", "2026-01-01T01:00:00"),
        ("@Weekly", "first", "2026-01-04T00:00:00"),
        ("@yearly", "first", "2027-01-01T00:00:00"),
        ("15 30 4 * * *", "first", "2026-01-01T04:30:15"),
        ("30 4 * * * 15", "last", "2026-01-01T04:30:15"),
        ("*/20 * * * * *", "first", "2026-01-01T00:00:20"),
        ("0 12 L * *", "first", "2026-01-31T12:00:00"),
        ("0 12 * * 5L", "first", "2026-01-30T12:00:00"),
        ("0 12 * * L5", "first", "2026-01-30T12:00:00"),
        ("0 12 * * mon#2", "first", "2026-01-12T12:00:00"),
        ("0 12 15W 2 *", "first", "2026-02-16T12:00:00"),
        ("0 12 ? * 7", "first", "2026-01-04T12:00:00"),
        ("0 0 29 2 *", "first", "2028-02-29T00:00:00"),
    ],
)
def test_what_expressions_may_say(text: str, seconds: SecondsAt, expected: str) -> None:
    """Aliases, seconds at either end, the last day, the last and the n-th weekday, the nearest working day."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    assert slots(text, "UTC", seconds).next_after(start) == datetime.fromisoformat(expected + "+00:00")


async def test_bounds_belong_to_the_schedule() -> None:
    """Slots lie from `start` to `end`, both included, read in the trigger's zone; then the trigger ends."""
    options = {"cron": "0 12 * * *", "timezone": BERLIN, "start": "2026-01-03T12:00:00", "end": "2026-01-04T11:00:00Z"}
    async with running_trigger(CronSchedule, options) as (context, task):
        await context.clock.advance(timedelta(days=10))
        assert [event.id for event in context.emitted] == ["2026-01-03T11:00:00Z", "2026-01-04T11:00:00Z"]
        assert isinstance(task.exception(), EndOfTrigger)
    schedule = CronSchedule(ScheduleOptions.model_validate(options)).schedule()
    assert schedule.at_or_before(datetime(2026, 1, 3, tzinfo=UTC)) is None
    every = Every(EveryOptions.model_validate({"period": "1h", "end": "2026-01-01T02:30:00Z"})).schedule()
    assert between(every, "2026-01-01T00:00:00+00:00", "2026-01-02T00:00:00+00:00") == ["01-01 01:00", "01-01 02:00"]


async def test_listed_times_fire_once_each_and_the_trigger_ends() -> None:
    """What lies behind when it is activated never fires; what was missed since fires late."""
    times = ["2026-01-01T03:00:00Z", "2026-01-01T02:00:00+01:00", "2025-12-31T00:00:00Z", "2026-01-01T05:00:00"]
    options = {"at": times, "timezone": BERLIN}
    async with running_trigger(At, options) as (context, _):
        await context.clock.advance(timedelta(hours=2))
    assert [event.id for event in context.emitted] == ["2026-01-01T01:00:00Z"]
    clock = FakeClock(datetime(2026, 1, 2, tzinfo=UTC), high_water=datetime(2026, 1, 1, 1, tzinfo=UTC))
    async with running_trigger(At, options, ctx=FakeTriggerContext(clock=clock)) as (context, task):
        assert [event.id for event in context.emitted] == ["2026-01-01T03:00:00Z", "2026-01-01T04:00:00Z"]
        assert isinstance(task.exception(), EndOfTrigger)
    async with running_trigger(At, {"at": "2020-01-01T00:00:00Z"}) as (context, task):
        assert context.emitted == [] and isinstance(task.exception(), EndOfTrigger)


async def test_jitter_delays_and_changes_no_id() -> None:
    """A slot fires within the jitter, at the same moment in every life of the trigger; slots differ."""
    fired: list[dict[str, datetime]] = []
    for _ in range(2):
        clock = FakeClock()
        moments: dict[str, datetime] = {}
        async with running_trigger(Every, {"period": "10m", "jitter": "5m"}, ctx=FakeTriggerContext(clock=clock)) as (
            context,
            _,
        ):
            for _ in range(60):
                await clock.advance(60)
                for event in context.emitted[len(moments) :]:
                    moments[event.id] = clock.now()
        fired.append(moments)
    assert fired[0] == fired[1]
    delays = [at - datetime.fromisoformat(slot) for slot, at in fired[0].items()]
    assert [slot[14:16] for slot in fired[0]] == ["10", "20", "30", "40", "50"]
    assert all(timedelta(0) <= delay <= timedelta(minutes=6) for delay in delays)
    assert len(set(delays)) > 1
