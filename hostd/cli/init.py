"""`hostd init`: a folder to begin with, whose workflow runs as it is."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path
from typing import NamedTuple

import click

from hostd.cli.given_path import GIVEN_PATH
from hostd.cli.lazy import Verb
from hostd.cli.printing import Printer
from hostd.cli.session import local
from hostd.cli.tables import clean, columns
from hostd.errors.base import HostdError, Kind, invalid

_STARTERS = Path(__file__).with_name("starters")
_PLUGIN = "greeter"


class Template(NamedTuple):
    """What a template brings. `plugin`: the runtime of the plugin in it."""

    about: str
    workflow: str
    described: str
    once: str
    plugin: str = ""


TEMPLATES = {
    "hello": Template("Three steps that say hello.", "hello", "greets, waits, logs",
                      "hostd run hello.yaml --input '{\"name\": \"ada\"}'"),
    "webhook": Template("A run for each order that is posted.", "orders", "adds up an order that was posted",
                        "hostd run orders.yaml --input @order.json"),
    "cron": Template("A run every ten seconds.", "tick", "logs the time", "hostd run tick.yaml"),
    "plugin": Template("A workflow, and the plugin in Python that it uses.", "greet", "uses the action of the plugin",
                       "hostd plugin doctor plugins/greeter", "python"),
    "lua": Template("A workflow, and the plugin in Lua that it uses.", "greet", "uses the action of the plugin",
                    "hostd plugin doctor plugins/greeter", "lua"),
}  # fmt: skip


@click.command(cls=Verb)
@click.argument("folder", metavar="[FOLDER]", default=".", type=GIVEN_PATH)
@click.option("--template", type=click.Choice(list(TEMPLATES)), default="hello", show_default=True,
              help="What to begin with: three steps, a webhook, a schedule, a plugin in Python or in Lua.")  # fmt: skip
@click.option("--force", is_flag=True, help="Also into a folder that is not empty; replaces files of the same names.")
@local
def init(out: Printer, folder: Path, template: str, force: bool) -> None:
    """Write a folder to begin with: a workflow that runs as it is, cases that test it, settings and a README.

    FOLDER, else this one, has to be empty, or not to be there.
    """
    place = folder.expanduser()
    _check_empty(place, force=force)
    files = sorted(_files(place, template))
    try:
        replaced = _write(place, files)
        plugin = _write_plugin(place, template, force=force)
    except OSError as error:
        raise HostdError(
            Kind.UNAVAILABLE, "ARGUMENT_INVALID", f"{error.filename} cannot be written: {error.strerror}"
        ) from None
    named = [name for name, _ in files]
    rows = [{"file": str(place / name)} for name in [*named, *plugin]]
    out.many(rows, lambda _: _next(folder, named, plugin, TEMPLATES[template], replaced))


def _check_empty(place: Path, *, force: bool) -> None:
    if place.exists() and not place.is_dir():
        raise invalid("ARGUMENT_INVALID", f"{place} is a file; name a folder")
    try:
        there = sorted(os.listdir(place)) if place.exists() else []
    except OSError as error:
        raise invalid("ARGUMENT_INVALID", f"{place} cannot be read: {error.strerror}") from None
    if there and not force:
        some = ", ".join(there[:3]) + (", ..." if len(there) > 3 else "")
        message = f"{place} is not empty ({some}); name a new folder, or --force to write between what is there"
        raise invalid("ARGUMENT_INVALID", message)


def _files(place: Path, template: str) -> list[tuple[str, str]]:
    """Return name and text of every file but those of a plugin."""
    chosen = TEMPLATES[template]
    about = [(f"{chosen.workflow}.yaml", f"the workflow: {chosen.described}")]
    about.append((f"{chosen.workflow}.test.yaml", "cases that test it"))
    if template == "webhook":
        about.append(("order.json", "an order to post"))
    if chosen.plugin:
        about.append((f"plugins/{_PLUGIN}/", "the plugin, with a test of its own"))
    commands = _commands(chosen)
    wide = max(len(command) for command, _ in commands)
    words = {
        "NAME": place.absolute().name,
        "ABOUT": chosen.about,
        "COMMANDS": "\n".join(f"{command:<{wide}}  # {what}" for command, what in commands),
        "FILES": "\n".join(f"| `{name}` | {what} |" for name, what in about),
    }
    found = [*(_STARTERS / "common").iterdir(), *(_STARTERS / template).iterdir()]
    files = {file.name.removesuffix(".txt"): file.read_text(encoding="utf-8") for file in found}
    files[".gitignore"] = files.pop("gitignore")
    return [(name, re.sub(r"@@([A-Z]+)@@", lambda word: words[word[1]], text)) for name, text in files.items()]


def _commands(chosen: Template) -> list[tuple[str, str]]:
    """Return what to do next, and why."""
    return [
        ("hostd dev", "serve it while you write: t starts something, ? lists the keys"),
        ("hostd workflow test", "run its cases"),
        (chosen.once, "examine the plugin" if chosen.plugin else "run it once, without a daemon"),
    ]


def _write(place: Path, files: list[tuple[str, str]]) -> list[str]:
    """Write files; return those that took the place of others."""
    place.mkdir(parents=True, exist_ok=True)
    replaced = []
    for name, text in files:
        target = place / name
        if target.exists() and target.read_text(encoding="utf-8", errors="replace") != text:
            replaced.append(name)
        target.write_text(text, encoding="utf-8")
    return replaced


def _write_plugin(place: Path, template: str, *, force: bool) -> list[str]:
    """Write the plugin of a template, but where one of that name is there; return its files."""
    from hostd.cli.local_plugins import new_plugin

    runtime = TEMPLATES[template].plugin
    if not runtime or (force and (place / "plugins" / _PLUGIN).exists()):
        return []
    return [str(file.relative_to(place)) for file in new_plugin(_PLUGIN, runtime, place / "plugins")]


def _next(folder: Path, files: list[str], plugin: list[str], chosen: Template, replaced: list[str]) -> str:
    """Return what was written, and what to do with it."""
    shown = files + ([f"plugins/{_PLUGIN}/  ({len(plugin)} files)"] if plugin else [])
    lines = [f"wrote {clean(str(folder))}:", *(f"  {name}" for name in shown), ""]
    if replaced:
        lines += [f"replaced: {', '.join(replaced)}", ""]
    go = [(f"cd {shlex.quote(str(folder))}", "")] if str(folder) != "." else []
    go += _commands(chosen)
    return "\n".join([*lines, "next:", *(f"  {line}" for line in columns(("", ""), go).splitlines()[1:])])
