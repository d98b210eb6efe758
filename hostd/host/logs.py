"""Logs of plugins: an attempt's lines are kept, bounded, for the runtime; others go to the daemon's log."""

from __future__ import annotations

import logging

from hostd.errors.base import HostdError
from hostd.host.clock import PluginClock
from hostd.values.json_text import JsonValue, dump_json
from hostd.values.times import format_time_ms

ATTEMPT_BYTES_MAX = 1024 * 1024
LINE_CHARS_MAX = 8_192
LINES_MAX = 10_000


def _fields_text(fields: dict[str, JsonValue]) -> str:
    if not fields:
        return ""
    try:
        return dump_json(fields).decode()[:LINE_CHARS_MAX]
    except HostdError:
        return repr(fields)[:LINE_CHARS_MAX]


class AttemptLog:
    """An attempt's lines in order, `<time> <LEVEL> <message> <fields>`.

    Past 1 MiB or 10,000 lines they are counted in `dropped` and gone.
    """

    __slots__ = ("_clock", "_room", "dropped", "lines")

    def __init__(self, clock: PluginClock) -> None:
        self._clock = clock
        self._room = ATTEMPT_BYTES_MAX
        self.lines: list[str] = []
        self.dropped = 0

    def _add(self, level: str, message: str, fields: dict[str, JsonValue]) -> None:
        at = format_time_ms(self._clock.base.wall_ms())
        words = f"{at} {level} {str(message)[:LINE_CHARS_MAX]} {_fields_text(fields)}"
        line = words.rstrip()
        if len(line) > self._room or len(self.lines) >= LINES_MAX:
            self.dropped += 1
            return
        self._room -= len(line)
        self.lines.append(line)

    def debug(self, message: str, /, **fields: JsonValue) -> None:
        """Keep a line for whoever looks for a mistake."""
        self._add("DEBUG", message, fields)

    def info(self, message: str, /, **fields: JsonValue) -> None:
        """Keep a line."""
        self._add("INFO", message, fields)

    def warning(self, message: str, /, **fields: JsonValue) -> None:
        """Keep a line about something that may need a look."""
        self._add("WARNING", message, fields)

    def error(self, message: str, /, **fields: JsonValue) -> None:
        """Keep a line about something that failed."""
        self._add("ERROR", message, fields)


class DaemonLog:
    """Lines of provisioning and triggers, in the daemon's log under `hostd.plugin.<component>`."""

    __slots__ = ("_log", "_where")

    def __init__(self, component: str, **where: str) -> None:
        self._log = logging.getLogger(f"hostd.plugin.{component}")
        self._where = "".join(f" {name}={value}" for name, value in where.items())

    def _add(self, level: int, message: str, fields: dict[str, JsonValue]) -> None:
        if self._log.isEnabledFor(level):
            self._log.log(level, "%s%s %s", str(message)[:LINE_CHARS_MAX], self._where, _fields_text(fields))

    def debug(self, message: str, /, **fields: JsonValue) -> None:
        """Log a line for whoever looks for a mistake."""
        self._add(logging.DEBUG, message, fields)

    def info(self, message: str, /, **fields: JsonValue) -> None:
        """Log a line."""
        self._add(logging.INFO, message, fields)

    def warning(self, message: str, /, **fields: JsonValue) -> None:
        """Log a line about something that may need a look."""
        self._add(logging.WARNING, message, fields)

    def error(self, message: str, /, **fields: JsonValue) -> None:
        """Log a line about something that failed."""
        self._add(logging.ERROR, message, fields)
