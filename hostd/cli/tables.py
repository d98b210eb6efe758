"""Plain text for people: aligned columns, fields under each other, durations; nothing that a terminal obeys."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Sequence
from typing import Any

import click

from hostd.values.durations import format_duration_ms
from hostd.values.json_text import dump_json
from hostd.values.times import parse_time_ms

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_COLORS = {
    "green": {"SUCCEEDED", "LOADED", "ACTIVE", "STARTED"},
    "red": {"FAILED", "TIMED_OUT", "DEAD_LETTERED", "HELD"},
    "yellow": {
        "CANCELED",
        "CANCELING",
        "RETRYING",
        "BACKING_OFF",
        "PAUSED",
        "COMPENSATING",
        "NEEDS_PROCESS",
        "DISABLED",
    },
    "cyan": {"RUNNING", "WAITING", "READY", "STARTING"},
}
_COLOR_OF = {word: color for color, words in _COLORS.items() for word in words}


def colored() -> bool:
    """Say whether standard output wants colors: a terminal, and NO_COLOR says nothing (no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def clean(text: str) -> str:
    """Return text without what would steer a terminal: control characters are shown as `\\x1b`."""
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def cell(value: Any) -> str:
    """Return a JSON value in one line for a person; nothing for null."""
    if value is None:
        return ""
    if isinstance(value, str):
        return clean(" ".join(value.split()))
    if isinstance(value, dict) and value and all(isinstance(item, str) for item in value.values()):
        return clean(" ".join(f"{key}={item}" for key, item in value.items()))
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return clean(" ".join(value))
    return clean(dump_json(value).decode())


def columns(heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Return a table, or nothing where there are no rows. Cells are cleaned; states are colored on a terminal."""
    lines = [[cell(value) for value in row] for row in rows]
    if not lines:
        return ""
    widths = [max(len(line[at]) for line in [list(heads), *lines]) for at in range(len(heads))]
    color = colored()
    return "\n".join(_line(line, widths, color=color) for line in [list(heads), *lines])


def _line(cells: Sequence[str], widths: Sequence[int], *, color: bool) -> str:
    last = len(cells) - 1
    padded = [text if at == last else text.ljust(widths[at]) for at, text in enumerate(cells)]
    return "  ".join(paint(text) if color else text for text in padded).rstrip()


def paint(text: str) -> str:
    """Return a state in its color, anything else as it is."""
    color = _COLOR_OF.get(text.strip())
    return click.style(text, fg=color) if color else text


def fields(pairs: Iterable[tuple[str, Any]]) -> str:
    """Return `name  value` lines, without those that have none."""
    shown = [(name, cell(value)) for name, value in pairs]
    shown = [(name, text) for name, text in shown if text]
    width = max((len(name) for name, _ in shown), default=0)
    color = colored()
    return "\n".join(f"{name.ljust(width)}  {paint(text) if color else text}" for name, text in shown)


def duration_between(start: str | None, end: str | None) -> str:
    """Return how long it was between two RFC 3339 times; nothing where one is missing."""
    if not start or not end:
        return ""
    return format_duration_ms(max(0, parse_time_ms(end) - parse_time_ms(start)))
