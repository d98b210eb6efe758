"""Moments on the command line: RFC 3339 text to what the wire takes, and now."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import click

from hostd.errors.base import invalid


def wall_ms() -> int:
    """Return the time of this machine's clock: how old something is, for a person to read."""
    return time.time_ns() // 1_000_000  # noqa: TID251  nothing is decided by it


def moment_option(*names: str, help: str, required: bool = False) -> Callable[[Any], Any]:  # noqa: A002 click's word
    """Return an option whose value is a protobuf Timestamp, or None."""
    return click.option(*names, metavar="TIME", callback=_moment, help=help, required=required)


def _moment(_: click.Context, option: click.Parameter, text: str | None) -> Any:
    if text is None:
        return None
    from google.protobuf.timestamp_pb2 import Timestamp

    moment = Timestamp()
    try:
        moment.FromJsonString(text)
    except ValueError:
        message = f"{option.opts[0]}: {text[:60]!r} is no time; write it as 2026-03-29T02:30:00Z"
        raise invalid("ARGUMENT_INVALID", message) from None
    return moment
