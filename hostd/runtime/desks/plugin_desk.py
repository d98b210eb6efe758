"""Installing plugins and switching them, as the doors ask for it: allowed or not, done by the host, then written down.

Folder and journal are two stores: the folder is changed first, then who did it. A kill between the two leaves a plugin
that was installed without its row in the audit; the daemon's log has it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING

from hostd.errors.base import HostdError, Kind
from hostd.host.host import PluginHost
from hostd.model.installs import InstallOrder, InstallView
from hostd.model.views import PluginView
from hostd.runtime.desks.plugin_shelf import PluginShelf
from hostd.runtime.ring.audit import audited
from hostd.runtime.ring.engine_loop import EngineLoop

if TYPE_CHECKING:
    from hostd.host.installed.installed import Done, Installed

INSTALL, UNINSTALL, ENABLE, DISABLE, ROLLBACK = (
    f"plugin.{verb}" for verb in ("install", "uninstall", "enable", "disable", "rollback")
)

RAN_CODE = frozenset({"INSTALL_FAILED", "PLUGIN_FAILED"})  # refused before, nothing of it was run


class PluginDesk:
    """What may be done to plugins while the daemon runs."""

    def __init__(
        self, *, host: PluginHost, shelf: PluginShelf, loop: EngineLoop, may_install: Callable[[], str]
    ) -> None:
        """Change nothing yet.

        Args:
            may_install: `plugins.install` of the configuration.
        """
        self._host = host
        self._loop = loop
        self._may_install = may_install
        self._shelf = shelf

    async def install(
        self, namespace: str, order: InstallOrder, chunks: AsyncIterator[bytes], *, principal: str, local: bool
    ) -> InstallView:
        """Install a plugin, or say what it would be. What failed and may have run code is written down, too.

        Raises:
            HostdError: INSTALL_REFUSED, and what `Installed.install` raises.
        """
        self._check_may_install(local)
        installed = self._installed()
        there = installed.serving.ids
        try:
            done = await installed.install(order, chunks)
        except HostdError as error:
            if not order.examine_only and error.reason in RAN_CODE:
                what = {"outcome": error.reason, "source": f"{order.kind} {order.name}"[:200]}
                await self._write(namespace, principal, INSTALL, error.details.get("plugin", ""), **what)
            raise
        if order.examine_only:
            return InstallView(_examined(done), done.replaced, done.digest)
        if done.offer.id not in there:  # an uninstall of its name may have been killed before it came to that
            await self._host.forget_disabled(done.offer.id)
        details = {"version": done.offer.version, "digest": done.digest, "replaced": done.replaced}
        permissions = " ".join(sorted(done.offer.permissions))
        await self._write(namespace, principal, INSTALL, done.offer.id, **details, permissions=permissions)
        return InstallView(await self._shelf.served(namespace, done.offer.id), done.replaced, done.digest)

    def _check_may_install(self, local: bool) -> None:
        allowed = self._may_install()
        if allowed == "always" or (allowed == "local" and local):
            return
        where = "over the daemon's Unix socket only" if allowed == "local" else "from nowhere"
        message = f"plugins.install is `{allowed}`: plugins are installed {where}"
        raise HostdError(Kind.DENIED, "INSTALL_REFUSED", message)

    def _installed(self) -> Installed:
        if self._host.installed is None:
            message = "this daemon keeps no installed plugins: it is in safe mode, or has no data folder"
            raise HostdError(Kind.DENIED, "INSTALL_REFUSED", message)
        return self._host.installed

    async def uninstall(self, namespace: str, plugin_id: str, *, principal: str) -> None:
        """End an installed plugin and remove it. Raises PLUGIN_MISSING, PLUGIN_NOT_INSTALLED, INSTALL_BUSY."""
        self._shelf.get(plugin_id)
        version = await self._installed().uninstall(plugin_id)
        await self._host.forget_disabled(plugin_id)
        await self._write(namespace, principal, UNINSTALL, plugin_id, version=version)

    async def enable(self, namespace: str, plugin_id: str, *, principal: str) -> PluginView:
        """Let a plugin serve again. Raises PLUGIN_MISSING, PLUGIN_NOT_RELOADABLE."""
        await self._host.enable(plugin_id)
        await self._write(namespace, principal, ENABLE, plugin_id)
        return await self._shelf.served(namespace, plugin_id)

    async def disable(self, namespace: str, plugin_id: str, *, principal: str) -> PluginView:
        """Keep a plugin from serving until it is enabled. Raises PLUGIN_MISSING, PLUGIN_NOT_RELOADABLE."""
        await self._host.disable(plugin_id)
        await self._write(namespace, principal, DISABLE, plugin_id)
        return self._shelf.get(plugin_id)

    async def rollback(self, namespace: str, plugin_id: str, *, principal: str) -> PluginView:
        """Let the version before serve.

        Raises:
            HostdError: PLUGIN_MISSING, PLUGIN_NOT_INSTALLED, NO_OLDER_VERSION, PLUGIN_FAILED, INSTALL_BUSY.
        """
        self._shelf.get(plugin_id)
        await self._installed().rollback(plugin_id)
        view = self._shelf.get(plugin_id)
        await self._write(namespace, principal, ROLLBACK, plugin_id, version=view.version)
        return await self._shelf.served(namespace, plugin_id)

    async def _write(self, namespace: str, principal: str, verb: str, plugin_id: str, **details: str) -> None:
        await self._loop.write(audited(namespace, principal, verb, plugin_id, None, **details))


def _examined(done: Done) -> PluginView:
    """Return a plugin that was looked at, and is not there."""
    return PluginView(
        id=done.offer.id,
        version=done.offer.version,
        source="installed",
        state="UNSPECIFIED",
        permissions=tuple(sorted(done.offer.permissions)),
    )
