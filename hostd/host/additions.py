"""Adding a plugin to what is loaded already: how functions of an embedding program come and are defined anew."""

from __future__ import annotations

import msgspec

from hostd.errors.base import HostdError, Kind, invalid
from hostd.host.found import PluginReport, PluginState
from hostd.host.registry import ActionEntry, HostRegistry, TriggerEntry


def with_more(inside: HostRegistry, added: HostRegistry) -> tuple[HostRegistry, list[ActionEntry]]:
    """Return what is loaded with one plugin more, and the actions that are replaced by it.

    A component that the same plugin had before is replaced; one of another plugin stays, and is a fault.

    Args:
        added: a registry of that plugin alone.

    Raises:
        HostdError: PLUGIN_FAILED, or the reason why the plugin did not load.
    """
    (report,) = added.plugins
    if report.state is not PluginState.LOADED:
        raise HostdError(Kind.INVALID, report.reason, f"{report.id}: {report.message}")
    known: list[ActionEntry | TriggerEntry | None] = [
        *(inside.action(action) for action in added.action_ids()),
        *(inside.trigger(trigger) for trigger in added.trigger_ids()),
    ]
    taken = [entry for entry in known if entry is not None]
    for entry in taken:
        if entry.plugin != report.id:
            raise invalid("PLUGIN_FAILED", f"{entry.id} is provided by {entry.origin} already; choose another id")
    registry = HostRegistry(
        actions={**inside.actions, **added.actions},
        triggers={**inside.triggers, **added.triggers},
        secrets=(*inside.secrets, *added.secrets),
        plugins=[*(one for one in inside.plugins if one.id != report.id), _merged(inside, report)],
    )
    return registry, [entry for entry in taken if isinstance(entry, ActionEntry)]


def _merged(inside: HostRegistry, report: PluginReport) -> PluginReport:
    before = next((one.components for one in inside.plugins if one.id == report.id), ())
    components = tuple(dict.fromkeys((*before, *report.components)))
    return msgspec.structs.replace(report, components=components)
