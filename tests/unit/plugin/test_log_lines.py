"""What becomes of the words that a plugin logs."""

from __future__ import annotations

import pytest

from hostd.plugin.log_lines import LeveledLog
from hostd.values.json_text import JsonValue


class Lines(LeveledLog):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str, dict[str, JsonValue]]] = []

    def add(self, level: str, message: str, fields: dict[str, JsonValue]) -> None:
        """Keep a line."""
        self.lines.append((level, message, fields))


@pytest.mark.parametrize(
    "message, args, line",
    [
        ("100% done", (), "100% done"),
        ("%s of %d", ("a", 3), "a of 3"),
        ("no place", ("a",), "no place ('a',)"),
        ("%d", ("a",), "%d ('a',)"),
        ("%s and %s", ("a",), "%s and %s ('a',)"),
    ],
)
def test_arguments_go_into_the_message_as_in_logging(message: str, args: tuple[object, ...], line: str) -> None:
    """Whoever is used to `logging` writes them so; what does not fit is shown, and fails no attempt."""
    log = Lines()
    log.info(message, *args, order=7)
    assert log.lines == [("info", line, {"order": 7})]
