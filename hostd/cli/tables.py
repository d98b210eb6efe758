"""Plain text for people: aligned columns, fields under each other, durations; nothing that a terminal obeys."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import click

from hostd.cli.moments import wall_ms
from hostd.cli.terminal import WISHES, colored, fitted_width, unicode
from hostd.values.durations import format_duration_ms
from hostd.values.json_text import dump_json
from hostd.values.times import parse_time_ms

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_COLORS = {
    "green": {"SUCCEEDED", "LOADED", "ACTIVE", "STARTED", "SIGNALED", "SERVING", "ok"},
    "red": {"FAILED", "TIMED_OUT", "DEAD_LETTERED", "HELD", "NOT_SERVING", "REMOVED", "fault"},
    "yellow": {"CANCELED", "CANCELING", "RETRYING", "BACKING_OFF", "PAUSED", "COMPENSATING", "NEEDS_PROCESS",
               "DISABLED", "QUARANTINED", "SKIPPED", "CHANGED", "remark"},
    "cyan": {"RUNNING", "WAITING", "READY", "STARTING", "ADDED"},
}  # fmt: skip
_COLOR_OF = {word: color for color, words in _COLORS.items() for word in words}
_WIDE = "+"  # before the head of a column that only `-o wide` shows
_GAP = 2
_LEAST = 8  # characters that a cut column keeps


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
    """Return a table, or nothing where there are no rows. Cells are cleaned; states are colored on a terminal.

    On a terminal it fits its width: long cells are cut, the first column never. `-o wide` cuts nothing, and shows the
    columns whose head begins with `+` besides.
    """
    shown = [at for at, head in enumerate(heads) if WISHES.wide or not head.startswith(_WIDE)]
    lines = [[cell(row[at]) for at in shown] for row in rows]
    if not lines:
        return ""
    table = [[heads[at].removeprefix(_WIDE) for at in shown], *lines]
    widths = _fitted([max(len(line[at]) for line in table) for at in range(len(shown))], table[0])
    color = colored()
    return "\n".join(_line(line, widths, color=color) for line in table)


def _fitted(widths: list[int], heads: Sequence[str]) -> list[int]:
    """Return widths that fit the terminal, as far as cutting the longest columns does it."""
    room = fitted_width()
    if room is None:
        return widths
    over = sum(widths) + _GAP * (len(widths) - 1) - room
    while over > 0 and len(widths) > 1:
        longest = max(range(1, len(widths)), key=lambda at: (widths[at], at))
        if widths[longest] <= max(_LEAST, len(heads[longest])):
            break
        widths[longest] -= 1
        over -= 1
    return widths


def _line(cells: Sequence[str], widths: Sequence[int], *, color: bool) -> str:
    last = len(cells) - 1
    cut = [shortened(text, widths[at]) for at, text in enumerate(cells)]
    padded = [text if at == last else text.ljust(widths[at]) for at, text in enumerate(cut)]
    return (" " * _GAP).join(paint(text) if color else text for text in padded).rstrip()


def shortened(text: str, width: int) -> str:
    """Return a text cut to a width; that something is left out shows."""
    if len(text) <= width:
        return text
    mark = "…" if unicode() else "..."
    return text[: max(0, width - len(mark))] + mark[:width]


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


def age(moment: str | None) -> str:
    """Return how long ago an RFC 3339 time was, in its largest unit: 12s, 5m, 3h, 9d; nothing for none."""
    if not moment:
        return ""
    seconds = max(0, int((wall_ms() - parse_time_ms(moment)) / 1000))
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "m")):
        if seconds >= 2 * size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
