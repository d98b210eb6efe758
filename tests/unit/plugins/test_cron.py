"""Cron: expressions agree with another implementation, slots fire once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cronsim import CronSim, CronSimError
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from hostd.plugin import EndOfTrigger, Trigger
from hostd.plugin.component import options_class
from hostd.plugin.testing import FakeClock, FakeTriggerContext, running_trigger
from hostd_builtin.cron.every import Every
from hostd_builtin.cron.expression import CronExpression
from hostd_builtin.cron.once import At
from hostd_builtin.cron.schedule import CronSchedule

START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "text, words",
    [
        ("61 * * * *", "the minute '61'"),
        ("* 24 * * *", "the hour '24'"),
        ("* * 0 * *", "the day of month '0'"),
        ("* * * 13 *", "the month '13'"),
        ("* * * * 9", "the day of week '9'"),
        ("*/0 * * * *", "the minute '*/0'"),
        ("1,,2 * * * *", "the minute '1,,2'"),
        ("H * * * *", "the minute 'H'"),
        ("R * * * *", "the minute 'R'"),
        ("a b c d e", "the minute 'a'"),
        ("* * * *", "4 fields; write five"),
        ("* * * * * * *", "7 fields; write five"),
        ("60 * * * * *", "the second '60'"),
        ("@every 5m", "no alias"),
        ("@reboot", "no alias"),
        ("? * * * *", "the minute '?'"),
        ("*/90 * * * *", "the minute '*/90'"),
        ("", "0 fields; write five"),
        ("0 0 30 2 *", "no month has"),
        ("* * * * ;", "the day of week ';'"),
        ("\u0661 * * * *", "the minute"),
    ],
)
def test_a_wrong_expression_is_named(text: str, words: str) -> None:
    """The message names the field, or says how many there are."""
    with pytest.raises(ValueError, match=r".*") as caught:
        CronExpression(text)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "text, single",
    [
        ("5-5 * * * *", "5 * * * *"),
        ("05-5/10 3,5-5 * * *", "5 3,5 * * *"),
        ("0 0 29-29 2-feb *", "0 0 29 2 *"),
        ("0 0 * * wed-wed", "0 0 * * 3"),
        ("0 0 * * 7-0", "0 0 * * 0"),
        ("0 0 * * 0-7", "0 0 * * *"),
        ("0 7-0 * * *", "0 0,7-23 * * *"),
        ("7-7 0 0 1 1 *", "7 0 0 1 1 *"),
    ],
)
def test_a_range_of_one_is_that_one(text: str, single: str) -> None:
    """And not everything; a range that goes round the end of its field is one."""
    given, meant = CronExpression(text), CronExpression(single)
    at = START
    for _ in range(30):
        slot = meant.next_wall(at)
        assert slot is not None
        assert given.next_wall(at) == slot
        assert given.last_wall(slot) == slot
        at = slot


FIELDS = [
    st.sampled_from(["*", "0", "59", "*/7", "5-10", "1,30", "10-50/20", "0,15,30,45", "7-7"]),
    st.sampled_from(["*", "0", "23", "*/5", "8-18", "6,12", "0-0"]),
    st.sampled_from(["*", "1", "31", "15", "*/10", "28-31"]),
    st.sampled_from(["*", "1", "2", "*/3", "jan-mar", "6,12", "2-2"]),
    st.sampled_from(["*", "0", "7", "1-5", "mon", "sat,sun", "fri-fri"]),
]


@settings(max_examples=150, deadline=None)
@given(
    fields=st.tuples(*FIELDS),
    at=st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_slots_agree_with_another_implementation(fields: tuple[str, ...], at: datetime) -> None:
    """The next three slots are those of cronsim, and going back from each finds it again."""
    text = " ".join(fields)
    try:
        expression = CronExpression(text)
    except ValueError:  # a day that no month has
        with pytest.raises((CronSimError, StopIteration)):
            next(CronSim(text, at))
        return
    oracle = CronSim(text, at)
    here = at
    for _ in range(3):
        slot = expression.next_wall(here)
        assert slot == next(oracle)
        assert expression.last_wall(slot) == slot
        assert expression.last_wall(slot + timedelta(seconds=59)) == slot
        earlier = expression.last_wall(slot - timedelta(seconds=1))
        assert earlier is None or earlier < slot
        here = slot


async def test_every_fires_multiples_with_offset() -> None:
    """Slots are multiples since the epoch plus the offset; the event's id, time and data are the slot."""
    async with running_trigger(Every, {"period": "10s", "offset": "3s"}) as (context, _):
        await context.clock.advance(25)
    assert [event.id for event in context.emitted] == [
        "2026-01-01T00:00:03Z",
        "2026-01-01T00:00:13Z",
        "2026-01-01T00:00:23Z",
    ]
    assert context.emitted[0].data == {"slot": "2026-01-01T00:00:03Z"}
    assert context.emitted[0].time == START + timedelta(seconds=3)
    assert context.cursor == "2026-01-01T00:00:23Z"


async def test_a_crash_between_slots_fires_none_twice() -> None:
    """Runs that end at any moment and go on from the durable cursor fire each slot exactly once."""
    fired: list[str] = []
    cursor: datetime | None = None
    now = START
    for seconds in (7, 5, 11, 1, 20, 4):
        clock = FakeClock(now, high_water=cursor)
        context = FakeTriggerContext(clock=clock)
        async with running_trigger(Every, {"period": "10s"}, ctx=context):
            await clock.advance(seconds)
        fired += [event.id for event in context.emitted]
        cursor = datetime.fromisoformat(str(context.cursor)) if context.cursor else cursor
        now = clock.now()
    assert fired == [f"2026-01-01T00:00:{second:02}Z" for second in (10, 20, 30, 40)]


async def test_schedule_fires_and_ends() -> None:
    """A schedule fires on the minute; an emit that fails moves no cursor."""
    async with running_trigger(CronSchedule, {"cron": "*/5 * * * *"}) as (context, task):
        await context.clock.advance(timedelta(minutes=11))
        assert [event.id for event in context.emitted] == ["2026-01-01T00:05:00Z", "2026-01-01T00:10:00Z"]
        context.failure = RuntimeError("journal full")
        await context.clock.advance(timedelta(minutes=5))
        assert isinstance(task.exception(), RuntimeError)
        assert context.cursor == "2026-01-01T00:10:00Z"


async def test_a_schedule_that_is_over_says_so() -> None:
    """When no further moment exists the trigger ends instead of waiting for ever."""
    clock = FakeClock(datetime(9999, 12, 30, tzinfo=UTC))
    async with running_trigger(CronSchedule, {"cron": "0 0 1 1 *"}, ctx=FakeTriggerContext(clock=clock)) as (_, task):
        assert isinstance(task.exception(), EndOfTrigger)


@pytest.mark.parametrize(
    "trigger, options",
    [
        (Every, {"period": "0s"}),
        (Every, {"period": "10s", "offset": "10s"}),
        (Every, {"period": "10s", "catch_up": "two"}),
        (Every, {}),
        (Every, {"period": "10s", "jitter": "2h"}),
        (CronSchedule, {"cron": "* * * * *", "start": "0001-01-01T00:00:00+14:00"}),
        (At, {"at": "0001-01-01T00:00:00", "timezone": "Asia/Tokyo"}),
        (At, {"at": "9999-12-31T23:59:59", "timezone": "America/New_York"}),
        (CronSchedule, {"cron": "* * * * *", "timezone": "Europe/Berlim"}),
        (CronSchedule, {"cron": "* * * * *", "timezone": "../../etc/passwd"}),
        (CronSchedule, {"cron": "* * * * *", "timezone": "Europe"}),
        (CronSchedule, {"cron": "* * * * *", "timezone": "localtime"}),
        (CronSchedule, {"cron": "* * * * *", "timezone": ""}),
        (CronSchedule, {"cron": "* * * * *", "overlap": "replace"}),
        (CronSchedule, {"cron": "* * * * *", "start": "2026-01-02T00:00:00", "end": "2026-01-01T00:00:00"}),
        (CronSchedule, {"cron": "* * * * *", "end": "tomorrow"}),
        (CronSchedule, {"cron": "30 * * * * *", "seconds": "middle"}),
        (CronSchedule, {"cron": 5}),
        (At, {"at": []}),
        (At, {"at": ["2026-01-01T00:00:00Z", "soon"]}),
    ],
)
def test_wrong_options_are_refused(trigger: Any, options: dict[str, Any]) -> None:
    """Periods of nothing, offsets past the period, time zones and words that are not built."""
    model = options_class(trigger, Trigger)
    with pytest.raises(ValidationError):
        model.model_validate(options)
