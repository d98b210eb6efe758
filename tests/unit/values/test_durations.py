"""Duration text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostd.values.durations import MAX_MS, format_duration_ms, parse_duration_ms


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("0s", 0),
        ("500ms", 500),
        ("10s", 10_000),
        ("1h30m", 5_400_000),
        ("2d", 172_800_000),
        ("1w", 604_800_000),
        ("0.5s", 500),
        ("1.5h", 5_400_000),
        ("1m1m", 120_000),
    ],
)
def test_durations_are_sums_of_numbers_with_units(text, ms):
    """A day is 24 hours; fractions are fine."""
    assert parse_duration_ms(text) == ms


@pytest.mark.parametrize(
    "text", ["", "5", "s", "-1s", "1 s", "1S", "1y", "1e3s", ".5s", "1.s", "1s\n", "١s", "200000w", "9" * 70 + "s"]
)
def test_what_is_not_a_duration_is_refused(text):
    """Also digits of other scripts, and more than a century."""
    with pytest.raises(ValueError, match=r"duration|century"):
        parse_duration_ms(text)


@given(st.integers(0, MAX_MS))
def test_a_formatted_duration_reads_back(ms):
    """To the millisecond."""
    assert parse_duration_ms(format_duration_ms(ms)) == ms
