"""Which runs a command is about: the options that lists, counts and watches share, and the filter they stand for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from hostd.cli.completing import complete_workflows
from hostd.cli.inputs import pairs_argument
from hostd.cli.moments import joined, window_options
from hostd.cli.run_states import states_option

FILTER_HELP = 'Such as: state in ["FAILED", "TIMED_OUT"] && labels.team == "a".'


def run_filters(*, window: bool = True) -> Callable[[Any], Any]:
    """Return the options of a filter over runs; `filter_of` takes what the command gets for them.

    Args:
        window: with --since and --until.
    """

    def decorated(command: Any) -> Any:
        command = window_options("runs created")(command) if window else command
        command = click.option("--label", "labels", multiple=True, metavar="NAME=VALUE",
                               help="Only runs with this label; with all, where repeated.")(command)  # fmt: skip
        command = states_option(command)
        command = click.option("--workflow", default="", shell_complete=complete_workflows,
                               help="Only runs of this workflow.")(command)  # fmt: skip
        return click.option("--filter", "filter_text", metavar="EXPR", default="", help=FILTER_HELP)(command)

    return decorated


def filter_of(
    *,
    filter_text: str,
    workflow: str,
    states: tuple[str, ...],
    labels: tuple[str, ...],
    since: str = "",
    until: str = "",
) -> str:
    """Return the one filter that options stand for. Raises ARGUMENT_INVALID for what is no label."""
    from hostd.values.json_text import dump_json

    def quoted(value: Any) -> str:
        return dump_json(value).decode()

    named = f"workflow == {quoted(workflow)}" if workflow else ""
    listed = f"state in {quoted(list(states))}" if states else ""
    labelled = [f"labels[{quoted(name)}] == {quoted(to)}" for name, to in pairs_argument(labels, "--label").items()]
    return joined(filter_text, named, listed, *labelled, since, until)
