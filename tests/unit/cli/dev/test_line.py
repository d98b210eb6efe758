"""One line that a person writes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hostd.cli.dev.line import Line


def asked(typed: str, shown: list[str | None]) -> Line:
    """Return a line that gets keys, and notes what it shows with each drawing."""
    keys: Iterator[str] = iter(typed)

    async def key() -> str:
        return next(keys)

    line = Line(key, lambda: shown.append(line.shown(20)))
    return line


@pytest.mark.parametrize(
    "typed,given,answer",
    [
        ("ab\n", "", "ab"),
        ("\n", "{}", "{}"),
        ("\x7f1}\n", "{}", "{1}"),
        ("\x15é→\n", "old", "é→"),
        ("a\x1b", "", None),
        ("a\x04", "", None),
        ("a\x00\x07b\r", "", "ab"),
    ],
)
async def test_keys_make_a_line(typed: str, given: str, answer: str | None) -> None:
    """Backspace and Ctrl-U take away, Enter ends it, Esc and Ctrl-D take it back; other control keys do nothing."""
    shown: list[str | None] = []
    line = asked(typed, shown)
    assert await line.ask("which:", given) == answer
    assert shown[0] == f"which: {given}"
    assert shown[-1] is None


async def test_of_a_long_line_the_end_is_shown() -> None:
    """It fits the width."""
    shown: list[str | None] = []
    await asked("z\n", shown).ask("which:", "x" * 100)
    assert shown[1] == "which: …xxxxxxxxxxz"
