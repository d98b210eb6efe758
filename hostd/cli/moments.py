"""Moments on the command line: RFC 3339 text to what the wire takes, how long ago to a filter, and now."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import click

from hostd.errors.base import invalid
from hostd.values.durations import parse_duration_ms
from hostd.values.times import MIN_MS, format_time_ms, parse_time_ms


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


def window_options(what: str) -> Callable[[Any], Any]:
    """Return `--since` and `--until`; each is the text of a term for a filter, empty where it was not said.

    Args:
        what: what came to be in the window, such as `runs created`.
    """

    def decorated(command: Any) -> Any:
        until = click.option(
            "--until", metavar="WHEN", default="", callback=_term("<"), help="Until then, the same way."
        )
        since = click.option(
            "--since", metavar="WHEN", default="", callback=_term(">="),
            help=f"Only {what} since: 15m, 2h or 3d ago, or a time as 2026-03-29T02:30:00Z.",
        )  # fmt: skip
        return since(until(command))

    return decorated


def _term(operator: str) -> Callable[[click.Context, click.Parameter, str], str]:
    def term(_: click.Context, option: click.Parameter, text: str) -> str:
        if not text:
            return ""
        return f'create_time {operator} "{format_time_ms(when_ms(text, option.opts[0], now_ms=wall_ms()))}"'

    return term


def when_ms(text: str, option: str, *, now_ms: int) -> int:
    """Return the wall milliseconds of a time in RFC 3339, or of so long ago. Raises ARGUMENT_INVALID."""
    try:
        return max(MIN_MS, now_ms - parse_duration_ms(text))
    except ValueError:
        pass
    try:
        return parse_time_ms(text)
    except ValueError:
        message = f"{option}: {text[:60]!r} is no time; write how long ago, 15m, 2h, 3d, or 2026-03-29T02:30:00Z"
        raise invalid("ARGUMENT_INVALID", message) from None


def joined(*terms: str) -> str:
    """Return the filter that holds where all of these do; empty ones ask for nothing."""
    said = [term for term in terms if term.strip()]
    return said[0] if len(said) == 1 else " && ".join(f"({term})" for term in said)
