"""Plain text for people: aligned columns, fields under each other, durations; nothing that a terminal obeys."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import click

from hostd.cli.moments import wall_ms
from hostd.cli.terminal import WISHES, colored, fitted_width, unicode
from hostd.cli.text_width import beginning, padded, text_width
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
_DAY_CHARS = len("2026-01-31")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T")
_WHOLE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T|[0-9]{2}:[0-9]{2}:[0-9]{2}|[A-Z][A-Z0-9_]{3,}$")
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

    On a terminal it fits its width: columns without a cell go, and the date of times that are of one day; then long
    cells are cut, sentences first; the first column, states and times never. `-o wide` cuts nothing, and shows the
    columns whose head begins with `+` besides.
    """
    shown = [at for at, head in enumerate(heads) if WISHES.wide or not head.startswith(_WIDE)]
    lines = [[cell(row[at]) for at in shown] for row in rows]
    if not lines:
        return ""
    table = [[heads[at].removeprefix(_WIDE) for at in shown], *lines]
    table, widths = _fitted(table)
    color = colored()
    return "\n".join(_line(line, widths, color=color and at > 0) for at, line in enumerate(table))


def _fitted(table: list[list[str]]) -> tuple[list[list[str]], list[int]]:
    """Return a table and its widths, so that it fits the terminal as far as it can be made to."""
    widths, room = _widths(table), fitted_width()
    if room is None or _over(widths, room) <= 0:
        return table, widths
    kept = [at for at, cells in enumerate(zip(*table[1:], strict=True)) if at == 0 or any(cells)]
    table = _of_one_day([[line[at] for at in kept] for line in table])
    widths = _widths(table)
    sentences, words = _cut_first(table)
    for group in (sentences, words):
        while group and _over(widths, room) > 0:
            longest = max(group, key=lambda at: (widths[at], at))
            if widths[longest] <= max(_LEAST, len(table[0][longest])):
                break
            widths[longest] -= 1
    return table, widths


def _of_one_day(table: list[list[str]]) -> list[list[str]]:
    """Return a table without the dates of columns whose times are of one day: `-o wide` shows them."""
    cells = list(zip(*table[1:], strict=True))
    days = [{text[:_DAY_CHARS] if _TIME.match(text) else text for text in column if text} for column in cells]
    short = {at for at, day in enumerate(days) if len(day) == 1 and _TIME.match(next(iter(day)) + "T")}
    return [
        table[0],
        *([text[_DAY_CHARS + 1 :] if at in short else text for at, text in enumerate(line)] for line in table[1:]),
    ]


def _widths(table: list[list[str]]) -> list[int]:
    return [max(map(text_width, cells)) for cells in zip(*table, strict=True)]


def _over(widths: Sequence[int], room: int) -> int:
    return sum(widths) + _GAP * (len(widths) - 1) - room


def _cut_first(table: list[list[str]]) -> tuple[list[int], list[int]]:
    """Return the columns that hold sentences, and those that hold words; states, reasons and times are no use cut."""
    sentences: list[int] = []
    words: list[int] = []
    for at, cells in enumerate(zip(*table[1:], strict=True)):
        if at and not any(_WHOLE.match(text) for text in cells):
            (sentences if any(" " in text for text in cells) else words).append(at)
    return sentences, words


def _line(cells: Sequence[str], widths: Sequence[int], *, color: bool) -> str:
    last = len(cells) - 1
    cut = [shortened(text, widths[at]) for at, text in enumerate(cells)]
    filled = [text if at == last else padded(text, widths[at]) for at, text in enumerate(cut)]
    return (" " * _GAP).join(paint(text) if color else text for text in filled).rstrip()


def shortened(text: str, width: int) -> str:
    """Return a text cut to a width in columns of the terminal; that something is left out shows."""
    if text_width(text) <= width:
        return text
    mark = "…" if unicode() else "..."
    return beginning(text, width - len(mark)) + mark[:width]


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
