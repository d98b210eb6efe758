"""`hostd runs start`: one run, or many from JSON lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from hostd.cli import run_views
from hostd.cli.completing import complete_files, complete_workflows
from hostd.cli.inputs import json_argument, pairs_argument
from hostd.cli.lazy import Verb
from hostd.cli.lost_connection import reconnect_option
from hostd.cli.printing import warn
from hostd.cli.session import Session, remote
from hostd.errors.base import invalid
from hostd.values.lazily import lazily

if TYPE_CHECKING:
    from hostd.v1 import run_service_pb2 as pb
else:
    pb = lazily("hostd.v1.run_service_pb2")

ON_CLOSED = click.Choice(["allow", "allow-if-failed", "reject"])
"""What becomes of a start when a finished run has its key."""


@click.command(cls=Verb)
@click.argument("workflow", shell_complete=complete_workflows, required=False, default="", metavar="[WORKFLOW]")
@click.option(
    "--from",
    "file",
    metavar="FILE",
    shell_complete=complete_files,
    help="Start a run for each JSON line of FILE (- is standard input).",
)
@click.option("--input", "input_text", metavar="JSON", help="JSON text, @FILE, or - for standard input; else {}.")
@click.option("--version", metavar="V", default="", help="Else the active version.")
@click.option("--key", default="", help="Your own name of the run, unique among live runs of the workflow.")
@click.option("--label", "labels", multiple=True, metavar="NAME=VALUE", help="May be repeated.")
@click.option("--request-id", metavar="ID", default="", help="The same id within 24 hours starts nothing twice.")
@click.option("--on-open", type=click.Choice(["fail", "use-existing", "terminate-existing"]), default="fail",
              show_default=True, help="When a live run has the key.")  # fmt: skip
@click.option("--on-closed", type=ON_CLOSED, default="allow",
              show_default=True, help="When a finished run has the key.")  # fmt: skip
@click.option("--wait", is_flag=True, help="Wait for the end, print the run, exit as it ended.")
@reconnect_option("With --wait")
@remote
def start(session: Session, workflow: str, file: str | None, wait: bool, reconnect_s: float, **given: Any) -> int:
    """Start a run of WORKFLOW and print its id; or many, with --from.

    A line of FILE is an object with `workflow` (else WORKFLOW), `version`, `input`, `key`, `labels`, `request_id`,
    `on_open` and `on_closed`. Lines are started 500 at a time; one that is refused is named, and the others start. With
    a request_id in each line, the same file again starts nothing twice.
    """
    if file is not None:
        from hostd.cli.bulk_starts import start_many

        if wait or given["input_text"] is not None or given["key"] or given["request_id"]:
            raise invalid("ARGUMENT_INVALID", "with --from, what differs from run to run stands in the lines")
        return start_many(session, file, start_spec(workflow, **given))
    if not workflow:
        raise invalid("ARGUMENT_INVALID", "name the workflow: hostd runs start WORKFLOW, or --from FILE")
    request = pb.StartRunRequest(namespace=session.namespace, start=start_spec(workflow, **given))
    started = session.call(session.client.runs.StartRun, request)
    if not wait:
        session.show(started, run_views.started)
        return 0
    from hostd.cli.watching import wait_for_end

    if session.out.form == "table":
        warn(f"run {started.run_id}")
    return wait_for_end(session, started.run_id, reconnect_s=reconnect_s)


def start_spec(
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
    """Return what options say of a start."""
    from hostd.client import to_payload

    return pb.StartSpec(
        workflow=workflow,
        version=version,
        input=None if input_text is None else to_payload(json_argument(input_text, "--input")),
        key=key,
        labels=pairs_argument(labels, "--label"),
        request_id=request_id,
        on_open="ON_OPEN_" + enum_word(on_open),
        on_closed="ON_CLOSED_" + enum_word(on_closed),
    )


def enum_word(choice: str) -> str:
    """Return an option's word as the wire's enums have it."""
    return choice.upper().replace("-", "_")
