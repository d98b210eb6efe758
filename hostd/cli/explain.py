"""`hostd explain` and `hostd completion`: help beyond `--help`."""

from __future__ import annotations

import difflib
from typing import Any

import click

from hostd.cli.printing import Printer, say
from hostd.cli.session import local
from hostd.cli.tables import columns, fields
from hostd.errors.base import HostdError, Kind
from hostd.errors.codes import CODES
from hostd.errors.reasons import REASONS


@click.command()
@click.argument("reason", required=False)
@local
def explain(out: Printer, reason: str | None) -> None:
    """Say what REASON means and what to do; without one, list all."""
    if reason is None:
        out.many([page(name) for name in REASONS], _listing)
        return
    name = reason.upper().removeprefix("REASON_")
    if name not in REASONS:
        near = difflib.get_close_matches(name[:80], REASONS, n=1, cutoff=0.6)
        hint = f"did you mean {near[0]}?" if near else "`hostd explain` lists them all"
        raise HostdError(Kind.MISSING, "ARGUMENT_INVALID", f"there is no reason {reason[:80]!r}; {hint}")
    out.one(page(name), lambda item: fields(item.items()))


def page(name: str) -> dict[str, Any]:
    """Return everything that is known of a reason."""
    found = REASONS[name]
    codes = CODES[found.kind]
    return {
        "reason": name,
        "kind": str(found.kind),
        "what": found.what,
        "fix": found.fix,
        "grpc": codes.grpc,
        "http": codes.http,
        "exit": codes.exit,
    }


def _listing(pages: list[Any]) -> str:
    return columns(("REASON", "KIND", "WHAT"), [(item["reason"], item["kind"], item["what"]) for item in pages])


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script of SHELL. For bash: eval "$(hostd completion bash)" in ~/.bashrc."""
    from click.shell_completion import get_completion_class

    root = click.get_current_context().find_root().command
    maker = get_completion_class(shell)
    if maker is not None:
        say(maker(root, {}, "hostd", "_HOSTD_COMPLETE").source())
