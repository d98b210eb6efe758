"""Installing plugins, one change at a time: each version in a folder and an environment of its own, the newest good one
serving, the one before it kept. What fails while it is installed leaves everything as it was.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import NamedTuple

from hostd.aio import Clock, waited_to_its_end
from hostd.errors.base import HostdError, Kind
from hostd.host.folders.lua_plugins import LuaPlugins
from hostd.host.found import Choices, Found, PluginState, Source
from hostd.host.installed.offer import Offer, permission_fault
from hostd.host.installed.probe import probe
from hostd.host.installed.receiving import receive
from hostd.host.installed.serving import Serving, not_installed
from hostd.host.installed.shelf import Install, Shelf, Standing
from hostd.host.installed.versions import build, version_of
from hostd.host.process.launch import ProcessLimits
from hostd.host.process.processes import Processes
from hostd.model.installs import InstallOrder

FOLDER = "plugins-installed"
BUSY_S = 5.0
_log = logging.getLogger("hostd.host.installed")


class Done(NamedTuple):
    """What was installed, or would be. `replaced`: the version that served until now."""

    offer: Offer
    replaced: str
    digest: str


class Installed:
    """Changes which plugins are installed, and which versions of them count. `serving`: what they serve."""

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
            changed: called when what they serve is not what it was.
            taken: says whether a plugin of that id comes from elsewhere.
        """
        self._shelf = Shelf(root)
        self._choices = choices
        self._processes = processes
        self._clock = clock
        self._random = random
        self._limits = limits
        self._taken = taken
        self.serving = Serving(self._shelf, choices, processes, clock=clock, changed=changed)
        self._busy = ""

    # -- life

    async def start(self) -> None:
        """Begin to serve what is installed, and clear away what was left by installs that did not come to their end.

        Processes are started, and not waited for.
        """
        await asyncio.to_thread(self._shelf.sweep_all)
        await self.serving.start()

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
        with self._alone("another install"), _written(self._shelf.root):
            staging = await asyncio.to_thread(self._shelf.incoming)
            try:
                return await self._install(order, chunks, staging)
            finally:
                await asyncio.to_thread(self._shelf.drop, staging)

    async def _install(self, order: InstallOrder, chunks: AsyncIterator[bytes], staging: Path) -> Done:
        offer, digest = await receive(order, chunks, staging)
        self._check_may(offer)
        old = await self.serving.install_now(offer.id)
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
            await self._try(install, home, staging)
            standing = self.serving.standing(offer.id)
            await self._switch(offer.id, Standing(number, standing.serving if standing is not None else 0))
        finally:
            if (now := self.serving.standing(offer.id)) is None or now.serving != number:
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

    async def _try(self, install: Install, home: Path, staging: Path) -> None:
        """See whether a version can serve, out of sight. Raises HostdError PLUGIN_FAILED, MANIFEST_INVALID."""
        version = await asyncio.to_thread(version_of, install, home)
        if version.folder is not None:
            await LuaPlugins(self._clock).read(version.folder)
            return
        settings = self._choices.settings
        await probe(
            version.found,
            clock=self._clock,
            random=self._random,
            limits=self._limits,
            settings=settings,
            within=staging,
        )

    async def _switch(self, plugin: str, standing: Standing) -> None:
        """Let other versions count. Brought to its end, whoever asked. Raises HostdError PLUGIN_FAILED."""
        await waited_to_its_end(self._switched(plugin, standing), name=f"switch of {plugin}")

    async def _switched(self, plugin: str, standing: Standing) -> None:
        before = self.serving.standing(plugin)
        await asyncio.to_thread(self._shelf.propose, plugin, standing)
        try:
            await self._begin(plugin, standing)
            await asyncio.to_thread(self._shelf.stand, plugin)
        except (OSError, HostdError):
            await asyncio.to_thread(self._shelf.withdraw, plugin)
            if before is None:
                await self.serving.forget(plugin)
            else:
                await self.serving.stand(plugin, before)
            raise
        used = await asyncio.to_thread(self._in_use, plugin)
        await asyncio.to_thread(self._shelf.sweep, plugin, standing, used=used)

    async def _begin(self, plugin: str, standing: Standing) -> None:
        """Let other versions serve. Raises HostdError PLUGIN_FAILED where they do not."""
        first = self.serving.standing(plugin) is None
        report = await self.serving.stand(plugin, standing)
        good = (PluginState.LOADED, PluginState.DISABLED)
        if report.state not in good and not (first and report.state is PluginState.STARTING):
            message = f"it did not begin to serve: {report.reason} {report.message}"
            raise HostdError(Kind.INVALID, "PLUGIN_FAILED", message)

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
        with self._alone("another change of installed plugins"), _written(self._shelf.root):
            self._standing(plugin)
            old = await self.serving.install_now(plugin)
            await waited_to_its_end(self.serving.forget(plugin), name=f"uninstall of {plugin}")
        _log.info("plugin_uninstalled plugin=%s", plugin)
        return old.version if old is not None else ""

    async def rollback(self, plugin: str) -> None:
        """Let the version serve that was there before; a second rollback returns to the newer one.

        Raises:
            HostdError: INSTALL_BUSY, PLUGIN_NOT_INSTALLED, NO_OLDER_VERSION, PLUGIN_FAILED, INSTALL_FAILED.
        """
        with self._alone("another change of installed plugins"), _written(self._shelf.root):
            standing = self._standing(plugin)
            older = await asyncio.to_thread(self._shelf.install_of, plugin, standing.older)
            if older is None:
                raise HostdError(Kind.STATE, "NO_OLDER_VERSION", f"only one version of {plugin} was installed")
            staging = await asyncio.to_thread(self._shelf.incoming)
            try:
                await self._try(older, self._shelf.home(plugin, standing.older), staging)
            finally:
                await asyncio.to_thread(self._shelf.drop, staging)
            await self._switch(plugin, Standing(standing.older, standing.serving))
        _log.info("plugin_rolled_back plugin=%s version=%s", plugin, older.version)

    def _standing(self, plugin: str) -> Standing:
        standing = self.serving.standing(plugin)
        if standing is None:
            raise not_installed(plugin)
        return standing

    async def disable(self, disabled: set[str]) -> None:
        """Write which plugins do not serve. Raises HostdError INSTALL_FAILED."""
        with _written(self._shelf.root):
            await asyncio.to_thread(self._shelf.keep_disabled, disabled)


@contextmanager
def _written(root: Path) -> Iterator[None]:
    """What cannot be written is told with where, and why. Raises HostdError INSTALL_FAILED."""
    try:
        yield
    except OSError as error:
        where = error.filename or root  # a disk that is full says no file
        message = f"{where}: {error.strerror or error}; make room, or let hostd write there, and try again"
        raise HostdError(Kind.STATE, "INSTALL_FAILED", message) from None
