"""Logs of plugins: an attempt's lines are kept, bounded, for the runtime; others go to the daemon's log."""

from __future__ import annotations

import logging

from hostd.plugin.clocks import PluginClock
from hostd.plugin.log_lines import ATTEMPT_BYTES_MAX as ATTEMPT_BYTES_MAX
from hostd.plugin.log_lines import LINE_CHARS_MAX as LINE_CHARS_MAX
from hostd.plugin.log_lines import LINES_MAX as LINES_MAX
from hostd.plugin.log_lines import LeveledLog, LineBudget, fields_text
from hostd.telemetry.logs import log_scope
from hostd.values.json_text import JsonValue
from hostd.values.times import format_time_ms

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


class AttemptLog(LeveledLog):
    """An attempt's lines in order, `<time> <LEVEL> <message> <fields>`.

    Past 1 MiB or 10,000 lines they are counted in `dropped` and gone.
    """

    __slots__ = ("_budget", "_clock", "lines")

    def __init__(self, clock: PluginClock) -> None:
        self._clock = clock
        self._budget = LineBudget()
        self.lines: list[str] = []

    @property
    def dropped(self) -> int:
        """Lines that did not fit."""
        return self._budget.dropped

    def add(self, level: str, message: str, fields: dict[str, JsonValue]) -> None:
        """Keep a line while there is room."""
        at = format_time_ms(self._clock.base.wall_ms())
        words = f"{at} {level.upper()} {str(message)[:LINE_CHARS_MAX]} {fields_text(fields)}"
        line = words.rstrip()
        if self._budget.takes(len(line)):
            self.lines.append(line)


class DaemonLog(LeveledLog):
    """Lines of provisioning and triggers, in the daemon's log under `hostd.plugin.<component>`."""

    __slots__ = ("_log", "_where")

    def __init__(self, component: str, **where: str) -> None:
        self._log = logging.getLogger(f"hostd.plugin.{component}")
        self._where = where

    def add(self, level: str, message: str, fields: dict[str, JsonValue]) -> None:
        """Log a line."""
        number = _LEVELS[level]
        if self._log.isEnabledFor(number):
            with log_scope(**self._where):
                line = f"{str(message)[:LINE_CHARS_MAX]} {fields_text(fields)}".rstrip()
                self._log.log(number, "plugin_line line=%s", line)
