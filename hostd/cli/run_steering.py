"""`hostd runs`, second half: steering runs and telling them something."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from hostd.cli import run_views
from hostd.cli.complaints import complain, exit_code
from hostd.cli.completing import complete_workflows
from hostd.cli.inputs import json_argument, listed
from hostd.cli.lazy import Verb
from hostd.cli.printing import warn
from hostd.cli.run_names import RUN_HELP, RUNS_HELP, run_argument, run_ref, runs_argument
from hostd.cli.run_starts import ON_CLOSED, start_spec
from hostd.cli.session import Session, remote
from hostd.errors.base import HostdError, invalid
from hostd.values.lazily import lazily

if TYPE_CHECKING:
    from hostd.v1 import run_service_pb2 as pb
else:
    pb = lazily("hostd.v1.run_service_pb2")


def steer_all(session: Session, method: str, runs: Sequence[str], *, request_id: str = "", **given: str) -> int:
    """Do the same to every run, and print each; one that refuses is named and the others go on.

    Returns the exit code: 0, or that of the first error.
    """
    code = 0
    names = list(listed(runs))
    if not names:
        warn("standard input names no run; nothing was done")
    if len(names) > 1 and request_id:
        raise invalid("ARGUMENT_INVALID", "--request-id is for one run")
    for name in names:
        try:
            _steer(session, method, name, request_id=request_id, **given)
        except HostdError as error:
            if len(names) == 1:
                raise
            complain(error, about=name)
            code = code or exit_code(error)
    return code


def _steer(session: Session, method: str, run: str, **given: str) -> None:
    request = getattr(pb, f"{method}Request")(namespace=session.namespace, run=run_ref(run), **given)
    answer = session.call(getattr(session.client.runs, method), request)
    if method == "DeleteRun":
        from hostd.cli.plain import plain

        session.out.one({"run_id": run} if session.out.form == "name" else plain(answer), lambda _: f"deleted {run}")
    else:
        session.show(answer, run_views.steered)


def steering(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add what cancel, terminate and pause take."""
    request_id = click.option(
        "--request-id", metavar="ID", default="", help="The same id within 24 hours acts once (one run)."
    )
    reason = click.option("--reason", default="", metavar="TEXT", help="For people; kept in the history.")
    return runs_argument(reason(request_id(remote(command))))


@click.command(cls=Verb, epilog=RUNS_HELP)
@steering
def cancel(session: Session, runs: tuple[str, ...], reason: str, request_id: str) -> int:
    """Cancel runs: what runs is told to stop, handlers run, then they are CANCELED."""
    return steer_all(session, "CancelRun", runs, request_id=request_id, reason=reason)


@click.command(cls=Verb, epilog=RUNS_HELP)
@steering
def terminate(session: Session, runs: tuple[str, ...], reason: str, request_id: str) -> int:
    """End runs at once; no handler runs."""
    return steer_all(session, "TerminateRun", runs, request_id=request_id, reason=reason)


@click.command(cls=Verb, epilog=RUNS_HELP)
@steering
def pause(session: Session, runs: tuple[str, ...], reason: str, request_id: str) -> int:
    """Start nothing new in runs until they are resumed."""
    return steer_all(session, "PauseRun", runs, request_id=request_id, reason=reason)


@click.command(cls=Verb, epilog=RUNS_HELP)
@runs_argument
@click.option("--request-id", metavar="ID", default="", help="The same id within 24 hours acts once (one run).")
@remote
def resume(session: Session, runs: tuple[str, ...], request_id: str) -> int:
    """Let paused runs go on, and held ones if they can be read now."""
    return steer_all(session, "ResumeRun", runs, request_id=request_id)


@click.command(cls=Verb, epilog=RUN_HELP)
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


@click.command(cls=Verb, name="signal-with-start")
@click.argument("workflow", shell_complete=complete_workflows)
@click.argument("key")
@click.argument("name")
@click.option(
    "--input", "input_text", metavar="JSON", help="Of the run that is started: JSON text, @FILE, or -; else {}."
)
@click.option("--version", metavar="V", default="", help="Of the run that is started; else the active version.")
@click.option("--label", "labels", multiple=True, metavar="NAME=VALUE", help="May be repeated.")
@click.option("--request-id", metavar="ID", default="", help="The same id within 24 hours acts once.")
@click.option("--on-closed", type=ON_CLOSED, default="allow",
              show_default=True, help="When a finished run has the key.")  # fmt: skip
@remote
@click.option("--data", "data_text", metavar="JSON", help="JSON text, @FILE, or - for standard input; else null.")
def signal_with_start(session: Session, workflow: str, key: str, name: str, **given: Any) -> None:
    """Send the signal NAME to the open run of WORKFLOW with KEY; start one with it where there is none."""
    data = _data(given.pop("data_text"))
    start = start_spec(workflow, key=key, on_open="unspecified", **given)
    request = pb.SignalWithStartRequest(namespace=session.namespace, start=start, signal=name, data=data)
    session.show(session.call(session.client.runs.SignalWithStart, request), run_views.started)


@click.command(cls=Verb, epilog=RUNS_HELP)
@runs_argument
@click.option("--request-id", metavar="ID", default="", help="The same id within 24 hours acts once (one run).")
@remote
def delete(session: Session, runs: tuple[str, ...], request_id: str) -> int:
    """Delete finished runs with all that is theirs."""
    return steer_all(session, "DeleteRun", runs, request_id=request_id)


COMMANDS = (cancel, terminate, pause, resume, signal, signal_with_start, delete)
