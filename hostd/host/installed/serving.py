"""What installed plugins serve: of each the version that stands, in a process or, where it is in Lua, by the daemon."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable

from hostd.aio import Clock
from hostd.errors.base import HostdError, Kind
from hostd.host.folders.lua_plugins import LuaPlugins
from hostd.host.found import Choices, Found, PluginReport, PluginState, Source, not_started, report_of
from hostd.host.installed.shelf import Install, Shelf, Standing
from hostd.host.installed.versions import Version, version_of
from hostd.host.process.processes import Processes
from hostd.host.registry import ActionEntry, TriggerEntry

_log = logging.getLogger("hostd.host.installed")
Start = Callable[[Found], Awaitable[PluginReport]]  # of a plugin's process


class Serving:
    """Owns what the installed plugins serve. `changed` is called when that is not what it was."""

    def __init__(
        self, shelf: Shelf, choices: Choices, processes: Processes, *, clock: Clock, changed: Callable[[], None]
    ) -> None:
        self._shelf = shelf
        self._choices = choices
        self._processes = processes
        self._changed = changed
        self._standings: dict[str, Standing] = {}
        self._reports: dict[str, PluginReport] = {}  # of those that no process serves
        self._lua = LuaPlugins(clock)
        self._older: dict[str, str] = {}  # version that a rollback would bring
        self._turns: dict[str, asyncio.Lock] = {}  # one thing at a time is done to what a plugin serves

    # -- which versions

    @property
    def ids(self) -> frozenset[str]:
        """The plugins that are installed."""
        return frozenset(self._standings)

    def standing(self, plugin: str) -> Standing | None:
        """Return which versions of a plugin count, None for one that is not installed."""
        return self._standings.get(plugin)

    async def install_now(self, plugin: str) -> Install | None:
        """Return the version of a plugin that counts; None where there is none, or it cannot be read."""
        standing = self._standings.get(plugin)
        if standing is None:
            return None
        return await asyncio.to_thread(self._shelf.install_of, plugin, standing.serving)

    def rollback_version(self, plugin: str) -> str:
        """Return the version that a rollback would bring; empty for none."""
        return self._older.get(plugin, "")

    # -- serving them

    async def start(self) -> None:
        """Begin to serve what is installed. Processes are started, and not waited for."""
        self._standings = await asyncio.to_thread(self._shelf.standings)
        await asyncio.gather(*(self._refresh(plugin, self._processes.bring) for plugin in list(self._standings)))

    async def stand(self, plugin: str, standing: Standing) -> PluginReport:
        """Serve another version of a plugin from here on; return what became of it."""
        self._standings[plugin] = standing
        return await self.refresh(plugin)

    async def refresh(self, plugin: str) -> PluginReport:
        """Serve a plugin's version as it stands now, or keep it out as the operator says; return what became of it.

        Raises:
            HostdError: PLUGIN_NOT_INSTALLED where it was uninstalled meanwhile.
        """
        return await self._refresh(plugin, self._processes.add)

    async def _refresh(self, plugin: str, start: Start) -> PluginReport:
        async with self._turns.setdefault(plugin, asyncio.Lock()):
            if plugin not in self._standings:
                raise not_installed(plugin)
            report = await self._refreshed(plugin, start)
        self._changed()
        return self._lua.as_composed(report)

    async def _refreshed(self, plugin: str, start: Start) -> PluginReport:
        standing = self._standings[plugin]
        found = Found(plugin, "", Source.INSTALLED, str(self._shelf.home(plugin, standing.serving)), lambda: None)
        try:
            version = await asyncio.to_thread(self._version, plugin, standing)
            found = version.found
            self._reports.pop(plugin, None)
            return await self._serve(version, start)
        except (OSError, HostdError) as error:  # a process needs a pipe; the others are served
            why = not_started(error)
            _log.warning("installed_plugin_broken plugin=%s reason=%s message=%s", plugin, why.reason, why.message)
            report = self._reports[plugin] = report_of(found, PluginState.FAILED, why.reason, why.message)
            return report

    def _version(self, plugin: str, standing: Standing) -> Version:
        older = self._shelf.install_of(plugin, standing.older) if standing.older else None
        self._older[plugin] = older.version if older is not None else ""
        install = self._shelf.install_of(plugin, standing.serving)
        if install is None:
            message = "its files are damaged; install it again, or `hostd plugin uninstall` it"
            raise HostdError(Kind.INVALID, "PLUGIN_FAILED", message)
        return version_of(install, self._shelf.home(plugin, standing.serving))

    async def _serve(self, version: Version, start: Start) -> PluginReport:
        found = version.found
        refusal = self._choices.refusal(found)
        if refusal is not None and refusal[0] is not PluginState.NEEDS_PROCESS:
            await self._let_go(found.id)
            report = self._reports[found.id] = report_of(found, *refusal)
            return report
        if version.folder is None:
            self._lua.let_go(found.id)
            return await start(found)
        actions = await self._lua.read(version.folder)
        await self._let_go(found.id)
        report = self._reports[found.id] = self._lua.serve(found, actions)
        return report

    async def forget(self, plugin: str) -> None:
        """End a plugin and remove its versions. Raises OSError where its folder cannot be changed: it stays."""
        async with self._turns.setdefault(plugin, asyncio.Lock()):
            await asyncio.to_thread(self._shelf.forget, plugin)
            self._standings.pop(plugin, None)
            self._reports.pop(plugin, None)
            self._older.pop(plugin, None)
            await self._let_go(plugin)
            await asyncio.to_thread(self._shelf.remove, plugin)
        self._changed()

    async def _let_go(self, plugin: str) -> None:
        self._lua.let_go(plugin)
        if plugin in self._processes.known:
            await self._processes.remove(plugin)

    # -- what they serve, beside the processes (composing.Guests)

    def entries(self) -> Iterable[tuple[str, list[ActionEntry], list[TriggerEntry]]]:
        """Return what each plugin in Lua serves, by plugin."""
        return self._lua.entries()

    def reports(self) -> list[PluginReport]:
        """Return what became of each that no process serves."""
        return [self._lua.as_composed(report) for report in self._reports.values()]

    def left_out(self, plugin_id: str, fault: HostdError | None) -> None:
        """Another plugin has one of its components; None: none has."""
        self._lua.left_out(plugin_id, fault)


def not_installed(plugin: str) -> HostdError:
    """Return the error for a plugin that comes from elsewhere, or from nowhere."""
    message = f"{plugin} was not installed by `hostd plugin install`"
    return HostdError(Kind.STATE, "PLUGIN_NOT_INSTALLED", message, details={"plugin": plugin})
