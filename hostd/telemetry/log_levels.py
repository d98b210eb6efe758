"""Levels of the daemon's log while it runs: of everything, or of one logger and those below it.

They hold until the process ends: nothing is kept. The standard library's loggers hold them themselves.
"""

from __future__ import annotations

import difflib
import logging

from hostd.errors.base import invalid
from hostd.telemetry.attempt_lines import LOGGER, set_attempts_level
from hostd.telemetry.logs import LEVELS, set_log_level

LOGGERS_MAX = 64


class LogLevels:
    """What was changed since the start.

    Args:
        configured: `log.level`, which is gone back to.
        attempts: `log.attempts`.
    """

    def __init__(self, configured: str, attempts: str = "off") -> None:
        self._configured = configured
        self._attempts = attempts
        set_attempts_level(attempts)
        self._changed: dict[str, str] = {}

    def configure(self, level: str, attempts: str = "off") -> None:
        """Take other configured levels; they hold at once, but for loggers that have one of their own."""
        self._configured, self._attempts = level, attempts
        if LOGGER not in self._changed:
            set_attempts_level(attempts)
        self._changed.pop("", None)
        set_log_level(level)

    @property
    def level(self) -> str:
        """The level of everything that has none of its own."""
        return self._changed.get("", self._configured)

    def changed(self) -> dict[str, str]:
        """Return the levels that differ from the configured one, by logger; "" is everything else."""
        return dict(sorted(self._changed.items()))

    def set(self, logger: str, level: str) -> None:
        """Change a logger's level, or with an empty name that of all that have none of their own.

        Raises:
            HostdError: ARGUMENT_INVALID for an unknown level or logger, or too many loggers.
        """
        if level not in LEVELS:
            raise invalid("ARGUMENT_INVALID", f"level: {level[:20]!r} is none of {', '.join(LEVELS)}")
        logger = _plain(logger)
        if not logger:
            set_log_level(level)
        else:
            _check_known(logger)
            if logger not in self._changed and len(self._changed) >= LOGGERS_MAX:
                raise invalid("ARGUMENT_INVALID", f"logger: {LOGGERS_MAX} loggers have levels of their own; reset some")
            logging.getLogger(logger).setLevel(LEVELS[level])
        self._changed[logger] = level

    def reset(self, logger: str) -> None:
        """Go back to what is configured; with an empty name for all loggers. Once more changes nothing."""
        logger = _plain(logger)
        for name in [name for name in self._changed if logger in ("", name)]:
            del self._changed[name]
            if name:
                logging.getLogger(name).setLevel(logging.NOTSET)
            if name == LOGGER:
                set_attempts_level(self._attempts)
        set_log_level(self.level)


def _plain(logger: str) -> str:
    """Return "" for the names of everything."""
    return "" if logger in ("hostd", "root") else logger


def _check_known(logger: str) -> None:
    """Raise for a name that nothing logs under: a misspelt one would change nothing, in silence."""
    known = [name for name in logging.root.manager.loggerDict if name.isascii()]
    if logger in known:
        return
    ours = [name for name in known if name.split(".")[0] == "hostd"]
    near = difflib.get_close_matches(logger[:100], known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(sorted(ours)[:20])}"
    raise invalid("ARGUMENT_INVALID", f"logger: nothing logs as {logger[:100]!r}; {hint}")
