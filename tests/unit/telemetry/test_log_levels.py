"""Levels that change while a program runs."""

import logging
from collections.abc import Iterator

import pytest

from hostd.errors.base import HostdError
from hostd.telemetry import log_levels
from hostd.telemetry.log_levels import LOGGERS_MAX, LogLevels
from hostd.telemetry.logs import set_log_level


@pytest.fixture
def levels() -> Iterator[LogLevels]:
    """Begin at info; everything is as it was afterwards."""
    before = {name: logging.getLogger(name).level for name in ("", "hostd", "hostd.runtime", "hostd.journal")}
    set_log_level("info")
    yield LogLevels("info")
    for name, level in before.items():
        logging.getLogger(name).setLevel(level)


def test_one_logger_and_those_below_it_change(levels: LogLevels) -> None:
    """The others stay; going back takes an empty level."""
    levels.set("hostd.runtime", "debug")

    assert logging.getLogger("hostd.runtime.loop").isEnabledFor(logging.DEBUG)
    assert not logging.getLogger("hostd.journal").isEnabledFor(logging.DEBUG)
    assert levels.changed() == {"hostd.runtime": "debug"}

    levels.reset("hostd.runtime")
    assert not logging.getLogger("hostd.runtime.loop").isEnabledFor(logging.DEBUG)
    assert levels.changed() == {}


def test_everything_changes_and_goes_back_to_what_is_configured(levels: LogLevels) -> None:
    """`hostd` is everything; a reload that changes the level holds at once, but not over a logger's own."""
    levels.set("hostd", "error")
    levels.set("hostd.journal", "debug")
    assert (levels.level, levels.changed()) == ("error", {"": "error", "hostd.journal": "debug"})

    levels.configure("warning")
    assert levels.level == "warning"
    assert logging.getLogger("hostd.journal").isEnabledFor(logging.DEBUG)

    levels.set("", "debug")
    levels.reset("")
    assert (levels.level, levels.changed()) == ("warning", {})
    assert not logging.getLogger("hostd.journal").isEnabledFor(logging.INFO)


def test_what_would_change_nothing_is_refused(levels: LogLevels, monkeypatch: pytest.MonkeyPatch) -> None:
    """A misspelt logger gets the nearest one; levels are four words; loggers are bounded."""
    with pytest.raises(HostdError, match=r"did you mean hostd\.runtime\?"):
        levels.set("hostd.runtme", "debug")
    with pytest.raises(HostdError, match="none of debug, info, warning, error"):
        levels.set("", "loud")
    monkeypatch.setattr(log_levels, "LOGGERS_MAX", 1)
    levels.set("hostd.journal", "debug")
    with pytest.raises(HostdError, match="reset some"):
        levels.set("hostd.runtime", "debug")
    assert LOGGERS_MAX > 10
