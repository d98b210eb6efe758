"""Watches of triggers and of plugins, printed change by change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hostd.cli.printing import say
from hostd.cli.session import Session
from hostd.cli.tables import clean
from hostd.errors.base import HostdError


def print_changes(
    session: Session, method: Any, request: Any, *, until_snapshot: bool, line: Callable[[Any], str]
) -> None:
    """Print what a watch tells, until interrupted; it begins anew where the daemon does not know its position any more.

    Args:
        until_snapshot: stop behind what is there now.
        line: returns what people read of one change.
    """
    from hostd.cli.plain import plain

    while True:
        try:
            for answer in session.client.stream(method, request):
                for change in answer.changes:
                    _print(session, plain(change), line)
                request.resume_token = answer.resume_token or request.resume_token
                if until_snapshot and answer.snapshot_end:
                    return
            return
        except HostdError as error:
            if error.reason != "RESUME_TOKEN_EXPIRED" or not request.resume_token:
                raise
            request.resume_token = ""


def _print(session: Session, change: Any, line: Callable[[Any], str]) -> None:
    if session.out.form == "table":
        say(clean(line(change)))
    else:
        session.out.item(change)
