"""`hostd runs`: start, look at, watch and steer runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from hostd.cli import reruns, run_starts, run_steering, run_views
from hostd.cli.completing import complete_runs
from hostd.cli.lazy import Noun
from hostd.cli.lost_connection import reconnect_option
from hostd.cli.printing import NOTHING, warn, write
from hostd.cli.run_filters import filter_of, run_filters
from hostd.cli.run_names import RUN_HELP, run_argument, run_ref
from hostd.cli.session import Session, remote
from hostd.errors.base import invalid
from hostd.values.lazily import lazily

if TYPE_CHECKING:
    from hostd.v1 import run_service_pb2 as pb
else:
    pb = lazily("hostd.v1.run_service_pb2")


@click.group(cls=Noun)
def runs() -> None:
    """Start, watch and steer runs. A run is named by its id, or as WORKFLOW/KEY."""


@runs.command(name="list")
@run_filters()
@click.option(
    "--limit", metavar="N", type=click.IntRange(1), default=100, show_default=True, help="Most runs to print."
)
@click.option("--oldest-first", is_flag=True, help="Else the newest first.")
@remote
def list_runs(session: Session, limit: int, oldest_first: bool, **given: Any) -> None:
    """List runs."""
    request = pb.ListRunsRequest(
        namespace=session.namespace, filter=filter_of(**given), order_by="create_time" if oldest_first else ""
    )
    session.list(_listed(session, request, limit), run_views.listing, none=NOTHING)


def _listed(session: Session, request: pb.ListRunsRequest, limit: int) -> Iterator[Any]:
    left = limit
    for page in session.pages(session.client.runs.ListRuns, request, limit=limit):
        yield from page.runs[:left]
        left -= len(page.runs)


@runs.command()
@run_filters()
@remote
def count(session: Session, **given: Any) -> None:
    """Count runs."""
    request = pb.CountRunsRequest(namespace=session.namespace, filter=filter_of(**given))
    session.show(session.call(session.client.runs.CountRuns, request), lambda answer: str(answer["count"]))


@runs.command(epilog=RUN_HELP)
@run_argument
@click.option("--timeline/--no-timeline", default=True, show_default=True, help="Draw what the steps did when.")
@remote
def show(session: Session, run: str, timeline: bool) -> None:
    """Show a run with its steps over time, input, output and failures."""
    request = pb.GetRunRequest(namespace=session.namespace, run=run_ref(run))
    found = session.call(session.client.runs.GetRun, request)
    drawn = _drawing(session, found) if timeline and session.out.form == "table" else ""
    session.show(found, lambda run: run_views.whole(run, drawn))


def _drawing(session: Session, run: Any) -> str:
    """Return a run's timeline; nothing for one whose history is too long to be drawn, or cannot be read."""
    from hostd.cli.drawing import drawn_run

    return drawn_run(session, run)


@runs.command(epilog=RUN_HELP)
@click.argument("run", metavar="[RUN]", required=False, default="", shell_complete=complete_runs)
@run_filters(window=False)
@reconnect_option()
@remote
def watch(session: Session, run: str, reconnect_s: float, **given: Any) -> int:
    """Follow a run to its end and exit as it ended: its steps, drawn anew, on a terminal; else its records, in lines.

    Without RUN: print each run from now on that begins, moves on, or leaves the filter that the options make, until
    interrupted.

    Exit codes: 0 SUCCEEDED, 1 FAILED, 12 CANCELED, 9 TIMED_OUT.
    """
    if not run:
        _watch_all(session, filter_of(**given), reconnect_s)
        return 0
    if any(given.values()):
        raise invalid("ARGUMENT_INVALID", "name a run, or which ones by --filter and the like, not both")
    from hostd.cli.watching import watch_records

    return watch_records(session, run_ref(run), reconnect_s=reconnect_s)


def _watch_all(session: Session, text: str, reconnect_s: float) -> None:
    from hostd.cli.change_watch import print_changes

    request = pb.WatchRunsRequest(namespace=session.namespace, filter=text, skip_snapshot=True)
    print_changes(
        session, session.client.runs.WatchRuns, request, until_snapshot=False, reconnect_s=reconnect_s,
        line=run_views.change_line,
    )  # fmt: skip


@runs.command(epilog=RUN_HELP)
@run_argument
@click.option("--kind", "kinds", multiple=True, metavar="KIND", help="Only records such as ATTEMPT_FAILED; repeatable.")
@click.option("--step", "steps", multiple=True, metavar="STEP", help="Only records of this step; may be repeated.")
@remote
def history(session: Session, run: str, kinds: tuple[str, ...], steps: tuple[str, ...]) -> None:
    """Print every record of a run, or those of some kinds or steps."""
    from hostd.cli.record_filter import wanted_records

    wanted = wanted_records(kinds, steps)
    request = pb.GetRunHistoryRequest(namespace=session.namespace, run=run_ref(run))
    pages = session.pages(session.client.runs.GetRunHistory, request)
    session.list((record for page in pages for record in page.records if wanted(record)), run_views.records)


@runs.command(epilog=RUN_HELP)
@run_argument
@click.option("--step", default="", help="Only this step.")
@click.option(
    "--attempt", metavar="N", type=click.IntRange(0, 2**32 - 1), default=0, help="Only this attempt; 0 means all."
)
@click.option("-f", "--follow", is_flag=True, help="Go on with what is logged, until the run has ended.")
@reconnect_option("With --follow")
@remote
def logs(session: Session, run: str, step: str, attempt: int, follow: bool, reconnect_s: float) -> None:
    """Print what the attempts of a run logged."""
    if follow:
        from hostd.cli.watching import follow_logs

        request = pb.TailLogsRequest(namespace=session.namespace, run=run_ref(run), step=step, attempt=attempt)
        follow_logs(session, request, reconnect_s=reconnect_s)
        return
    asked = pb.GetLogsRequest(namespace=session.namespace, run=run_ref(run), step=step, attempt=attempt)
    answer = session.call(session.client.runs.GetLogs, asked)
    if answer.truncated:
        warn("earlier lines are left out; --follow prints all")
    session.list(answer.lines, run_views.log_lines)


@runs.command()
@click.argument("digest")
@remote
def blob(session: Session, digest: str) -> None:
    """Write a value that is kept as a blob to standard output, byte for byte.

    DIGEST is what stands in {"$blob": DIGEST}.
    """
    request = pb.ReadBlobRequest(namespace=session.namespace, digest=digest)
    for part in session.client.stream(session.client.runs.ReadBlob, request):
        write(part.data)


for _command in (run_starts.start, reruns.rerun, *run_steering.COMMANDS):
    runs.add_command(_command)
