"""RFC 3339 times."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostd.values.times import MAX_MS, MIN_MS, format_time_ms, parse_time_ms


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:00.001Z", 1),
        ("1970-01-01t00:00:00z", 0),
        ("1970-01-01 00:00:01Z", 1_000),
        ("1970-01-01T01:00:00+01:00", 0),
        ("1969-12-31T23:59:59.999Z", -1),
        ("2026-01-31T12:00:00.123456789Z", 1_769_860_800_123),
        ("9999-12-31T23:59:59.999Z", MAX_MS),
        ("0001-01-01T00:00:00Z", MIN_MS),
    ],
)
def test_times_are_read_to_the_millisecond(text, ms):
    """Whatever the offset; what is finer is cut off."""
    assert parse_time_ms(text) == ms


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tomorrow",
        "2026-01-31",
        "2026-01-31T12:00:00",
        "2026-01-31T12:00Z",
        "20260131T120000Z",
        "2026-W05-6T12:00:00Z",
        "2026-02-30T12:00:00Z",
        "2026-01-31T24:00:00Z",
        "2026-01-31T12:00:60Z",
        "2026-01-31T12:00:00+0100",
        "٢026-01-31T12:00:00Z",
        None,
        5,
    ],
)
def test_what_is_not_such_a_time_is_refused(text):
    """A time without offset means something else on every machine."""
    with pytest.raises(ValueError, match="time"):
        parse_time_ms(text)


@given(st.integers(MIN_MS, MAX_MS))
def test_a_formatted_time_reads_back(ms):
    """Exactly, also where a float of seconds would be off by one."""
    assert parse_time_ms(format_time_ms(ms)) == ms


@pytest.mark.parametrize("ms", [MIN_MS - 1, MAX_MS + 1, 10**30])
def test_times_that_cannot_be_written_are_refused(ms):
    """With a sentence, not an overflow."""
    with pytest.raises(ValueError, match="years"):
        format_time_ms(ms)
