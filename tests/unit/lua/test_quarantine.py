"""Quarantine: three crashes in an hour, then an hour from the first of them."""

from __future__ import annotations

from hostd.lua.quarantine import Quarantine


def test_three_crashes_in_an_hour_hold_a_source_until_the_first_is_an_hour_old() -> None:
    """Two crashes hold nothing, the third does, and each source counts for itself."""
    quarantine = Quarantine()
    for at in (0.0, 100.0):
        quarantine.note_crash("a", at)
    assert quarantine.holds_for_s("a", 200.0) == 0
    assert quarantine.note_crash("a", 200.0) == 3
    assert quarantine.holds_for_s("a", 300.0) == 3_300.0
    assert quarantine.holds_for_s("b", 300.0) == 0
    assert quarantine.holds_for_s("a", 3_600.0) == 0


def test_old_crashes_do_not_count() -> None:
    """A crash an hour before does not add up with two new ones."""
    quarantine = Quarantine()
    for at in (0.0, 3_700.0, 3_800.0):
        count = quarantine.note_crash("a", at)
    assert count == 2
    assert quarantine.holds_for_s("a", 3_900.0) == 0


def test_memory_is_bounded() -> None:
    """A flood of different crashing sources forgets the oldest instead of growing."""
    quarantine = Quarantine()
    for index in range(3_000):
        quarantine.note_crash(str(index), float(index) / 10)
    assert len(quarantine._crashes) <= 1_000
