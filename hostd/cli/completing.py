"""Names for the shell's completion, most from a daemon that runs: quick, and silent where none does.

The shell asks with each press of Tab, so nothing is imported before a socket or port answers.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from hostd.cli.session import Session

ANSWERS_S = 0.3
SHOWN_MAX = 200


def _completing(ask: str) -> Callable[[click.Context, click.Parameter, str], list[CompletionItem]]:
    """Return what completes a parameter with the names that a function of `suggestions` finds."""

    def complete(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
        try:
            names = _names(context, ask)
        except Exception:  # noqa: BLE001  a shell that completes shows nothing of what went wrong
            return []
        return [CompletionItem(name) for name in names if name.startswith(incomplete)][:SHOWN_MAX]

    return complete


def _names(context: click.Context, ask: str) -> Iterable[str]:
    from hostd.client.address import find_door

    given: dict[str, Any] = {**context.find_root().params, **{k: v for k, v in context.params.items() if v is not None}}
    if given.get("tls_ca") or os.environ.get("HOSTD_TLS_CA"):
        return []  # a handshake takes longer than a press of a key may
    door = find_door(address=given.get("address"), data=given.get("data"))
    if not _answers(door.address):
        return []
    return _asked(given, ask)


def _asked(given: dict[str, Any], ask: str) -> Iterable[str]:
    from hostd.cli import suggestions
    from hostd.cli.printing import Printer
    from hostd.cli.session import CONNECTION_NAMES, Session

    with Session({name: given.get(name) for name in CONNECTION_NAMES}, Printer("name")) as session:
        if ask == "version_names":
            return suggestions.version_names(session, given.get("name") or "")
        names: Callable[[Session], Iterable[str]] = getattr(suggestions, ask)
        return list(names(session))


def _answers(address: str) -> bool:
    """Say whether somebody listens there, at once."""
    if address.startswith("unix:"):
        family, where = socket.AF_UNIX, address.removeprefix("unix:")
    else:
        host, _, port = address.rpartition(":")
        family, where = socket.AF_INET6 if ":" in host else socket.AF_INET, (host.strip("[]"), int(port))  # type: ignore[assignment]
    with socket.socket(family, socket.SOCK_STREAM) as tried:
        tried.settimeout(ANSWERS_S)
        return tried.connect_ex(where) == 0


complete_runs = _completing("run_ids")
complete_workflows = _completing("workflow_names")
complete_triggers = _completing("trigger_names")
complete_plugins = _completing("plugin_names")
complete_secrets = _completing("secret_names")
complete_versions = _completing("version_names")


def complete_files(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Let the shell complete the name of a file."""
    return [CompletionItem(incomplete, type="file")]


def complete_documents(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete the names of workflows; where none begins so, let the shell complete a file."""
    return complete_workflows(context, parameter, incomplete) or complete_files(context, parameter, incomplete)


def complete_reasons(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete the reasons of errors, in any case."""
    from hostd.errors.reasons import REASONS

    return [CompletionItem(reason) for reason in REASONS if reason.startswith(incomplete.upper())][:SHOWN_MAX]


def complete_commands(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete a command behind those that stand there already."""
    found: click.Command | None = context.find_root().command
    for word in context.params.get(parameter.name or "") or ():
        found = found.get_command(context, word) if isinstance(found, click.Group) else None
    names = found.list_commands(context) if isinstance(found, click.Group) else []
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]
