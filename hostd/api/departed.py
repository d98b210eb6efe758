"""Clients that go away while a message is on its way to them: nobody's mistake, and no news for the log."""

from __future__ import annotations

import logging


def is_worth_telling(record: logging.LogRecord) -> bool:
    """Say whether a record of gRPC goes into the log (a filter): a batch that nobody takes any more does not."""
    error = record.exc_info[1] if record.exc_info else None
    return type(error).__name__ != "ExecuteBatchError"
