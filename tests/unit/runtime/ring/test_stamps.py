"""The time of records never goes back, and never runs far ahead."""

from __future__ import annotations

from clocks import HandClock

from hostd.runtime.ring.stamps import Stamps


def test_time_goes_on_from_the_journal_when_the_wall_was_set_back() -> None:
    """Half a minute back: the last time stays until the wall has caught up."""
    clock = HandClock(wall_ms=1_000_000)
    stamps = Stamps(clock)
    stamps.start_from(1_030_000)

    assert stamps.next_ms() == 1_030_000
    clock.step(31.0)
    assert stamps.next_ms() == 1_031_000


def test_time_is_never_more_than_a_minute_ahead_of_the_wall() -> None:
    """A day back: records go on a minute ahead of the wall, not a day."""
    clock = HandClock(wall_ms=100_000_000)
    stamps = Stamps(clock)
    stamps.next_ms()
    clock.step(-86_400.0)

    assert stamps.next_ms() == clock.wall_ms() + 60_000
    clock.step(10.0)
    assert stamps.next_ms() == clock.wall_ms() + 50_000
