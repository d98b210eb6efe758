"""PluginService: from the wire to the port and back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

from hostd.api.caller import CALLER
from hostd.api.convert.catalogue import plugin_message, schema_message
from hostd.api.convert.checks import check_component, check_kind, check_namespace
from hostd.api.convert.installs import Upload
from hostd.api.install_port import Installs
from hostd.api.paging import Page
from hostd.api.ports import Plugins, PluginWatch
from hostd.api.tokens import Tokens, scope_of
from hostd.api.watch_seats import WatchSeats
from hostd.errors.base import invalid
from hostd.v1 import plugin_service_pb2 as wire
from hostd.v1.plugin_service_pb2_grpc import PluginServiceServicer


class PluginService(PluginServiceServicer):
    """Plugins and what they provide. They are the daemon's, the same in every namespace."""

    def __init__(
        self, plugins: Plugins, installs: Installs, watch: PluginWatch, *, tokens: Tokens, seats: WatchSeats
    ) -> None:
        self._plugins = plugins
        self._installs = installs
        self._watch = watch
        self._tokens = tokens
        self._seats = seats

    async def ListPlugins(self, request: wire.ListPluginsRequest, context: Any) -> wire.ListPluginsResponse:
        """Return a page of plugins by id."""
        page = Page(self._tokens, scope_of("ListPlugins"), size=request.page_size, token=request.page_token)
        after = page.after("")
        views = [view for view in self._plugins.list() if view.id > after][: page.limit]
        kept, token = page.cut([plugin_message(view) for view in views], [view.id for view in views])
        return wire.ListPluginsResponse(plugins=kept, next_page_token=token)

    async def GetPlugin(self, request: wire.GetPluginRequest, context: Any) -> wire.Plugin:
        """Return a plugin."""
        return plugin_message(self._plugins.get(check_component(request.id)))

    async def ReloadPlugin(self, request: wire.ReloadPluginRequest, context: Any) -> wire.Plugin:
        """Load a plugin anew."""
        namespace, plugin_id = check_namespace(request.namespace), check_component(request.id)
        return plugin_message(await self._plugins.reload(namespace, plugin_id))

    async def GetComponentSchema(self, request: wire.GetComponentSchemaRequest, context: Any) -> wire.ComponentSchema:
        """Return a component's options."""
        return schema_message(self._plugins.schema(check_component(request.id), check_kind(request.kind)))

    async def InstallPlugin(
        self, requests: AsyncIterator[wire.InstallPluginRequest], context: Any
    ) -> wire.InstallPluginResponse:
        """Install a plugin that is sent in pieces, or fetched."""
        caller, upload = CALLER.get(), Upload(requests)
        namespace, order = await upload.order()
        done = await self._installs.install(
            namespace, order, upload.chunks(), principal=caller.principal, local=caller.local
        )
        plugin = plugin_message(done.plugin)
        return wire.InstallPluginResponse(plugin=plugin, replaced_version=done.replaced_version, digest=done.digest)

    async def UninstallPlugin(self, request: wire.UninstallPluginRequest, context: Any) -> wire.UninstallPluginResponse:
        """Remove an installed plugin."""
        namespace, plugin_id = check_namespace(request.namespace), check_component(request.id)
        await self._installs.uninstall(namespace, plugin_id, principal=CALLER.get().principal)
        return wire.UninstallPluginResponse()

    async def EnablePlugin(self, request: wire.EnablePluginRequest, context: Any) -> wire.Plugin:
        """Let a plugin serve again."""
        return await self._switched(self._installs.enable, request)

    async def DisablePlugin(self, request: wire.DisablePluginRequest, context: Any) -> wire.Plugin:
        """Keep a plugin from serving."""
        return await self._switched(self._installs.disable, request)

    async def RollbackPlugin(self, request: wire.RollbackPluginRequest, context: Any) -> wire.Plugin:
        """Let the version before serve."""
        return await self._switched(self._installs.rollback, request)

    async def _switched(self, verb: Any, request: Any) -> wire.Plugin:
        namespace, plugin_id = check_namespace(request.namespace), check_component(request.id)
        return plugin_message(await verb(namespace, plugin_id, principal=CALLER.get().principal))

    async def WatchPlugins(
        self, request: wire.WatchPluginsRequest, context: Any
    ) -> AsyncIterator[wire.WatchPluginsResponse]:
        """Stream changes of plugins."""
        check_namespace(request.namespace)
        plugin_id = check_component(request.id) if request.id else ""
        scope = scope_of("WatchPlugins", plugin_id)
        after = self._tokens.read_watch(request.resume_token, scope) if request.resume_token else ""
        if not isinstance(after, str):
            raise invalid("RESUME_TOKEN_INVALID", "the resume token belongs to another watch; start without one")
        with self._seats.take("plugins"):
            async with aclosing(self._watch.watch(plugin_id, after=after)) as batches:  # type: ignore[type-var]
                async for batch in batches:
                    yield wire.WatchPluginsResponse(
                        changes=[
                            wire.PluginChange(kind=f"CHANGE_KIND_{change.kind}", plugin=plugin_message(change.plugin))
                            for change in batch.changes
                        ],
                        resume_token=self._tokens.watch(scope, batch.position) if batch.position else "",
                        snapshot_end=batch.snapshot_end,
                    )
