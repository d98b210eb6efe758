"""Plugins that `hostd plugin install` brought: each version in a folder and an environment of its own, the newest good
one serving, the one before it kept. What fails while it is installed leaves everything as it was.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import NamedTuple

import msgspec

from hostd.aio import Clock, spawn
from hostd.errors.base import HostdError, Kind
from hostd.host.contexts import ProvisionScope
from hostd.host.folders.lua_actions import lua_entries
from hostd.host.found import Choices, Found, PluginReport, PluginState, Source, left_out
from hostd.host.installed.offer import Offer, permission_fault
from hostd.host.installed.probe import probe
from hostd.host.installed.receiving import receive
from hostd.host.installed.shelf import Install, Shelf, Standing
from hostd.host.installed.versions import Version, build, version_of
from hostd.host.process.launch import ProcessLimits
from hostd.host.process.processes import Processes
from hostd.host.registry import ActionEntry, TriggerEntry
from hostd.model.installs import InstallOrder

FOLDER = "plugins-installed"
BUSY_S = 5.0
_log = logging.getLogger("hostd.host.installed")
Start = Callable[[Found], Awaitable[PluginReport]]  # of a plugin's process


class Done(NamedTuple):
    """What was installed, or would be. `replaced`: the version that served until now."""

    offer: Offer
    replaced: str
    digest: str


class Installed:
    """Owns the installed plugins. `changed` is called when what they provide is not what it was."""

    def __init__(
        self,
        root: Path,
        choices: Choices,
        processes: Processes,
        *,
        clock: Clock,
        random: Random,
        limits: ProcessLimits,
        changed: Callable[[], None],
        taken: Callable[[str], bool],
    ) -> None:
        """Look at nothing yet.

        Args:
            taken: says whether a plugin of that id comes from elsewhere.
        """
        self._shelf = Shelf(root)
        self._choices = choices
        self._processes = processes
        self._clock = clock
        self._random = random
        self._limits = limits
        self._changed = changed
        self._taken = taken
        self._standings: dict[str, Standing] = {}
        self._reports: dict[str, PluginReport] = {}  # of those that no process serves
        self._lua: dict[str, list[ActionEntry]] = {}
        self._faults: dict[str, HostdError | None] = {}  # why a plugin in Lua is left out
        self._older: dict[str, str] = {}  # version that a rollback would bring
        self._busy = ""
        self._turns: dict[str, asyncio.Lock] = {}  # one thing at a time is done to what a plugin serves

    # -- life

    async def start(self) -> None:
        """Begin to serve what is installed, and clear away what was left by installs that did not come to their end.

        Processes are started, and not waited for.
        """
        await asyncio.to_thread(self._shelf.sweep_all)
        self._standings = await asyncio.to_thread(self._shelf.standings)
        await asyncio.gather(*(self._refresh(plugin, self._processes.bring) for plugin in list(self._standings)))

    @property
    def ids(self) -> frozenset[str]:
        """The plugins that are installed."""
        return frozenset(self._standings)

    @contextmanager
    def _alone(self, what: str) -> Iterator[None]:
        """One change at a time. Raises HostdError INSTALL_BUSY."""
        if self._busy:
            message = f"{self._busy} is going on; one at a time"
            raise HostdError(Kind.UNAVAILABLE, "INSTALL_BUSY", message, retry_after_s=BUSY_S)
        self._busy = what
        try:
            yield
        finally:
            self._busy = ""

    # -- installing

    async def install(self, order: InstallOrder, chunks: AsyncIterator[bytes]) -> Done:
        """Install a plugin, or only say what it would be. Whoever asked may go away until it begins to serve.

        Raises:
            HostdError: INSTALL_BUSY, PACKAGE_INVALID, MANIFEST_INVALID, PLUGIN_ID_TAKEN, PLUGIN_DENIED,
                PERMISSIONS_NOT_ACCEPTED, INSTALL_FAILED, PLUGIN_FAILED, WAIT_EXPIRED.
        """
        with self._alone("another install"), _written():
            staging = await asyncio.to_thread(self._shelf.incoming)
            try:
                return await self._install(order, chunks, staging)
            finally:
                await asyncio.to_thread(self._shelf.drop, staging)

    async def _install(self, order: InstallOrder, chunks: AsyncIterator[bytes], staging: Path) -> Done:
        offer, digest = await receive(order, chunks, staging)
        self._check_may(offer)
        old = await self._serving(offer.id)
        done = Done(offer, old.version if old is not None else "", digest)
        if order.examine_only:
            return done
        fault = permission_fault(offer, order.permissions, everything=order.all_permissions)
        if fault is not None:
            raise fault
        _log.info("plugin_install_begins plugin=%s version=%s digest=%s", offer.id, offer.version, digest)
        number, home = await asyncio.to_thread(self._shelf.next_home, offer.id)
        try:
            install = await build(offer, digest, home, staging)
            await asyncio.to_thread(self._shelf.describe, home, install)
            await self._try(install, home)
            standing = self._standings.get(offer.id)
            await self._switch(offer.id, Standing(number, standing.serving if standing is not None else 0))
        finally:
            if (now := self._standings.get(offer.id)) is None or now.serving != number:
                await asyncio.to_thread(self._shelf.drop, home)
        _log.info("plugin_installed plugin=%s version=%s", offer.id, install.version)
        return done._replace(offer=offer._replace(version=install.version))

    def _check_may(self, offer: Offer) -> None:
        if self._taken(offer.id):
            message = f"the plugin {offer.id} is there already, and was not installed by `hostd plugin install`"
            raise HostdError(Kind.EXISTS, "PLUGIN_ID_TAKEN", message, details={"plugin": offer.id})
        found = Found(offer.id, offer.version, Source.INSTALLED, "", lambda: None)
        refusal = self._choices.refusal(found)
        if refusal is not None and refusal[0] is PluginState.DENIED:
            raise HostdError(Kind.DENIED, refusal[1], f"plugin {offer.id}: {refusal[2]}")

    async def _serving(self, plugin: str) -> Install | None:
        standing = self._standings.get(plugin)
        if standing is None:
            return None
        return await asyncio.to_thread(self._shelf.install_of, plugin, standing.serving)

    async def _try(self, install: Install, home: Path) -> None:
        """See whether a version can serve, out of sight. Raises HostdError PLUGIN_FAILED, MANIFEST_INVALID."""
        version = await asyncio.to_thread(version_of, install, home)
        if version.folder is not None:
            await asyncio.to_thread(lua_entries, version.folder, self._scope(install.id))
            return
        settings = self._choices.settings
        await probe(version.found, clock=self._clock, random=self._random, limits=self._limits, settings=settings)

    def _scope(self, plugin: str) -> ProvisionScope:
        return ProvisionScope(plugin, plugin, self._clock, None)

    async def _switch(self, plugin: str, standing: Standing) -> None:
        """Let other versions count. Brought to its end, whoever asked. Raises HostdError PLUGIN_FAILED."""
        switching = spawn(self._switched(plugin, standing), name=f"switch of {plugin}")
        try:
            await asyncio.shield(switching)
        except asyncio.CancelledError:
            await asyncio.wait([switching])
            raise

    async def _switched(self, plugin: str, standing: Standing) -> None:
        before = self._standings.get(plugin)
        await asyncio.to_thread(self._shelf.stand, plugin, standing)
        self._standings[plugin] = standing
        report = await self.refresh(plugin)
        good = (PluginState.LOADED, PluginState.DISABLED)
        if report.state in good or (before is None and report.state is PluginState.STARTING):
            used = await asyncio.to_thread(self._in_use, plugin)
            await asyncio.to_thread(self._shelf.sweep, plugin, standing, used=used)
            return
        if before is None:
            await self._forget(plugin)
        else:
            self._standings[plugin] = before
            await self.refresh(plugin)
            await asyncio.to_thread(self._shelf.stand, plugin, before)
        raise HostdError(Kind.INVALID, "PLUGIN_FAILED", f"it did not begin to serve: {report.reason} {report.message}")

    def _in_use(self, plugin: str) -> frozenset[str]:
        """Return the folders of versions whose processes live; what one imports late has to be there still."""
        words = {word for command in self._processes.commands(plugin) for word in command}
        return frozenset(str(folder) for word in words for folder in Path(word).parents)

    # -- other changes

    async def uninstall(self, plugin: str) -> str:
        """End a plugin and remove its versions; return the one that served.

        Raises:
            HostdError: INSTALL_BUSY, PLUGIN_NOT_INSTALLED; INSTALL_FAILED where its folder cannot be changed: it stays.
        """
        with self._alone("another change of installed plugins"), _written():
            self._standing(plugin)
            old = await self._serving(plugin)
            await asyncio.shield(spawn(self._forget(plugin), name=f"uninstall of {plugin}"))
        _log.info("plugin_uninstalled plugin=%s", plugin)
        return old.version if old is not None else ""

    async def _forget(self, plugin: str) -> None:
        async with self._turns.setdefault(plugin, asyncio.Lock()):
            await asyncio.to_thread(self._shelf.forget, plugin)
            self._standings.pop(plugin, None)
            self._reports.pop(plugin, None)
            self._older.pop(plugin, None)
            await self._let_go(plugin)
            await asyncio.to_thread(self._shelf.remove, plugin)
        self._changed()

    async def rollback(self, plugin: str) -> None:
        """Let the version serve that was there before; a second rollback returns to the newer one.

        Raises:
            HostdError: INSTALL_BUSY, PLUGIN_NOT_INSTALLED, NO_OLDER_VERSION, PLUGIN_FAILED, INSTALL_FAILED.
        """
        with self._alone("another change of installed plugins"), _written():
            standing = self._standing(plugin)
            older = await asyncio.to_thread(self._shelf.install_of, plugin, standing.older)
            if older is None:
                raise HostdError(Kind.STATE, "NO_OLDER_VERSION", f"only one version of {plugin} was installed")
            await self._try(older, self._shelf.home(plugin, standing.older))
            await self._switch(plugin, Standing(standing.older, standing.serving))
        _log.info("plugin_rolled_back plugin=%s version=%s", plugin, older.version)

    def _standing(self, plugin: str) -> Standing:
        standing = self._standings.get(plugin)
        if standing is None:
            message = f"{plugin} was not installed by `hostd plugin install`"
            raise HostdError(Kind.STATE, "PLUGIN_NOT_INSTALLED", message, details={"plugin": plugin})
        return standing

    async def disable(self, disabled: set[str]) -> None:
        """Write which plugins do not serve. Raises HostdError INSTALL_FAILED."""
        with _written():
            await asyncio.to_thread(self._shelf.keep_disabled, disabled)

    def disabled(self) -> set[str]:
        """Return which plugins do not serve, as it was written. Blocks."""
        return self._shelf.disabled()

    # -- serving

    async def refresh(self, plugin: str) -> PluginReport:
        """Serve a plugin's version as it stands now, or keep it out as the operator says; return what became of it.

        Raises:
            HostdError: PLUGIN_NOT_INSTALLED where it was uninstalled meanwhile.
        """
        return await self._refresh(plugin, self._processes.add)

    async def _refresh(self, plugin: str, start: Start) -> PluginReport:
        async with self._turns.setdefault(plugin, asyncio.Lock()):
            self._standing(plugin)
            report = await self._refreshed(plugin, start)
        self._changed()
        return self._as_composed(report)

    async def _refreshed(self, plugin: str, start: Start) -> PluginReport:
        standing = self._standings[plugin]
        found = Found(plugin, "", Source.INSTALLED, str(self._shelf.home(plugin, standing.serving)), lambda: None)
        try:
            version = await asyncio.to_thread(self._version, plugin, standing)
            found = version.found
            self._reports.pop(plugin, None)
            return await self._serve(version, start)
        except (OSError, HostdError) as error:  # a process needs a pipe; the others are served
            reason = error.reason if isinstance(error, HostdError) else "PLUGIN_FAILED"
            message = error.message if isinstance(error, HostdError) else f"it cannot be started: {error}"
            _log.warning("installed_plugin_broken plugin=%s reason=%s message=%s", plugin, reason, message)
            report = self._reports[plugin] = _report(found, PluginState.FAILED, reason, message)
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
            report = self._reports[found.id] = _report(found, *refusal)
            return report
        if version.folder is None:
            self._lua.pop(found.id, None)
            return await start(found)
        entries = await asyncio.to_thread(lua_entries, version.folder, self._scope(found.id))
        await self._let_go(found.id)
        self._lua[found.id] = entries
        components = tuple(f"action {entry.id}" for entry in entries)
        report = msgspec.structs.replace(_report(found, PluginState.LOADED), components=components, isolation="lua")
        self._reports[found.id] = report
        return report

    async def _let_go(self, plugin: str) -> None:
        self._lua.pop(plugin, None)
        if plugin in self._processes.known:
            await self._processes.remove(plugin)

    # -- what they serve, beside the processes

    def rollback_version(self, plugin: str) -> str:
        """Return the version that a rollback would bring; empty for none."""
        return self._older.get(plugin, "")

    def entries(self) -> Iterable[tuple[str, list[ActionEntry], list[TriggerEntry]]]:
        """Return what each plugin in Lua serves, by plugin."""
        return [(plugin, entries, []) for plugin, entries in self._lua.items()]

    def reports(self) -> list[PluginReport]:
        """Return what became of each that no process serves."""
        return [self._as_composed(report) for report in self._reports.values()]

    def left_out(self, plugin: str, fault: HostdError | None) -> None:
        """Another plugin has one of its components; None: none has."""
        self._faults[plugin] = fault

    def _as_composed(self, report: PluginReport) -> PluginReport:
        fault = self._faults.get(report.id) if report.id in self._lua else None
        return left_out(report, fault) if fault is not None else report


@contextmanager
def _written() -> Iterator[None]:
    """What cannot be written is told with where, and why. Raises HostdError INSTALL_FAILED."""
    try:
        yield
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        message = f"{where}{error.strerror or error}; make room, or let hostd write there, and try again"
        raise HostdError(Kind.STATE, "INSTALL_FAILED", message) from None


def _report(found: Found, state: PluginState, reason: str = "", message: str = "") -> PluginReport:
    return PluginReport(
        found.id, found.version, found.source, found.origin, state, reason=reason, message=message, isolation=""
    )
