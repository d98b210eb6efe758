"""What gRPC says of clients that went away."""

from __future__ import annotations

import logging
from typing import Any

from grpc._cython.cygrpc import ExecuteBatchError

from hostd.api.departed import is_worth_telling


def record(error: BaseException | None) -> logging.LogRecord:
    """Return a record as gRPC writes it."""
    info: Any = (type(error), error, None) if error is not None else None
    return logging.LogRecord("grpc", logging.ERROR, "f", 1, "raised in core by servicer method", (), info)


def test_only_messages_that_nobody_took_are_left_out() -> None:
    """Whatever else gRPC has to say is logged."""
    assert not is_worth_telling(record(ExecuteBatchError("send", (), ())))
    assert is_worth_telling(record(RuntimeError("x")))
    assert is_worth_telling(record(None))
