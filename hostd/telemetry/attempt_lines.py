"""Lines that actions wrote, in the daemon's log as well, for operators who collect logs in one place.

An attempt's lines are in its own log in any case. Here they are events of the logger `hostd.attempts`, which writes
nothing until it is given a level: by `log.attempts`, or at run time.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from hostd.telemetry.log_rate import ATTEMPTS
from hostd.telemetry.logs import Bearer, bearing

LOGGER = ATTEMPTS
OFF = logging.CRITICAL + 10
_LEVELS = {"DEBUG": logging.DEBUG, "INFO": logging.INFO, "WARNING": logging.WARNING, "ERROR": logging.ERROR}
_log = logging.getLogger(LOGGER)
_log.setLevel(OFF)


def repeat_lines(bearer: Bearer, lines: Sequence[str]) -> None:
    """Write an attempt's lines (`<time> <LEVEL> <words>`), which hold no secrets any more, where that is wanted."""
    if not _log.isEnabledFor(logging.ERROR):
        return
    with bearing(bearer):
        for line in lines:
            at, _, rest = line.partition(" ")
            word, _, words = rest.partition(" ")
            number = _LEVELS.get(word, logging.INFO)
            if _log.isEnabledFor(number):
                _log.log(number, "attempt_line line_at=%s line=%s", at, words)


def set_attempts_level(level: str) -> None:
    """Take another least level of lines that are repeated: debug, info, warning, error or off."""
    _log.setLevel(_LEVELS.get(level.upper(), OFF))
