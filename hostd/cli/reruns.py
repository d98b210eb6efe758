"""`hostd runs rerun`: start runs that have ended once more, with what they were started with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from hostd.cli import run_views
from hostd.cli.complaints import complain, exit_code
from hostd.cli.inputs import listed
from hostd.cli.lazy import Verb
from hostd.cli.lost_connection import reconnect_option
from hostd.cli.printing import warn
from hostd.cli.run_names import RUNS_HELP, run_ref, runs_argument
from hostd.cli.run_starts import ON_CLOSED, enum_word
from hostd.cli.session import Session, remote
from hostd.errors.base import HostdError, Kind, invalid
from hostd.values.lazily import lazily

if TYPE_CHECKING:
    from hostd.v1 import payload_pb2, run_pb2
    from hostd.v1 import run_service_pb2 as pb
else:
    payload_pb2 = lazily("hostd.v1.payload_pb2")
    run_pb2 = lazily("hostd.v1.run_pb2")
    pb = lazily("hostd.v1.run_service_pb2")

RERUN_OF = "rerun_of"
LABELS_MAX = 32  # that a run may have


@click.command(cls=Verb, epilog=RUNS_HELP)
@runs_argument
@click.option("--same-version", is_flag=True, help="With the version each run had; else the active one.")
@click.option(
    "--on-closed",
    type=ON_CLOSED,
    help="When a run with its key has ended. [default: allow-if-failed; allow for a run that SUCCEEDED]",
)
@click.option("--wait", is_flag=True, help="Wait for the end, print the run, exit as it ended (one run).")
@reconnect_option("With --wait")
@remote
def rerun(
    session: Session, runs: Sequence[str], same_version: bool, on_closed: str | None, wait: bool, reconnect_s: float
) -> int:
    """Start runs that have ended once more: new runs with the same input, key and labels.

    All their steps run, under idempotency keys of their own. The label `rerun_of` of a new run is the id of the first.
    A run that is still open is refused; one whose key a live run has, too, and a failed one whose key a later run has
    brought to a good end. The others start. Prints the new runs.
    """
    names = list(listed(runs))
    if not names:
        warn("standard input names no run; nothing was done")
    if wait and len(names) > 1:
        raise invalid("ARGUMENT_INVALID", "--wait is for one run")
    code = 0
    for name in names:
        try:
            started = _start_again(session, name, same_version=same_version, on_closed=on_closed)
        except HostdError as error:
            if len(names) == 1:
                raise
            complain(error, about=name)
            code = code or exit_code(error)
            continue
        if wait:
            return _ended(session, started.run_id, reconnect_s)
        session.show(started, run_views.started)
    return code


def _ended(session: Session, run_id: str, reconnect_s: float) -> int:
    from hostd.cli.watching import wait_for_end

    if session.out.form == "table":
        warn(f"run {run_id}")
    return wait_for_end(session, run_id, reconnect_s=reconnect_s)


def _start_again(session: Session, name: str, *, same_version: bool, on_closed: str | None) -> Any:
    request = pb.GetRunRequest(namespace=session.namespace, run=run_ref(name))
    run = session.call(session.client.runs.GetRun, request)
    if not run.HasField("end_time"):
        message = f"the run {run.run_id} has not ended yet; `hostd runs cancel {run.run_id}` ends it"
        raise HostdError(Kind.STATE, "RUN_NOT_FINAL", message)
    start = pb.StartSpec(
        workflow=run.workflow,
        version=run.version if same_version else "",
        input=_input(session, run),
        key=run.key,
        labels=_labels(run),
        on_closed=_on_closed(run, on_closed),
    )
    return session.call(session.client.runs.StartRun, pb.StartRunRequest(namespace=session.namespace, start=start))


def _on_closed(run: Any, said: str | None) -> Any:
    """Return what becomes of it where another run with the key has ended: work that is done is not done again."""
    if said is None:
        said = "allow" if run.state == run_pb2.RUN_STATE_SUCCEEDED else "allow-if-failed"
    return pb.OnClosed.Value("ON_CLOSED_" + enum_word(said))


def _labels(run: Any) -> dict[str, str]:
    """Return a run's labels with which run it is made of, where there is room."""
    labels = dict(run.labels)
    if RERUN_OF in labels or len(labels) < LABELS_MAX:
        labels[RERUN_OF] = run.run_id
    return labels


def _input(session: Session, run: Any) -> payload_pb2.Payload:
    """Return a run's input as a start takes it: what is kept as a blob is read."""
    if run.input.WhichOneof("body") != "blob":
        return payload_pb2.Payload(data=run.input.data)
    request = pb.ReadBlobRequest(namespace=session.namespace, digest=run.input.blob)
    parts = session.client.stream(session.client.runs.ReadBlob, request)
    return payload_pb2.Payload(data=b"".join(part.data for part in parts))
