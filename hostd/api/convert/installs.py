"""A plugin that is sent: what is asked for in the first message, then its bytes."""

from __future__ import annotations

from collections.abc import AsyncIterator

from hostd.api.convert.checks import check_namespace, check_text, fault
from hostd.model.installs import FOLDER, REQUIREMENT, WHEEL, InstallOrder
from hostd.v1 import plugin_service_pb2 as wire

CHUNK_BYTES_MAX = 1024 * 1024
NAME_BYTES_MAX = 500
PERMISSIONS_MAX = 100


class Upload:
    """The messages of one call."""

    def __init__(self, requests: AsyncIterator[wire.InstallPluginRequest]) -> None:
        self._requests = requests
        self._first = wire.InstallPluginRequest()

    async def order(self) -> tuple[str, InstallOrder]:
        """Read the first message; return the namespace and what is asked for. Raises HostdError ARGUMENT_INVALID."""
        async for request in self._requests:
            self._first = request
            break
        first = self._first
        kind = first.WhichOneof("source") or ""
        if kind not in (WHEEL, FOLDER, REQUIREMENT):
            raise fault("source", "say what is installed: wheel, folder or requirement")
        name = check_text(getattr(first, kind), kind, max_bytes=NAME_BYTES_MAX)
        if len(first.permissions) > PERMISSIONS_MAX:
            raise fault("permissions", f"at most {PERMISSIONS_MAX}")
        permissions = frozenset(check_text(one, "permissions", max_bytes=NAME_BYTES_MAX) for one in first.permissions)
        order = InstallOrder(kind, name, first.examine_only, permissions, first.all_permissions)
        return check_namespace(first.namespace), order

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the bytes as they come. Raises HostdError ARGUMENT_INVALID."""
        if self._first.chunk:
            yield _checked(self._first.chunk)
        async for request in self._requests:
            if request.chunk:
                yield _checked(request.chunk)


def _checked(chunk: bytes) -> bytes:
    if len(chunk) > CHUNK_BYTES_MAX:
        raise fault("chunk", f"at most {CHUNK_BYTES_MAX >> 20} MiB a message")
    return chunk
