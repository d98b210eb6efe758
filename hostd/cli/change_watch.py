"""Watches of triggers and of plugins, printed change by change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hostd.cli.lost_connection import Pause
from hostd.cli.printing import say
from hostd.cli.session import Session
from hostd.cli.tables import clean


def print_changes(
    session: Session, method: Any, request: Any, *, until_snapshot: bool, reconnect_s: float, line: Callable[[Any], str]
) -> None:
    """Print what a watch tells, until interrupted, also over restarts of the daemon; where that does not know the
    position any more, the watch begins anew with what is there.

    Args:
        until_snapshot: stop behind what is there now.
        reconnect_s: how long to look for a daemon that went away.
        line: returns what people read of one change.
    """
    from hostd.cli.plain import plain

    pause = Pause(reconnect_s)
    follow = session.client.follow
    for answer in follow(method, request, reconnect_s=reconnect_s, on_expired=lambda: None, sleep=pause):
        pause.over()
        for change in answer.changes:
            _print(session, plain(change), line)
        if until_snapshot and answer.snapshot_end:
            return


def _print(session: Session, change: Any, line: Callable[[Any], str]) -> None:
    if session.out.form == "table":
        say(clean(line(change)))
    else:
        session.out.item(change)
