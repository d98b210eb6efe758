"""Mistakes of a document as a person sees them best: the lines around each, a caret below it, and the fix."""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Iterable, Sequence

import click

from hostd.cli.tables import clean
from hostd.cli.terminal import colored, unicode
from hostd.errors.base import Violation
from hostd.errors.reasons import REASONS

SHOWN_MAX = 8  # mistakes of one file: the first ones are mended first
_BEFORE = 1  # lines of the source above the one with the mistake
_NOTHING_NEW = ("See the message", "See line", "See message", "See the suggestion", "See the listed", "Correct the ")
_LEFT = 20  # columns kept before the caret where a line is too long


def excerpts(faults: Sequence[Violation], text: str, *, width: int) -> list[str]:
    """Return the lines that tell of mistakes, in the order of their places; at most eight are told in full."""
    source = text.splitlines()
    lines: list[str] = []
    for fault in faults[:SHOWN_MAX]:
        lines += _told(fault, source, width)
    if len(faults) > SHOWN_MAX:
        lines.append(f"  and {len(faults) - SHOWN_MAX} more mistakes")
    return lines


def _told(fault: Violation, source: Sequence[str], width: int) -> list[str]:
    place = f"{fault.file}:{fault.line}:{fault.column}" if fault.line else fault.file
    lines = ["", f"  {_style(clean(place), bold=True)}  {_style(fault.reason, fg='red')}".rstrip()]
    if fault.line and source:
        lines += _excerpt(fault, source, width)
    message = f"{fault.path}: {fault.message}" if fault.path and not fault.line else fault.message
    lines += wrapped(message, "  ", width)
    fix = fix_of(fault.reason, fault.suggestion)
    return [*lines, *(wrapped(fix, "  fix: ", width) if fix else [])]


def fix_of(reason: str, suggestion: str = "") -> str:
    """Return what to do about a mistake: what was suggested for this one, else what helps with its kind."""
    page = REASONS.get(reason)
    general = page.fix if page is not None else ""
    return suggestion or ("" if general.startswith(_NOTHING_NEW) else general)


def _excerpt(fault: Violation, source: Sequence[str], width: int) -> list[str]:
    """Return the line with the mistake, the one before it, and a caret. Past the end it is the end that is shown."""
    at = min(fault.line, len(source))
    column = fault.column if at == fault.line else len(source[at - 1]) + 1
    digits, bar = len(str(at)), "│" if unicode() else "|"
    room = max(20, width - digits - 5)
    before = columns_before(source[at - 1], column)
    skip = before - _LEFT if before > room - 10 else 0
    numbers = [at] if skip else range(max(1, at - _BEFORE), at + 1)  # cut lines below each other say nothing
    lines = []
    for number in numbers:
        if number == at or source[number - 1].strip():
            gutter = _style(f"  {number:>{digits}} {bar} ", dim=True)
            lines.append((gutter + _cut(clean(source[number - 1].expandtabs(1)), skip, room)).rstrip())
    gutter = _style(f"  {'':>{digits}} {bar} ", dim=True)
    return [*lines, f"{gutter}{' ' * (before - skip)}{_style('^', fg='red', bold=True)}"]


def columns_before(line: str, column: int) -> int:
    """Return how many columns of a terminal stand before a character, which counts from 1."""
    return sum(map(_columns, line[: max(0, column - 1)].expandtabs(1)))


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    if not character.isprintable():
        return len(clean(character))
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _cut(text: str, skip: int, room: int) -> str:
    """Return the part of a line that is shown: no wider than the room, from a column on."""
    shown, at = "", 0
    for character in text:
        at += _columns(character)
        if skip < at <= skip + room:
            shown += character
    return shown


def wrapped(text: str, before: str, width: int) -> list[str]:
    """Return a text in lines of so many columns, with something before the first and as much space before the rest."""
    said = " ".join(clean(text).split())
    after = " " * len(before)
    return textwrap.wrap(said, max(40, width), initial_indent=before, subsequent_indent=after, break_on_hyphens=False)


def _style(text: str, *, fg: str | None = None, bold: bool | None = None, dim: bool | None = None) -> str:
    return click.style(text, fg=fg, bold=bold, dim=dim) if text and colored() else text


def distinct(faults: Iterable[Violation]) -> list[Violation]:
    """Return mistakes by their places, none twice."""
    return sorted(dict.fromkeys(faults), key=lambda fault: (fault.file, fault.line, fault.column))
