"""One registry of what is loaded inside the daemon and what guests serve; and what is told of plugins that are not."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NoReturn, Protocol

import msgspec

from hostd.errors.base import HostdError, invalid
from hostd.host.found import Found, PluginReport, PluginState, Source
from hostd.host.loader import Refused
from hostd.host.registry import ActionEntry, HostRegistry, TriggerEntry

_log = logging.getLogger("hostd.host")


class Guests(Protocol):
    """Plugins that come and go while the daemon runs."""

    def entries(self) -> Iterable[tuple[str, Sequence[ActionEntry], Sequence[TriggerEntry]]]:
        """Return what each plugin serves, by plugin."""
        ...

    def reports(self) -> Sequence[PluginReport]:
        """Return what became of each."""
        ...

    def left_out(self, plugin_id: str, fault: HostdError | None) -> None:
        """Another plugin has one of its components already; None: none has."""
        ...


def composed(inside: HostRegistry, guests: Sequence[Guests]) -> HostRegistry:
    """Return one registry of all. What runs inside keeps its ids; of two guests the first keeps an id."""
    actions: dict[str, ActionEntry] = dict(inside.actions)
    triggers: dict[str, TriggerEntry] = dict(inside.triggers)
    for room in guests:
        for plugin_id, their_actions, their_triggers in room.entries():
            owners = [
                *(actions.get(one.id) for one in their_actions),
                *(triggers.get(one.id) for one in their_triggers),
            ]
            owner = next((entry for entry in owners if entry is not None), None)
            if owner is not None:
                message = f"{owner.id} is provided by plugin {owner.plugin} already; take one of the two away"
                room.left_out(plugin_id, invalid("PLUGIN_FAILED", message))
                continue
            room.left_out(plugin_id, None)
            actions.update((one.id, one) for one in their_actions)
            triggers.update((one.id, one) for one in their_triggers)
    theirs = [report for room in guests for report in room.reports()]
    named = {report.id for report in theirs}
    ours = [one for one in inside.plugins if one.state is not PluginState.NEEDS_PROCESS or one.id not in named]
    return HostRegistry(actions=actions, triggers=triggers, secrets=inside.secrets, plugins=[*ours, *theirs])


def told_again(inside: HostRegistry, plugin_id: str, refusal: tuple[PluginState, str, str]) -> HostRegistry:
    """Return a registry that says something else of a plugin that does not run inside."""
    state, reason, message = refusal
    plugins = [
        msgspec.structs.replace(one, state=state, reason=reason, message=message) if one.id == plugin_id else one
        for one in inside.plugins
    ]
    return HostRegistry(actions=inside.actions, triggers=inside.triggers, secrets=inside.secrets, plugins=plugins)


def without(inside: HostRegistry, failed: PluginReport) -> HostRegistry:
    """Return a registry without the components of a plugin that turned out to be broken."""
    return HostRegistry(
        actions={one: entry for one, entry in inside.actions.items() if entry.plugin != failed.id},
        triggers={one: entry for one, entry in inside.triggers.items() if entry.plugin != failed.id},
        secrets=inside.secrets,
        plugins=[failed if one.id == failed.id else one for one in inside.plugins],
    )


def disabled_in(installed_dir: Path) -> set[str]:
    """Return the plugins that were disabled, as they are written down. Blocks."""
    from hostd.host.installed.shelf import Shelf

    return Shelf(installed_dir).disabled()


def code_homes(inside: HostRegistry) -> dict[str, str]:
    """Return the plugin by the folder its components lie in, as source paths begin; inner folders first."""
    homes: dict[str, str] = {}
    for entry in (*inside.actions.values(), *inside.triggers.values()):
        if not entry.filled:
            continue  # not imported: none of its code runs, and to ask would import it
        module = sys.modules.get(entry.module)
        file = getattr(module, "__file__", None)
        if file:
            homes[file.replace("\\", "/").rpartition("/")[0] + "/"] = entry.plugin
    return dict(sorted(homes.items(), key=lambda home: -len(home[0])))


def not_there(plugin_id: str) -> Found:
    """Return what stands for a plugin that the operator trusts, and that nobody installed."""

    def load() -> NoReturn:
        message = (
            f"plugins.inline or plugins.thread names {plugin_id}, but no package installed beside hostd provides it"
        )
        raise Refused("PLUGIN_MISSING", message)

    return Found(plugin_id, "", Source.PACKAGE, "", load)


def tell(report: PluginReport) -> None:
    """Log what is not loaded; `hostd plugin list` says it too."""
    if report.state is PluginState.FAILED:
        _log.warning("plugin_failed plugin=%s reason=%s message=%s", report.id, report.reason, report.message)
