"""How lines of a plugin's log are made and bounded, wherever the plugin runs."""

from __future__ import annotations

from abc import ABC, abstractmethod

from hostd.errors.base import HostdError
from hostd.values.json_text import JsonValue, dump_json

ATTEMPT_BYTES_MAX = 1024 * 1024
LINE_CHARS_MAX = 8_192
LINES_MAX = 10_000


def fields_text(fields: dict[str, JsonValue]) -> str:
    """Return fields as one JSON text, cut; what is no JSON as Python writes it; nothing for none."""
    if not fields:
        return ""
    try:
        return dump_json(fields).decode()[:LINE_CHARS_MAX]
    except HostdError:
        return repr(fields)[:LINE_CHARS_MAX]


def told(message: str, args: tuple[object, ...]) -> str:
    """Return a message with its arguments, as `logging` takes them: `log.info("%d of %d", done, all)`. Never raises."""
    if not args:
        return message
    try:
        return message % args
    except (TypeError, ValueError):
        return f"{message} {args!r}"


class LeveledLog(ABC):
    """A Log whose lines all end in one place."""

    __slots__ = ()

    @abstractmethod
    def add(self, level: str, message: str, fields: dict[str, JsonValue]) -> None:
        """Take a line; `level` is debug, info, warning or error. Must not raise for what the plugin says."""

    def debug(self, message: str, /, *args: object, **fields: JsonValue) -> None:
        """Log a line for whoever looks for a mistake."""
        self.add("debug", told(message, args), fields)

    def info(self, message: str, /, *args: object, **fields: JsonValue) -> None:
        """Log a line."""
        self.add("info", told(message, args), fields)

    def warning(self, message: str, /, *args: object, **fields: JsonValue) -> None:
        """Log a line about something that may need a look."""
        self.add("warning", told(message, args), fields)

    def error(self, message: str, /, *args: object, **fields: JsonValue) -> None:
        """Log a line about something that failed."""
        self.add("error", told(message, args), fields)


class LineBudget:
    """What one attempt may log: past 1 MiB or 10,000 lines, lines are counted in `dropped` and gone."""

    __slots__ = ("_lines", "_room", "dropped")

    def __init__(self) -> None:
        self._room = ATTEMPT_BYTES_MAX
        self._lines = LINES_MAX
        self.dropped = 0

    def takes(self, size: int) -> bool:
        """Say whether a line of so many characters is kept."""
        if size > self._room or not self._lines:
            self.dropped += 1
            return False
        self._room -= size
        self._lines -= 1
        return True
