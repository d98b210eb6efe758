"""How commands name runs: by id, by WORKFLOW/KEY, many of them, or from standard input."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from hostd.cli.completing import complete_runs
from hostd.errors.base import invalid
from hostd.values.lazily import lazily

if TYPE_CHECKING:
    from hostd.v1 import run_service_pb2 as pb
else:
    pb = lazily("hostd.v1.run_service_pb2")

RUN_HELP = "RUN is a run id, or WORKFLOW/KEY for the newest run with that key."
RUNS_HELP = (
    f"{RUN_HELP} `-` reads them from standard input, one a line: `hostd runs list -o name | hostd runs cancel -`."
)


def run_argument(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the argument that names a run."""
    return click.argument("run", metavar="RUN", shell_complete=complete_runs)(command)


def runs_argument(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the argument that names runs."""
    argument = click.argument("runs", metavar="RUN...", nargs=-1, required=True, shell_complete=complete_runs)
    return argument(command)


def run_ref(text: str) -> pb.RunRef:
    """Return what names a run. Raises ARGUMENT_INVALID for an empty name."""
    workflow, slash, key = text.partition("/")
    if not workflow or (slash and not key):
        raise invalid("ARGUMENT_INVALID", f"{text[:80]!r} names no run; {RUN_HELP}")
    return pb.RunRef(workflow=workflow, key=key) if slash else pb.RunRef(run_id=text)
