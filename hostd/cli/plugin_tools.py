"""`hostd plugin docs|sample|new|doctor`: for who uses and writes plugins; a daemon is asked for what is not here."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from hostd.cli.complaints import exit_code, violation_line
from hostd.cli.completing import complete_files, complete_plugins
from hostd.cli.lazy import Verb
from hostd.cli.printing import Printer, say, warn
from hostd.cli.served_plugins import Daemon
from hostd.cli.session import Session, local, remote
from hostd.cli.tables import clean, columns
from hostd.errors.base import Violation, invalid

KINDS = click.Choice(["action", "trigger"])
_FROM = click.option(
    "--from", "source", metavar="PATH", help="A plugin's folder, or its id, to look in; else built-in and served ones."
)


@click.command(cls=Verb)
@click.argument("component", metavar="COMPONENT", shell_complete=complete_plugins)
@click.option("--kind", type=KINDS, help="Where both have the name.")
@_FROM
@remote
def docs(session: Session, component: str, kind: str | None, source: str | None) -> None:
    """Print the page of an action or trigger: its options with types, defaults, bounds and examples, in Markdown.

    What is not built in is asked of the daemon.
    """
    from hostd.cli.local_plugins import component_docs

    page = component_docs(component, kind or "", source, Daemon(session))
    session.out.one(page, lambda value: clean(value["page"]).rstrip("\n"))


@click.command(cls=Verb)
@click.argument("component", metavar="COMPONENT", shell_complete=complete_plugins)
@click.option("--kind", type=KINDS, help="Where both have the name.")
@_FROM
@remote
def sample(session: Session, component: str, kind: str | None, source: str | None) -> None:
    """Print a step or a trigger that uses COMPONENT, to be put into a document.

    What is not built in is asked of the daemon.
    """
    from hostd.cli.local_plugins import component_sample
    from hostd.cli.printing import yaml_text

    written = component_sample(component, kind or "", source, Daemon(session))
    session.out.one(written, lambda value: yaml_text(value).rstrip("\n"))


@click.command(cls=Verb)
@click.argument("plugin_id", metavar="ID")
@click.option("--runtime", type=click.Choice(["python", "lua", "exec"]), default="python", help="Else python.")
@click.option("--dir", "folder", metavar="DIR", default=".", help="Where to put the folder ID; else here.")
@local
def new(out: Printer, plugin_id: str, runtime: str, folder: str) -> None:
    """Write a new plugin's folder, with a manifest, an action, a test and a README; it works as it is."""
    from hostd.cli.local_plugins import new_plugin

    written = new_plugin(plugin_id, runtime, Path(folder))
    out.many([{"file": str(file)} for file in written], lambda rows: "\n".join(row["file"] for row in rows))
    if out.form == "table":
        warn(f"next: hostd plugin doctor {os.path.join(folder, plugin_id)}")


@click.command(cls=Verb)
@click.argument("path", metavar="[PATH]", required=False, shell_complete=complete_files)
@remote
def doctor(session: Session, path: str | None) -> int:
    """Examine a plugin: a folder, or its id; else every folder of `plugins.dir`.

    An id is one that is built in, of a package beside hostd, or that the daemon has, where it runs on this machine.

    Reads its manifest, starts it in a process as the daemon would, checks what it says it serves, and runs the
    conformance kit. Exits with 2 where something keeps it from working; remarks alone are no failure.
    """
    from hostd.cli.local_plugins import doctor_plugins

    out = session.out
    found = doctor_plugins(path, Daemon(session))
    mistakes: list[Violation] = []
    for examined in found:
        mistakes += examined.mistakes
        if out.form == "table":
            say(clean(_diagnosis(examined)))
    if out.form != "table":
        out.many([_plain(examined) for examined in found], lambda _: "")
    return exit_code(invalid("PLUGIN_FAILED", "")) if mistakes else 0


def _diagnosis(examined: Any) -> str:
    lines = [violation_line(fault) for fault in examined.mistakes]
    lines += [f"remark: {violation_line(fault)}" for fault in examined.remarks]
    if examined.traceback:
        lines.append(examined.traceback.rstrip("\n"))
    served = columns(
        ("COMPONENT", "KIND", "DESCRIPTION"), [(one.id, one.kind, one.description) for one in examined.components]
    )
    count = len(examined.mistakes)
    verdict = "is well" if not count else f"has {count} mistake{'s' if count > 1 else ''}"
    head = f"plugin {examined.plugin} {examined.version} {verdict}".replace("  ", " ")
    return "\n".join(part for part in (head, *lines, served) if part)


def _plain(examined: Any) -> dict[str, Any]:
    return {
        "plugin": examined.plugin,
        "version": examined.version,
        "runtime": examined.runtime,
        "components": [{"kind": one.kind, "id": one.id} for one in examined.components],
        "mistakes": [fault._asdict() for fault in examined.mistakes],
        "remarks": [fault._asdict() for fault in examined.remarks],
    }
