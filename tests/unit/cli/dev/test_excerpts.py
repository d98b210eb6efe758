"""Mistakes with the lines around them and a caret."""

from __future__ import annotations

import pytest

from hostd.cli.dev.excerpts import columns_before, excerpts, fix_of
from hostd.cli.terminal import WISHES
from hostd.errors.base import Violation

TEXT = "workflow: w\nsteps:\n\n  über: {uses: 没有.x}\n"


@pytest.fixture(autouse=True)
def plain() -> object:
    """Draw in ASCII."""
    WISHES.hear(no_unicode=True)
    yield
    WISHES.forget()


def mistake(line: int, column: int, **more: str) -> Violation:
    """Return a mistake at a place."""
    known = {"path": "steps.a", "reason": "ACTION_UNKNOWN", "message": "there is no such action", **more}
    return Violation(file="w.yaml", line=line, column=column, **known)


def test_the_caret_stands_below_the_character() -> None:
    """Wide letters take two columns, tabs one; an empty line before is left out."""
    lines = excerpts([mistake(4, 16, suggestion="did you mean x.y?")], TEXT.replace("  ü", "\tü"), width=80)
    source = next(line for line in lines if "über" in line)
    caret = next(line for line in lines if line.endswith("^"))
    assert lines[1] == "  w.yaml:4:16  ACTION_UNKNOWN"
    assert source == "  4 |  über: {uses: 没有.x}"
    assert columns_before(source, source.index("有") + 1) == len(caret) - 1
    assert lines[-2:] == ["  there is no such action", "  fix: did you mean x.y?"]


def test_a_long_line_is_cut_around_the_mistake() -> None:
    """What is shown fits the width, and the caret stands below what is wrong."""
    text = f"a: {'x' * 300}!{'y' * 300}\n"
    lines = excerpts([mistake(1, 304)], text, width=60)
    source, caret = lines[2:4]
    assert len(source) <= 60
    assert source[len(caret) - 1] == "!"


def test_a_place_past_the_end_shows_the_end() -> None:
    """Where the text ended too early the last line is shown, with the caret behind it."""
    lines = excerpts([mistake(9, 1)], "a: [\n", width=80)
    assert lines[2:4] == ["  1 | a: [", "    |     ^"]


def test_without_a_place_the_path_is_said_and_no_escape_gets_through() -> None:
    """A mistake of the whole document names its path; what steers terminals is shown as text."""
    lines = excerpts([Violation("steps.a", "X", "bad \x1b[31m thing", file="w.yaml")], "a\x1bb\n", width=80)
    assert lines == ["", "  w.yaml  X", "  steps.a: bad \\x1b[31m thing"]


def test_eight_mistakes_are_told_in_full() -> None:
    """The others are counted."""
    lines = excerpts([mistake(1, 1)] * 20, "a: b\n", width=80)
    assert lines[-1] == "  and 12 more mistakes"


def test_a_fix_says_more_than_the_message() -> None:
    """What only points at the message is left out."""
    assert fix_of("STEP_FAILED") == ""
    assert fix_of("VERSION_EXISTS") != ""
    assert fix_of("STEP_FAILED", "write b") == "write b"
    assert fix_of("NO_SUCH_REASON") == ""
