"""How a plugin author tests a trigger: the clock is turned by hand."""

from datetime import UTC, datetime

import hostd_tick

from hostd.plugin.testing import FakeClock, FakeTriggerContext, check_plugin, running_trigger


async def test_it_fires_at_each_multiple_of_the_period() -> None:
    """Twenty-five seconds hold two slots of ten seconds, and each is an event with a cursor."""
    async with running_trigger(hostd_tick.Tick, {"period": "10s"}) as (context, _):
        await context.clock.advance(25)
    assert [event.data for event in context.emitted] == [
        {"slot": "2026-01-01T00:00:10+00:00"},
        {"slot": "2026-01-01T00:00:20+00:00"},
    ]
    assert context.cursors == ["2026-01-01T00:00:10Z", "2026-01-01T00:00:20Z"]


async def test_it_goes_on_behind_the_last_slot() -> None:
    """After a restart the slot that was fired is not fired again."""
    fired = datetime(2026, 1, 1, 0, 0, 20, tzinfo=UTC)
    clock = FakeClock(datetime(2026, 1, 1, 0, 0, 21, tzinfo=UTC), high_water=fired)
    context = FakeTriggerContext(clock=clock)
    async with running_trigger(hostd_tick.Tick, {"period": "10s"}, ctx=context):
        await clock.advance(10)
    assert [event.id for event in context.emitted] == ["2026-01-01T00:00:30+00:00"]


async def test_it_conforms() -> None:
    """The plugin keeps every promise the conformance kit checks."""
    assert await check_plugin(hostd_tick) == []
