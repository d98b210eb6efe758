"""Following a run to its end, across restarts of the daemon, and how its outcome becomes an exit code."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from hostd.cli import run_views
from hostd.cli.lost_connection import Pause
from hostd.cli.outcomes import EXIT_FAILED, OUTCOME_EXITS
from hostd.cli.plain import plain
from hostd.cli.printing import say, warn
from hostd.cli.session import Session
from hostd.cli.tables import clean, duration_between
from hostd.cli.terminal import is_terminal
from hostd.v1 import run_service_pb2 as pb


def watch_records(session: Session, ref: pb.RunRef, *, reconnect_s: float) -> int:
    """Follow a run until it has ended; return the exit code of its outcome.

    On a terminal its steps are drawn anew with each change; else, or with `-o`, each record is a line.
    """
    if session.out.form == "table" and is_terminal():
        return _watch_tree(session, ref, reconnect_s)
    request = pb.WatchRunRequest(namespace=session.namespace, run=ref)
    run: dict[str, Any] = {}
    for answer in _followed(session, request, reconnect_s):
        for record in answer.records:
            value = plain(record)
            if session.out.form == "table":
                say(run_views.record_line(value))
            elif session.out.form != "name":  # a record has no name; the run has, at the end
                session.out.item(value)
        if answer.HasField("run"):
            run = plain(answer.run)
    if session.out.form == "name":
        session.out.item(run)
    if session.out.form == "table":
        took = duration_between(run["create_time"], run["end_time"])
        say(f"run {run['run_id']} {run_views.paint_state(run['state'])} in {took}")
    return OUTCOME_EXITS.get(run["state"], EXIT_FAILED)


def _watch_tree(session: Session, ref: pb.RunRef, reconnect_s: float) -> int:
    """Draw the steps of a run until it has ended; then say how, and why it failed."""
    from hostd.cli.run_tree import LiveTree

    found = session.call(session.client.runs.GetRun, pb.GetRunRequest(namespace=session.namespace, run=ref))
    ref = pb.RunRef(run_id=found.run_id)
    request = pb.WatchRunRequest(namespace=session.namespace, run=ref)
    ended: dict[str, Any] = {}
    with LiveTree(plain(found)) as tree:
        for answer in _followed(session, request, reconnect_s, tree.say):
            for record in answer.records:
                tree.add(plain(record))
            if answer.HasField("run"):
                ended = plain(answer.run)
                tree.end(ended)
    say(_ending(ended))
    return OUTCOME_EXITS.get(ended["state"], EXIT_FAILED)


def _ending(run: dict[str, Any]) -> str:
    """Return the last line of a watch, and why the run did not succeed."""
    took = duration_between(run["create_time"], run["end_time"])
    lines = [f"run {run['run_id']} {run_views.paint_state(run['state'])} in {took}"]
    lines += [f"  {failure['step'] or 'the run'}: {run_views.failure_text(failure)}" for failure in run["failures"]]
    return "\n".join([lines[0], *map(clean, lines[1:])])


def follow_logs(session: Session, request: pb.TailLogsRequest, *, reconnect_s: float) -> None:
    """Print what attempts log until the run has ended, over restarts of the daemon."""
    pause = Pause(reconnect_s)
    for answer in session.client.follow(session.client.runs.TailLogs, request, reconnect_s=reconnect_s, sleep=pause):
        session.list(answer.lines, run_views.log_lines)
        if answer.run_state:
            return


def _followed(
    session: Session, request: pb.WatchRunRequest, reconnect_s: float, tell: Callable[[str], None] = warn
) -> Iterator[pb.WatchRunResponse]:
    watch = session.client.runs.WatchRun
    return session.client.follow(watch, request, reconnect_s=reconnect_s, sleep=Pause(reconnect_s, tell))


def wait_for_end(session: Session, run_id: str, *, reconnect_s: float) -> int:
    """Wait for a run's end and print the run; return the exit code of its outcome."""
    request = pb.WatchRunRequest(namespace=session.namespace, run=pb.RunRef(run_id=run_id))
    for answer in _followed(session, request, reconnect_s):
        if answer.HasField("run"):
            session.show(answer.run, run_views.whole)
            return OUTCOME_EXITS.get(plain(answer.run)["state"], EXIT_FAILED)
    return EXIT_FAILED
