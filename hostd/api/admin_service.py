"""AdminService: from the wire to the port and back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

from hostd.api.caller import CALLER
from hostd.api.convert.catalogue import audit_message, namespace_message, system_message
from hostd.api.convert.checks import check_namespace, check_path
from hostd.api.convert.configuration import config_message, reloaded_message
from hostd.api.paging import Page
from hostd.api.ports import Admin, Settings
from hostd.api.tokens import Tokens, scope_of
from hostd.v1 import admin_service_pb2 as wire
from hostd.v1.admin_service_pb2_grpc import AdminServiceServicer


class AdminService(AdminServiceServicer):
    """The daemon itself."""

    def __init__(self, admin: Admin, settings: Settings, tokens: Tokens, *, renew: Callable[[], str]) -> None:
        self._admin = admin
        self._renew = renew
        self._settings = settings
        self._tokens = tokens

    async def GetSystemInfo(self, request: wire.GetSystemInfoRequest, context: Any) -> wire.SystemInfo:
        """Return the daemon as it is now."""
        return system_message(self._admin.system())

    async def ListAuditEvents(self, request: wire.ListAuditEventsRequest, context: Any) -> wire.ListAuditEventsResponse:
        """Return a page of what was done, oldest first."""
        namespace = check_namespace(request.namespace)
        scope = scope_of("ListAuditEvents", namespace)
        page = Page(self._tokens, scope, size=request.page_size, token=request.page_token)
        views = await self._admin.audit(namespace, after=page.after(0), limit=page.limit)
        kept, token = page.cut([audit_message(view) for view in views], [view.number for view in views])
        return wire.ListAuditEventsResponse(audit_events=kept, next_page_token=token)

    async def BackupJournal(
        self, request: wire.BackupJournalRequest, context: Any
    ) -> AsyncIterator[wire.BackupJournalResponse]:
        """Copy the journal."""
        async for step in self._admin.backup(check_path(request.path)):
            yield wire.BackupJournalResponse(
                pages_done=step.pages_done, pages_total=step.pages_total, path=step.path, size_bytes=step.size_bytes
            )

    async def CompactJournal(
        self, request: wire.CompactJournalRequest, context: Any
    ) -> AsyncIterator[wire.CompactJournalResponse]:
        """Delete what retention lets go, and give room back."""
        check_namespace(request.namespace)
        async for step in self._admin.compact(principal=CALLER.get().principal):
            yield wire.CompactJournalResponse(
                stage=f"COMPACTION_STAGE_{step.stage}",
                deleted=step.deleted,
                size_before_bytes=step.size_before_bytes,
                size_bytes=step.size_bytes,
                free_bytes=step.free_bytes,
            )

    async def RotateToken(self, request: wire.RotateTokenRequest, context: Any) -> wire.RotateTokenResponse:
        """Make a new token for the owner."""
        check_namespace(request.namespace)
        path = await self._admin.rotate_token(self._renew, principal=CALLER.get().principal)
        return wire.RotateTokenResponse(path=path)

    async def ListNamespaces(self, request: wire.ListNamespacesRequest, context: Any) -> wire.ListNamespacesResponse:
        """Return a page of namespaces, by name."""
        check_namespace(request.namespace)
        scope = scope_of("ListNamespaces")
        page = Page(self._tokens, scope, size=request.page_size, token=request.page_token)
        views = await self._admin.namespaces(after=page.after(""), limit=page.limit)
        kept, token = page.cut([namespace_message(view) for view in views], [view.name for view in views])
        return wire.ListNamespacesResponse(namespaces=kept, next_page_token=token)

    async def GetConfig(self, request: wire.GetConfigRequest, context: Any) -> wire.EffectiveConfig:
        """Return the configuration that holds."""
        return config_message(self._settings.show())

    async def ReloadConfig(self, request: wire.ReloadConfigRequest, context: Any) -> wire.ReloadConfigResponse:
        """Read the configuration anew."""
        namespace = check_namespace(request.namespace)
        return reloaded_message(await self._settings.reload(namespace, principal=CALLER.get().principal))

    async def SetLogLevel(self, request: wire.SetLogLevelRequest, context: Any) -> wire.SetLogLevelResponse:
        """Change how much is logged."""
        levels = await self._settings.set_log_level(
            check_namespace(request.namespace),
            logger=request.logger,
            level=request.level,
            principal=CALLER.get().principal,
        )
        return wire.SetLogLevelResponse(log_levels=levels)
