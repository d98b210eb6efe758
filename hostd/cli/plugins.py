"""`hostd plugin`: what is loaded, and what it provides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from hostd.cli import plugin_changes, plugin_tools
from hostd.cli.applying import warn_of
from hostd.cli.change_watch import print_changes
from hostd.cli.completing import complete_plugins
from hostd.cli.lazy import Noun
from hostd.cli.lost_connection import reconnect_option
from hostd.cli.session import Session, remote
from hostd.cli.tables import clean, columns, fields
from hostd.values.lazily import lazily

if TYPE_CHECKING:
    from hostd.v1 import plugin_service_pb2 as pb
else:
    pb = lazily("hostd.v1.plugin_service_pb2")


@click.group(cls=Noun)
def plugin() -> None:
    """Look at plugins and what they provide."""


for _tool in (plugin_tools.docs, plugin_tools.sample, plugin_tools.new, plugin_tools.doctor):
    plugin.add_command(_tool)
for _change in plugin_changes.COMMANDS:
    plugin.add_command(_change)


@plugin.command(name="list")
@remote
def list_plugins(session: Session) -> None:
    """List plugins, also those that are not loaded, and why."""
    request = pb.ListPluginsRequest(namespace=session.namespace)
    session.list(session.call(session.client.plugins.ListPlugins, request).plugins, _listing)


def _listing(plugins: list[Any]) -> str:
    return columns(
        ("PLUGIN", "VERSION", "SOURCE", "STATE", "ISOLATION", "PROCESS", "WHY", "COMPONENTS"),
        [
            (item["id"], item["version"], item["source"], item["state"], item["isolation"], _process(item["process"]),
             ": ".join(part for part in (item["reason"], item["message"]) if part),
             [component["id"] for component in item["components"]])
            for item in plugins
        ],
    )  # fmt: skip


def _process(process: Any) -> str:
    """Return a process in a word: `ready 4711`, `backing_off`; how often it was started again where it was."""
    if not process:
        return ""
    pid = f" {process['pid']}" if process["pid"] else ""
    restarts = f" ({process['restarts']} restarts)" if process["restarts"] else ""
    return f"{process['state']}{pid}{restarts}"


@plugin.command()
@click.argument("plugin_id", metavar="ID", shell_complete=complete_plugins)
@remote
def show(session: Session, plugin_id: str) -> None:
    """Show a plugin and its components."""
    request = pb.GetPluginRequest(namespace=session.namespace, id=plugin_id)
    session.show(session.call(session.client.plugins.GetPlugin, request), _whole)


def _whole(item: Any) -> str:
    process = item["process"]
    head = fields((name, item[name]) for name in item if name not in ("components", "traceback", "process", "warnings"))
    if process:
        head += "\n" + fields(
            (f"process.{name}", process[name]) for name in process if name not in ("output", "draining")
        )
    table = columns(
        ("COMPONENT", "KIND", "EFFECTS", "EXECUTORS", "DESCRIPTION"),
        [
            (component["id"], component["kind"], component["effects"], component["executors"], component["description"])
            for component in item["components"]
        ],
    )
    codes = columns(
        ("CODE", "OF", "MEANING"),
        [
            (each["code"], component["id"], each["meaning"])
            for component in item["components"]
            for each in component["codes"]
        ],
    )
    old = process["draining"] if process else []
    draining = columns(
        ("OLD VERSION", "PID", "ATTEMPTS", "TRIGGERS"),
        [(one["version"], one["pid"], one["attempts"], one["triggers"]) for one in old],
    )
    printed = "printed last:\n" + clean("\n".join(process["output"])) if process and process["output"] else ""
    return "\n\n".join(
        part for part in (head, table, codes, draining if old else "", clean(item["traceback"]), printed) if part
    )


@plugin.command()
@click.argument("plugin_id", metavar="ID", shell_complete=complete_plugins)
@remote
def reload(session: Session, plugin_id: str) -> None:
    """Start a plugin's process anew, from what lies in its folder now.

    Attempts that run end with the old one. What cannot be used leaves the old one in its place.
    """
    request = pb.ReloadPluginRequest(namespace=session.namespace, id=plugin_id)
    answer = session.call(session.client.plugins.ReloadPlugin, request)
    warn_of(answer.warnings)
    session.show(answer, _whole)


@plugin.command()
@click.argument("plugin_id", metavar="[ID]", default="", shell_complete=complete_plugins)
@click.option("--until-snapshot", is_flag=True, help="Stop behind what is there now.")
@reconnect_option()
@remote
def watch(session: Session, plugin_id: str, until_snapshot: bool, reconnect_s: float) -> None:
    """Print plugins as they are, and then each change, until interrupted. A restart of the daemon begins anew."""
    request = pb.WatchPluginsRequest(namespace=session.namespace, id=plugin_id)
    watch_plugins = session.client.plugins.WatchPlugins
    print_changes(
        session, watch_plugins, request, until_snapshot=until_snapshot, reconnect_s=reconnect_s, line=_change_line
    )


def _change_line(change: Any) -> str:
    item = change["plugin"]
    why = ": ".join(part for part in (item["reason"], item["message"]) if part)
    words = (f"{change['kind']:<8}", item["id"], item["version"], item["state"], _process(item["process"]), why)
    return "  ".join(word for word in words if word)


@plugin.command()
@click.argument("component", metavar="COMPONENT", shell_complete=complete_plugins)
@click.option("--kind", type=click.Choice(["action", "trigger"]), help="Where both have the name.")
@remote
def schema(session: Session, component: str, kind: str | None) -> None:
    """Show the options of an action or trigger, such as http.request."""
    request = pb.GetComponentSchemaRequest(namespace=session.namespace, id=component, kind=kind or "")
    session.show(session.call(session.client.plugins.GetComponentSchema, request), _options)


def _options(item: Any) -> str:
    from hostd.cli.printing import yaml_text

    component, declared = item["component"], item["schema"]
    head = fields((name, component[name]) for name in component if name != "codes") if component else ""
    options = declared.get("properties", {}) if isinstance(declared, dict) else {}
    required = declared.get("required", []) if isinstance(declared, dict) else []
    table = columns(
        ("OPTION", "TYPE", "REQUIRED", "DEFAULT", "DESCRIPTION"),
        [
            (name, _type(option), "yes" if name in required else "", option.get("default"), option.get("description"))
            for name, option in options.items()
            if isinstance(option, dict)
        ],
    )
    sample = f"with:\n{_indented(yaml_text(item['sample']))}" if item["sample"] else ""
    codes = columns(("CODE", "MEANING"), [(each["code"], each["meaning"]) for each in component["codes"]])
    return "\n\n".join(part for part in (head, table, codes, clean(sample)) if part)


def _type(option: dict[str, Any]) -> str:
    """Return the types an option takes, in words."""
    if isinstance(option.get("type"), str):
        return str(option["type"])
    kinds = option.get("type") or [_type(item) for item in option.get("anyOf", []) if isinstance(item, dict)]
    if option.get("enum"):
        kinds = [str(word) for word in option["enum"]]
    return "|".join(dict.fromkeys(kind for kind in kinds if kind)) or ("object" if "$ref" in option else "any")


def _indented(text: str) -> str:
    return "".join(f"  {line}\n" for line in text.splitlines()).rstrip("\n")
