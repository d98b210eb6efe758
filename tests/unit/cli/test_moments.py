"""Times on the command line: how long ago, or RFC 3339."""

from __future__ import annotations

from typing import Any

import click
import pytest

from hostd.cli.moments import joined, when_ms, window_options
from hostd.errors.base import HostdError
from hostd.values.times import parse_time_ms

NOW_MS = parse_time_ms("2026-03-29T12:00:00Z")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("15m", "2026-03-29T11:45:00Z"),
        ("1h30m", "2026-03-29T10:30:00Z"),
        ("3d", "2026-03-26T12:00:00Z"),
        ("0s", "2026-03-29T12:00:00Z"),
        ("2026-03-29T02:30:00+02:00", "2026-03-29T00:30:00Z"),
    ],
)
def test_when_is_how_long_ago_or_a_time(text: str, moment: str) -> None:
    """A duration counts back from now."""
    assert when_ms(text, "--since", now_ms=NOW_MS) == parse_time_ms(moment)


@pytest.mark.parametrize("text", ["yesterday", "15", "-15m", "2026-03-29", "2026-03-29T02:30:00", "15 m"])
def test_what_is_no_time_is_told_with_both_ways(text: str) -> None:
    """A time without its zone would be another one elsewhere."""
    with pytest.raises(HostdError, match="--until: .* is no time; write how long ago, 15m, 2h, 3d, or 2026-"):
        when_ms(text, "--until", now_ms=NOW_MS)


def test_a_window_becomes_terms_of_a_filter() -> None:
    """It holds its first moment, and not its last; what was not said asks for nothing."""
    found: dict[str, Any] = {}

    @click.command()
    @window_options("runs created")
    def command(**given: Any) -> None:
        found.update(given)

    command.main(["--since", "2026-03-29T12:00:00Z", "--until", "2026-03-29T13:00:00.250Z"], standalone_mode=False)
    assert joined("", found["since"], found["until"]) == (
        '(create_time >= "2026-03-29T12:00:00Z") && (create_time < "2026-03-29T13:00:00.250Z")'
    )
    command.main([], standalone_mode=False)
    assert joined("", found["since"], found["until"]) == ""
    assert joined('state == "FAILED" || key == "k"') == 'state == "FAILED" || key == "k"'
