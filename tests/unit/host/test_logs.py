"""Lines that plugins write outside attempts, in the daemon's log."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest

from hostd.host.logs import DaemonLog
from hostd.telemetry.logs import JsonFormatter, bearing


class Attempt:
    """Whose events they are."""

    def log_fields(self) -> dict[str, str | int]:
        """Return two fields, one of them a number."""
        return {"run_id": "r", "attempt": 2}


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What the logger `hostd.plugin` writes, as JSON."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    logger = logging.getLogger("hostd.plugin")
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield stream
    logger.removeHandler(handler)
    logger.setLevel(before)


def test_a_line_is_an_event_with_fields(written: io.StringIO) -> None:
    """Whatever a plugin writes is one value; whose it is stands beside it, numbers as numbers."""
    log = DaemonLog("shop.orders", plugin="shop", trigger="t")
    with bearing(Attempt()):
        log.info("looked level=none", found=3)
    line = json.loads(written.getvalue())
    assert line.pop("at")
    assert line == {
        "level": "info",
        "logger": "hostd.plugin.shop.orders",
        "event": "plugin_line",
        "run_id": "r",
        "attempt": 2,
        "plugin": "shop",
        "trigger": "t",
        "line": 'looked level=none {"found":3}',
    }
