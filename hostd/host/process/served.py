"""What the processes serve: entries for the registry, and what is to be told of each plugin."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from hostd.errors.base import HostdError
from hostd.host.found import Found, PluginReport, PluginState
from hostd.host.process.entries import RemoteActionEntry, RemoteTriggerEntry, settings_of
from hostd.host.process.plugin_process import PluginProcess
from hostd.host.process.states import ProcessState
from hostd.plugin.v1 import host_pb2 as pb

_SHOWN = {
    ProcessState.STARTING: PluginState.STARTING,
    ProcessState.BACKING_OFF: PluginState.STARTING,
    ProcessState.QUARANTINED: PluginState.QUARANTINED,
    ProcessState.BROKEN: PluginState.FAILED,
}


class Entries(NamedTuple):
    """What a process serves. `said`: which process, and its components as it named them."""

    said: tuple[PluginProcess, tuple[pb.Component, ...]]
    actions: list[RemoteActionEntry]
    triggers: list[RemoteTriggerEntry]


class Served:
    """By plugin. `settings` are the operator's; `settings_used` the keys that some component takes."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self.settings_used: set[str] = set()
        self.entries: dict[str, Entries] = {}
        self.faults: dict[str, HostdError] = {}
        self.notes: dict[str, str] = {}  # what is to be known of a plugin that serves
        self._settings = settings

    def refresh(self, process: PluginProcess) -> None:
        """Make entries of what a process says it serves, where that is new."""
        plugin_id = process.plugin
        known = self.entries.get(plugin_id)
        said = (process, process.components)
        if not process.components or (known is not None and known.said == said):
            return
        self.faults.pop(plugin_id, None)
        try:
            for component in process.components:
                text, key = settings_of(self._settings, component, plugin_id)
                self.settings_used.add(key)
                process.provisioning.settings[component.id] = text
            actions = [RemoteActionEntry(one, process) for one in process.components if one.kind == "action"]
            triggers = [RemoteTriggerEntry(one, process) for one in process.components if one.kind == "trigger"]
        except HostdError as error:
            self.faults[plugin_id] = error
            self.entries.pop(plugin_id, None)
            return
        self.entries[plugin_id] = Entries(said, actions, triggers)

    def forget(self, plugin_id: str) -> None:
        """A plugin is gone."""
        for known in (self.entries, self.faults, self.notes):
            known.pop(plugin_id, None)

    def by_plugin(self) -> Iterable[tuple[str, list[RemoteActionEntry], list[RemoteTriggerEntry]]]:
        """Return what each plugin serves, by plugin."""
        return [(plugin_id, entries.actions, entries.triggers) for plugin_id, entries in self.entries.items()]

    def report(self, process: PluginProcess, found: Found) -> PluginReport:
        """Return what became of a plugin."""
        fault = self.faults.get(found.id)
        state = _SHOWN.get(process.state, PluginState.LOADED if process.components else PluginState.STARTING)
        if state is PluginState.STARTING and process.components:
            state = PluginState.LOADED  # it is started again; what it serves is known
        starts_again = process.last_crash if state is PluginState.STARTING else ""
        reason, message = "", process.message or self.notes.get(found.id, "") or starts_again
        if state in (PluginState.FAILED, PluginState.QUARANTINED):
            reason = "PLUGIN_FAILED" if state is PluginState.FAILED else "PLUGIN_UNAVAILABLE"
        if fault is not None:
            state, reason, message = PluginState.FAILED, fault.reason, fault.message
        return PluginReport(
            found.id,
            found.version,
            found.source,
            found.origin,
            state,
            process.api,
            components=tuple(f"{one.kind} {one.id}" for one in process.components),
            reason=reason,
            message=message.removeprefix("PLUGIN_FAILED: "),
            traceback=process.traceback,
            isolation="process",
            permissions=tuple(sorted(process.launch.permissions)),
        )
