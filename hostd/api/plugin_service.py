"""PluginService: from the wire to the port and back."""

from __future__ import annotations

from typing import Any

from hostd.api.convert.catalogue import plugin_message, schema_message
from hostd.api.convert.checks import check_component, check_kind
from hostd.api.paging import Page
from hostd.api.ports import Plugins
from hostd.api.tokens import Tokens, scope_of
from hostd.v1 import plugin_service_pb2 as wire
from hostd.v1.plugin_service_pb2_grpc import PluginServiceServicer


class PluginService(PluginServiceServicer):
    """Plugins and what they provide. They are the daemon's, the same in every namespace."""

    def __init__(self, plugins: Plugins, tokens: Tokens) -> None:
        self._plugins = plugins
        self._tokens = tokens

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
        return plugin_message(await self._plugins.reload(check_component(request.id)))

    async def GetComponentSchema(self, request: wire.GetComponentSchemaRequest, context: Any) -> wire.ComponentSchema:
        """Return a component's options."""
        return schema_message(self._plugins.schema(check_component(request.id), check_kind(request.kind)))
