"""`hostd runs`: start, look at, watch and steer runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import click

from hostd.cli import run_views
from hostd.cli.inputs import json_argument, pairs_argument
from hostd.cli.lazy import lazily
from hostd.cli.printing import warn, write
from hostd.cli.session import Session, remote
from hostd.errors.base import invalid

if TYPE_CHECKING:
    from hostd.v1 import run_service_pb2 as pb
else:
    pb = lazily("hostd.v1.run_service_pb2")

RUN_HELP = "RUN is a run id, or WORKFLOW/KEY for the newest run with that key."


@click.group()
def runs() -> None:
    """Start, watch and steer runs. A run is named by its id, or as WORKFLOW/KEY."""


def run_argument(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the argument that names a run."""
    return click.argument("run", metavar="RUN")(command)


def run_ref(text: str) -> pb.RunRef:
    """Return what names a run. Raises ARGUMENT_INVALID for an empty name."""
    workflow, slash, key = text.partition("/")
    if not workflow or (slash and not key):
        raise invalid("ARGUMENT_INVALID", f"{text[:80]!r} names no run; {RUN_HELP}")
    return pb.RunRef(workflow=workflow, key=key) if slash else pb.RunRef(run_id=text)


@runs.command()
@click.argument("workflow")
@click.option("--input", "input_text", metavar="JSON", help="JSON text, @FILE, or - for standard input; else {}.")
@click.option("--version", metavar="V", default="", help="Else the active version.")
@click.option("--key", default="", help="Your own name of the run, unique among live runs of the workflow.")
@click.option("--label", "labels", multiple=True, metavar="NAME=VALUE", help="May be repeated.")
@click.option("--request-id", metavar="ID", default="", help="The same id within 24 hours starts nothing twice.")
@click.option("--on-open", type=click.Choice(["fail", "use-existing", "terminate-existing"]), default="fail",
              show_default=True, help="When a live run has the key.")  # fmt: skip
@click.option("--on-closed", type=click.Choice(["allow", "allow-if-failed", "reject"]), default="allow",
              show_default=True, help="When a finished run has the key.")  # fmt: skip
@click.option("--wait", is_flag=True, help="Wait for the end, print the run, exit as it ended.")
@click.option("--reconnect", metavar="SECONDS", type=click.FloatRange(0), default=60, show_default=True,
              help="With --wait: how long to look for a daemon that went away.")  # fmt: skip
@remote
def start(session: Session, workflow: str, wait: bool, reconnect: float, **given: Any) -> int:
    """Start a run of WORKFLOW and print its id."""
    request = pb.StartRunRequest(namespace=session.namespace, start=_start_spec(workflow, **given))
    started = session.call(session.client.runs.StartRun, request)
    if not wait:
        session.show(started, run_views.started)
        return 0
    from hostd.cli.watching import wait_for_end

    if session.out.form == "table":
        warn(f"run {started.run_id}")
    return wait_for_end(session, started.run_id, reconnect_s=reconnect)


def _start_spec(
    workflow: str,
    *,
    input_text: str | None,
    version: str,
    key: str,
    labels: tuple[str, ...],
    request_id: str,
    on_open: str,
    on_closed: str,
) -> pb.StartSpec:
    from hostd.client import to_payload

    return pb.StartSpec(
        workflow=workflow,
        version=version,
        input=None if input_text is None else to_payload(json_argument(input_text, "--input")),
        key=key,
        labels=pairs_argument(labels, "--label"),
        request_id=request_id,
        on_open="ON_OPEN_" + _word(on_open),
        on_closed="ON_CLOSED_" + _word(on_closed),
    )


def _word(choice: str) -> str:
    return choice.upper().replace("-", "_")


@runs.command(name="list")
@click.option("--filter", "filter_text", metavar="EXPR", default="",
              help='Such as: state in ["FAILED", "TIMED_OUT"] && labels.team == "a".')  # fmt: skip
@click.option("--workflow", default="", help="Only runs of this workflow.")
@click.option("--state", "states", multiple=True, metavar="STATE", help="Only runs in this state; may be repeated.")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="Most runs to print.")
@click.option("--oldest-first", is_flag=True, help="Else the newest first.")
@remote
def list_runs(session: Session, limit: int, oldest_first: bool, **given: Any) -> None:
    """List runs."""
    request = pb.ListRunsRequest(
        namespace=session.namespace, filter=filter_of(**given), order_by="create_time" if oldest_first else ""
    )
    session.list(_listed(session, request, limit), run_views.listing)


def _listed(session: Session, request: pb.ListRunsRequest, limit: int) -> Iterator[Any]:
    left = limit
    for page in session.pages(session.client.runs.ListRuns, request, limit=limit):
        yield from page.runs[:left]
        left -= len(page.runs)


def filter_of(*, filter_text: str, workflow: str, states: tuple[str, ...]) -> str:
    """Return the one filter that options stand for."""
    from hostd.values.json_text import dump_json

    parts = [f"({filter_text})"] if filter_text and (workflow or states) else [filter_text] if filter_text else []
    if workflow:
        parts.append(f"workflow == {dump_json(workflow).decode()}")
    if states:
        parts.append(f"state in {dump_json([state.upper() for state in states]).decode()}")
    return " && ".join(parts)


@runs.command()
@click.option("--filter", "filter_text", metavar="EXPR", default="", help="As in `hostd runs list`.")
@click.option("--workflow", default="", help="Only runs of this workflow.")
@click.option("--state", "states", multiple=True, metavar="STATE", help="Only runs in this state; may be repeated.")
@remote
def count(session: Session, **given: Any) -> None:
    """Count runs."""
    request = pb.CountRunsRequest(namespace=session.namespace, filter=filter_of(**given))
    session.show(session.call(session.client.runs.CountRuns, request), lambda answer: str(answer["count"]))


@runs.command(epilog=RUN_HELP)
@run_argument
@remote
def show(session: Session, run: str) -> None:
    """Show a run with its steps, input, output and failures."""
    request = pb.GetRunRequest(namespace=session.namespace, run=run_ref(run))
    session.show(session.call(session.client.runs.GetRun, request), run_views.whole)


@runs.command(epilog=RUN_HELP)
@run_argument
@click.option("--reconnect", metavar="SECONDS", type=click.FloatRange(0), default=60, show_default=True,
              help="How long to look for a daemon that went away.")  # fmt: skip
@remote
def watch(session: Session, run: str, reconnect: float) -> int:
    """Print a run's records as they happen, from the first; exit as the run ended.

    Exit codes: 0 SUCCEEDED, 1 FAILED, 12 CANCELED, 9 TIMED_OUT.
    """
    from hostd.cli.watching import watch_records

    return watch_records(session, run_ref(run), reconnect_s=reconnect)


@runs.command(epilog=RUN_HELP)
@run_argument
@remote
def history(session: Session, run: str) -> None:
    """Print every record of a run."""
    request = pb.GetRunHistoryRequest(namespace=session.namespace, run=run_ref(run))
    pages = session.pages(session.client.runs.GetRunHistory, request)
    session.list((record for page in pages for record in page.records), run_views.records)


@runs.command(epilog=RUN_HELP)
@run_argument
@click.option("--step", default="", help="Only this step.")
@click.option("--attempt", type=click.IntRange(0, 2**32 - 1), default=0, help="Only this attempt; 0 means all.")
@remote
def logs(session: Session, run: str, step: str, attempt: int) -> None:
    """Print what the attempts of a run logged."""
    request = pb.GetLogsRequest(namespace=session.namespace, run=run_ref(run), step=step, attempt=attempt)
    answer = session.call(session.client.runs.GetLogs, request)
    if answer.truncated:
        warn("earlier lines are left out")
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


def _steer(session: Session, method: str, run: str, **given: str) -> None:
    request = getattr(pb, f"{method}Request")(namespace=session.namespace, run=run_ref(run), **given)
    session.show(session.call(getattr(session.client.runs, method), request), run_views.steered)


def steering(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add what cancel, terminate and pause take."""
    request_id = click.option("--request-id", metavar="ID", default="", help="The same id within 24 hours acts once.")
    reason = click.option("--reason", default="", metavar="TEXT", help="For people; kept in the history.")
    return run_argument(reason(request_id(remote(command))))


@runs.command(epilog=RUN_HELP)
@steering
def cancel(session: Session, run: str, reason: str, request_id: str) -> None:
    """Cancel a run: what runs is told to stop, handlers run, then it is CANCELED."""
    _steer(session, "CancelRun", run, reason=reason, request_id=request_id)


@runs.command(epilog=RUN_HELP)
@steering
def terminate(session: Session, run: str, reason: str, request_id: str) -> None:
    """End a run at once; no handler runs."""
    _steer(session, "TerminateRun", run, reason=reason, request_id=request_id)


@runs.command(epilog=RUN_HELP)
@steering
def pause(session: Session, run: str, reason: str, request_id: str) -> None:
    """Start nothing new in a run until it is resumed."""
    _steer(session, "PauseRun", run, reason=reason, request_id=request_id)


@runs.command(epilog=RUN_HELP)
@run_argument
@click.option("--request-id", metavar="ID", default="", help="The same id within 24 hours acts once.")
@remote
def resume(session: Session, run: str, request_id: str) -> None:
    """Let a paused run go on, and a held one if it can be read now."""
    _steer(session, "ResumeRun", run, request_id=request_id)


@runs.command(epilog=RUN_HELP)
@run_argument
@click.argument("name")
@click.option("--request-id", metavar="ID", default="", help="The same id within 24 hours acts once.")
@remote
@click.option("--data", "data_text", metavar="JSON", help="JSON text, @FILE, or - for standard input; else null.")
def signal(session: Session, run: str, name: str, data_text: str | None, request_id: str) -> None:
    """Send the signal NAME to an open run, which keeps it until a step takes it.

    NAME is one of the workflow's `signals`, and the data must fit its schema there.
    """
    request = pb.SignalRunRequest(
        namespace=session.namespace, run=run_ref(run), signal=name, data=_data(data_text), request_id=request_id
    )
    session.show(session.call(session.client.runs.SignalRun, request), run_views.signaled)


def _data(text: str | None) -> Any:
    from hostd.client import to_payload

    return None if text is None else to_payload(json_argument(text, "--data"))


@runs.command(name="signal-with-start")
@click.argument("workflow")
@click.argument("key")
@click.argument("name")
@click.option(
    "--input", "input_text", metavar="JSON", help="Of the run that is started: JSON text, @FILE, or -; else {}."
)
@click.option("--version", metavar="V", default="", help="Of the run that is started; else the active version.")
@click.option("--label", "labels", multiple=True, metavar="NAME=VALUE", help="May be repeated.")
@click.option("--request-id", metavar="ID", default="", help="The same id within 24 hours acts once.")
@click.option("--on-closed", type=click.Choice(["allow", "allow-if-failed", "reject"]), default="allow",
              show_default=True, help="When a finished run has the key.")  # fmt: skip
@remote
@click.option("--data", "data_text", metavar="JSON", help="JSON text, @FILE, or - for standard input; else null.")
def signal_with_start(session: Session, workflow: str, key: str, name: str, **given: Any) -> None:
    """Send the signal NAME to the open run of WORKFLOW with KEY; start one with it where there is none."""
    data = _data(given.pop("data_text"))
    start = _start_spec(workflow, key=key, on_open="unspecified", **given)
    request = pb.SignalWithStartRequest(namespace=session.namespace, start=start, signal=name, data=data)
    session.show(session.call(session.client.runs.SignalWithStart, request), run_views.started)


@runs.command(epilog=RUN_HELP)
@run_argument
@click.option("--request-id", metavar="ID", default="", help="The same id within 24 hours acts once.")
@remote
def delete(session: Session, run: str, request_id: str) -> None:
    """Delete a finished run with all that is its."""
    request = pb.DeleteRunRequest(namespace=session.namespace, run=run_ref(run), request_id=request_id)
    session.show(session.call(session.client.runs.DeleteRun, request), lambda _: f"deleted {run}")
