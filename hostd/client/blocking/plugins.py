# Written by clients/python/blocking_twin.py from hostd/client/aio; never edited.
"""Plugins: what there is, and changing it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from hostd.client.blocking.connection import BlockingConnection
from hostd.client.blocking.watch import BlockingWatch
from hostd.client.conversion import result_of
from hostd.client.host_results import ComponentSchema, InstalledPlugin, Plugin, PluginChange
from hostd.client.packing import packed, pieces_of
from hostd.client.typed_errors import typed
from hostd.errors.base import HostdError
from hostd.v1 import plugin_service_pb2 as pb

INSTALL_TIMEOUT_S = 2_400.0
SWITCH_TIMEOUT_S = 300.0


class PluginCalls(BlockingConnection):
    """What is done with plugins."""

    def list_plugins(self) -> Iterator[Plugin]:
        """Yield every plugin that was found, loaded or not, by id."""
        request = pb.ListPluginsRequest(namespace=self.namespace)
        for page in self._pages(self.plugins.ListPlugins, request):
            for each in page.plugins:
                yield result_of(Plugin, each)

    def get_plugin(self, plugin: str) -> Plugin:
        """Return a plugin with what it registered. Raises PLUGIN_MISSING."""
        request = pb.GetPluginRequest(namespace=self.namespace, id=plugin)
        return self._result(Plugin, self.plugins.GetPlugin, request)

    def watch_plugins(
        self, plugin: str = "", *, resume_token: str = "", on_expired: Callable[[], None] | None = None
    ) -> BlockingWatch[PluginChange]:
        """Yield changes of plugins: first what is there (ADDED), then what happens, without end; see `watch_runs`.

        A token does not outlive the daemon: after a restart `on_expired` is called and a snapshot follows; without it
        RESUME_TOKEN_EXPIRED is raised.
        """
        request = pb.WatchPluginsRequest(namespace=self.namespace, id=plugin, resume_token=resume_token)
        return self._watched(self.plugins.WatchPlugins, request, _changes, on_expired=on_expired)

    def reload_plugin(self, plugin: str) -> Plugin:
        """Start the process of a plugin anew, from what lies in its folder now."""
        request = pb.ReloadPluginRequest(namespace=self.namespace, id=plugin)
        return self._result(Plugin, self.plugins.ReloadPlugin, request)

    def install_plugin(
        self,
        source: str | os.PathLike[str],
        *,
        permissions: Sequence[str] = (),
        all_permissions: bool = False,
        examine_only: bool = False,
    ) -> InstalledPlugin:
        """Install a plugin, or another version of it, on the daemon's machine; what fails leaves the one that serves.

        Args:
            source: the Path of a folder or of a wheel, which is sent; or a text, the name of a package with an optional
                range of versions, which the daemon fetches.
            permissions: what it may ask of the host.
            all_permissions: accept whatever it asks for.
            examine_only: only say what would be installed and what it asks for.

        Raises:
            HostdError: PERMISSIONS_NOT_ACCEPTED, PACKAGE_INVALID, INSTALL_FAILED, INSTALL_REFUSED, INSTALL_BUSY.
        """
        order = pb.InstallPluginRequest(
            namespace=self.namespace,
            examine_only=examine_only,
            permissions=permissions,
            all_permissions=all_permissions,
        )
        requests = _order_and_bytes(order, source)
        method: Any = self.plugins.InstallPlugin  # takes a stream where others take one request
        sent: Any = iter(requests)
        return self._result(InstalledPlugin, method, sent, timeout_s=INSTALL_TIMEOUT_S)

    def uninstall_plugin(self, plugin: str) -> None:
        """End a plugin that was installed, and remove all its versions."""
        request = pb.UninstallPluginRequest(namespace=self.namespace, id=plugin)
        self._ask(self.plugins.UninstallPlugin, request, timeout_s=SWITCH_TIMEOUT_S)

    def rollback_plugin(self, plugin: str) -> Plugin:
        """Let the version serve that an installed plugin had before; once more returns to the newer one."""
        request = pb.RollbackPluginRequest(namespace=self.namespace, id=plugin)
        return self._result(Plugin, self.plugins.RollbackPlugin, request, timeout_s=SWITCH_TIMEOUT_S)

    def enable_plugin(self, plugin: str) -> Plugin:
        """Let a disabled plugin serve again."""
        request = pb.EnablePluginRequest(namespace=self.namespace, id=plugin)
        return self._result(Plugin, self.plugins.EnablePlugin, request, timeout_s=SWITCH_TIMEOUT_S)

    def disable_plugin(self, plugin: str) -> Plugin:
        """End a plugin's process and keep it from serving, through restarts, until it is enabled."""
        request = pb.DisablePluginRequest(namespace=self.namespace, id=plugin)
        return self._result(Plugin, self.plugins.DisablePlugin, request, timeout_s=SWITCH_TIMEOUT_S)

    def component_schema(self, component: str, *, kind: str = "") -> ComponentSchema:
        """Return what the options of an action or trigger, such as http.request, may be."""
        request = pb.GetComponentSchemaRequest(namespace=self.namespace, id=component, kind=kind)
        return self._result(ComponentSchema, self.plugins.GetComponentSchema, request)


def _changes(message: pb.WatchPluginsResponse) -> Iterator[PluginChange]:
    return (result_of(PluginChange, change) for change in message.changes)


def _order_and_bytes(order: pb.InstallPluginRequest, source: str | os.PathLike[str]) -> list[pb.InstallPluginRequest]:
    """Return what is installed, then its bytes. All is read before anything is sent: gRPC hides what failed."""
    if isinstance(source, str):
        order.requirement = source
        return [order]
    local = Path(source).absolute()
    folder = local.is_dir()
    setattr(order, "folder" if folder else "wheel", local.name)
    try:
        pieces = list(packed(local) if folder else pieces_of(local))
    except HostdError as error:
        raise typed(error) from None
    return [order, *(pb.InstallPluginRequest(chunk=piece) for piece in pieces)]
