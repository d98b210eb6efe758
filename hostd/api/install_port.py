"""What the control plane asks of the runtime about installing and switching plugins; the rest stands in ports.py."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

from hostd.model.installs import InstallOrder, InstallView
from hostd.model.views import PluginView


class Installs(Protocol):
    """Changing which plugins there are."""

    async def install(
        self, namespace: str, order: InstallOrder, chunks: AsyncIterator[bytes], *, principal: str, local: bool
    ) -> InstallView:
        """Install a plugin, or say what it would be.

        Raises INSTALL_REFUSED, INSTALL_BUSY, PACKAGE_INVALID, MANIFEST_INVALID, PLUGIN_ID_TAKEN, PLUGIN_DENIED,
        PERMISSIONS_NOT_ACCEPTED, INSTALL_FAILED, PLUGIN_FAILED, WAIT_EXPIRED.

        Args:
            chunks: what is sent, in pieces; not begun where it is refused.
            local: whether it is asked for over the Unix socket.
        """
        ...

    async def uninstall(self, namespace: str, plugin_id: str, *, principal: str) -> None:
        """End an installed plugin and remove it. Raises PLUGIN_MISSING, PLUGIN_NOT_INSTALLED, INSTALL_BUSY."""
        ...

    async def enable(self, namespace: str, plugin_id: str, *, principal: str) -> PluginView:
        """Let a plugin serve again. Raises PLUGIN_MISSING, PLUGIN_NOT_RELOADABLE."""
        ...

    async def disable(self, namespace: str, plugin_id: str, *, principal: str) -> PluginView:
        """Keep a plugin from serving until it is enabled. Raises PLUGIN_MISSING, PLUGIN_NOT_RELOADABLE."""
        ...

    async def rollback(self, namespace: str, plugin_id: str, *, principal: str) -> PluginView:
        """Let the version before serve.

        Raises PLUGIN_MISSING, PLUGIN_NOT_INSTALLED, NO_OLDER_VERSION, PLUGIN_FAILED, INSTALL_BUSY.
        """
        ...
