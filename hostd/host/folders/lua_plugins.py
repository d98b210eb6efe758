"""Plugins in Lua, as the daemon serves them: it knows their actions by itself, and no process reports them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import msgspec

from hostd.aio import Clock
from hostd.errors.base import HostdError
from hostd.host.contexts import ProvisionScope
from hostd.host.folders.lua_actions import lua_entries
from hostd.host.folders.scan import PluginFolder
from hostd.host.found import Found, PluginReport, PluginState, left_out, report_of
from hostd.host.registry import ActionEntry, TriggerEntry


class LuaPlugins:
    """The actions of each, by plugin; and which of them are left out, for another plugin has one of its components."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._actions: dict[str, list[ActionEntry]] = {}
        self._faults: dict[str, HostdError | None] = {}

    async def read(self, folder: PluginFolder) -> list[ActionEntry]:
        """Return a plugin's actions, and serve nothing yet. Raises HostdError PLUGIN_FAILED."""
        scope = ProvisionScope(folder.id, folder.id, self._clock, None)
        return await asyncio.to_thread(lua_entries, folder, scope)

    def serve(self, found: Found, actions: list[ActionEntry]) -> PluginReport:
        """Put actions in the place of those the plugin had; return what became of it."""
        self._actions[found.id] = actions
        components = tuple(f"action {action.id}" for action in actions)
        report = report_of(found, PluginState.LOADED)
        return msgspec.structs.replace(report, components=components, isolation="lua")

    def let_go(self, plugin_id: str) -> None:
        """Serve a plugin no more, if it was."""
        self._actions.pop(plugin_id, None)

    def entries(self) -> Iterable[tuple[str, list[ActionEntry], list[TriggerEntry]]]:
        """Return what each serves, by plugin."""
        return [(plugin_id, actions, []) for plugin_id, actions in self._actions.items()]

    def left_out(self, plugin_id: str, fault: HostdError | None) -> None:
        """Another plugin has one of its components; None: none has."""
        self._faults[plugin_id] = fault

    def as_composed(self, report: PluginReport) -> PluginReport:
        """Return what is to be told of a plugin, in Lua or not, now that it is known which are left out."""
        fault = self._faults.get(report.id) if report.id in self._actions else None
        return left_out(report, fault) if fault is not None else report
