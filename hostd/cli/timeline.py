"""A run's steps as bars over time, to scale: attempts, failed ones, what lies between them, waits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import click

from hostd.cli.spans import Span, spans_of
from hostd.cli.tables import clean, duration_between, shortened
from hostd.values.durations import format_duration_ms
from hostd.values.times import parse_time_ms

NAME_CHARS_MAX = 24
TAKEN_SHARE = 3  # names take at most a third of the width
BARS_LEAST = 20


class Style(NamedTuple):
    """How to draw: signs for what a step does, and whether to colour them."""

    width: int
    color: bool
    run: str
    failed: str
    retry: str
    wait: str
    queue: str
    open: str
    line: str


def style(*, width: int, unicode: bool, color: bool) -> Style:
    """Return how to draw on a terminal."""
    signs = ("█", "╳", "·", "░", "·", "▶", "─") if unicode else ("#", "x", ".", "~", ".", ">", "-")
    return Style(width, color, *signs)


def timeline(run: dict[str, Any], records: Sequence[dict[str, Any]], *, now_ms: int, how: Style) -> str:
    """Return the drawing of a run and its records, values as `-o json` prints them; nothing where no step began."""
    spans = spans_of(records)
    if not any(spans.values()) or not run["create_time"]:
        return ""
    start_ms = parse_time_ms(run["create_time"])
    end_ms = max(parse_time_ms(run["end_time"]) if run["end_time"] else now_ms, start_ms + 1)
    named = [step for step in run["steps"] if step["id"]] or [_unknown(name) for name in spans]
    names = [shortened(clean(step["id"]), min(NAME_CHARS_MAX, how.width // TAKEN_SHARE)) for step in named]
    notes = [_note(step) for step in named]
    left, right = max(map(len, names)), max(map(len, notes))
    columns = max(BARS_LEAST, how.width - left - right - 4)
    lines = [_axis(left, columns, end_ms - start_ms, how)]
    for step, name, note in zip(named, names, notes, strict=True):
        bar = _bar(spans.get(step["id"], []), start_ms=start_ms, end_ms=end_ms, columns=columns, how=how)
        lines.append(f"{name:<{left}}  {bar}  {note}".rstrip())
    return "\n".join([*lines, _legend(spans, left, how)])


def _unknown(name: str) -> dict[str, Any]:
    return {"id": name, "state": "", "attempts": 0, "start_time": None, "end_time": None}


def _note(step: dict[str, Any]) -> str:
    """Return what stands behind a bar: state where it is worth a word, time, attempts."""
    took = duration_between(step["start_time"], step["end_time"])
    state = step["state"] if step["state"] != "SUCCEEDED" else ""
    tries = f"{step['attempts']} attempts" if step["attempts"] > 1 else ""
    return " ".join(part for part in (took, state, tries) if part)


def _axis(left: int, columns: int, length_ms: int, how: Style) -> str:
    """Return the line of times over the bars: beginning, middle, end."""
    middle, end = format_duration_ms(length_ms // 2), format_duration_ms(length_ms)
    text = "0s".ljust(columns)
    if columns >= 2 * (len(middle) + len(end)) + 4:
        at = columns // 2
        text = text[:at] + middle + text[at + len(middle) :]
    text = text[: columns - len(end)] + end
    return f"{'':<{left}}  {text}".rstrip()


def _bar(spans: Sequence[Span], *, start_ms: int, end_ms: int, columns: int, how: Style) -> str:
    """Return one line of signs. Every span takes at least one; a later one covers an earlier."""
    signs = [" "] * columns
    colors = [""] * columns
    for span in spans:
        last_ms = end_ms if span.end_ms is None else span.end_ms
        first = _column(span.start_ms, start_ms, end_ms, columns)
        last = max(first, _column(last_ms, start_ms, end_ms, columns) - (last_ms > span.start_ms))
        for at in range(first, last + 1):
            signs[at], colors[at] = getattr(how, span.doing), _COLORS[span.doing]
        if span.end_ms is None:
            signs[last] = how.open
    for span in spans:  # last, so that what follows at once does not cover it
        if span.failed and span.end_ms is not None:
            at = max(
                _column(span.start_ms, start_ms, end_ms, columns), _column(span.end_ms, start_ms, end_ms, columns) - 1
            )
            signs[at], colors[at] = how.failed, "red"
    text = "".join(signs)
    return _colored(signs, colors) if how.color else text


_COLORS = {"run": "green", "retry": "yellow", "wait": "cyan", "queue": "yellow"}


def _column(at_ms: int, start_ms: int, end_ms: int, columns: int) -> int:
    share = (at_ms - start_ms) * columns // max(1, end_ms - start_ms)
    return min(columns - 1, max(0, share)) if at_ms < end_ms else columns if at_ms > start_ms else 0


def _colored(signs: Sequence[str], colors: Sequence[str]) -> str:
    parts: list[str] = []
    begin = 0
    for at in range(1, len(signs) + 1):
        if at == len(signs) or colors[at] != colors[begin]:
            part = "".join(signs[begin:at])
            parts.append(click.style(part, fg=colors[begin]) if colors[begin] else part)
            begin = at
    return "".join(parts)


def _legend(spans: dict[str, list[Span]], left: int, how: Style) -> str:
    """Return what the signs mean that were drawn."""
    found = {span.doing for step in spans.values() for span in step}
    words = [
        (how.run, "runs", "run" in found),
        (how.failed, "failed", any(span.failed for step in spans.values() for span in step)),
        (how.retry, "to be tried, or no slot", bool(found & {"retry", "queue"})),
        (how.wait, "waits", "wait" in found),
        (how.open, "goes on", any(span.end_ms is None for step in spans.values() for span in step)),
    ]
    text = f"{'':<{left}}  " + "  ".join(f"{sign} {word}" for sign, word, shown in words if shown)
    return shortened(text, how.width)
