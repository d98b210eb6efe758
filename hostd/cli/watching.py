"""Following a run to its end, across restarts of the daemon, and how its outcome becomes an exit code."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from hostd.cli import run_views
from hostd.cli.outcomes import EXIT_FAILED, OUTCOME_EXITS
from hostd.cli.plain import plain
from hostd.cli.printing import say, warn
from hostd.cli.session import Session
from hostd.cli.tables import duration_between
from hostd.v1 import run_service_pb2 as pb


def watch_records(session: Session, ref: pb.RunRef, *, reconnect_s: float) -> int:
    """Print records until the run has ended; return the exit code of its outcome."""
    request = pb.WatchRunRequest(namespace=session.namespace, run=ref)
    run: dict[str, Any] = {}
    for answer in _followed(session, request, reconnect_s):
        for record in answer.records:
            value = plain(record)
            if session.out.form == "table":
                say(run_views.record_line(value))
            else:
                session.out.item(value)
        if answer.HasField("run"):
            run = plain(answer.run)
    if session.out.form == "table":
        took = duration_between(run["create_time"], run["end_time"])
        say(f"run {run['run_id']} {run_views.paint_state(run['state'])} in {took}")
    return OUTCOME_EXITS.get(run["state"], EXIT_FAILED)


def _followed(session: Session, request: pb.WatchRunRequest, reconnect_s: float) -> Iterator[pb.WatchRunResponse]:
    watch = session.client.runs.WatchRun
    return session.client.follow(watch, request, reconnect_s=reconnect_s, sleep=_Pause(reconnect_s))


def wait_for_end(session: Session, run_id: str, *, reconnect_s: float) -> int:
    """Wait for a run's end and print the run; return the exit code of its outcome."""
    request = pb.WatchRunRequest(namespace=session.namespace, run=pb.RunRef(run_id=run_id))
    for answer in _followed(session, request, reconnect_s):
        if answer.HasField("run"):
            session.show(answer.run, run_views.whole)
            return OUTCOME_EXITS.get(plain(answer.run)["state"], EXIT_FAILED)
    return EXIT_FAILED


class _Pause:
    """Sleeps between tries, and says so once."""

    def __init__(self, reconnect_s: float) -> None:
        self._text = f"the connection was lost; looking for the daemon for up to {reconnect_s:g} s"
        self._said = False

    def __call__(self, seconds: float) -> None:
        if not self._said:
            self._said = True
            warn(self._text)
        time.sleep(seconds)
