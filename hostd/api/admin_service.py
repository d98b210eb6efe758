"""AdminService: from the wire to the port and back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from hostd.api.convert.catalogue import system_message
from hostd.api.convert.checks import check_path
from hostd.api.ports import Admin
from hostd.v1 import admin_service_pb2 as wire
from hostd.v1.admin_service_pb2_grpc import AdminServiceServicer


class AdminService(AdminServiceServicer):
    """The daemon itself."""

    def __init__(self, admin: Admin) -> None:
        self._admin = admin

    async def GetSystemInfo(self, request: wire.GetSystemInfoRequest, context: Any) -> wire.SystemInfo:
        """Return the daemon as it is now."""
        return system_message(self._admin.system())

    async def BackupJournal(
        self, request: wire.BackupJournalRequest, context: Any
    ) -> AsyncIterator[wire.BackupJournalResponse]:
        """Copy the journal."""
        async for step in self._admin.backup(check_path(request.path)):
            yield wire.BackupJournalResponse(
                pages_done=step.pages_done, pages_total=step.pages_total, path=step.path, size_bytes=step.size_bytes
            )
