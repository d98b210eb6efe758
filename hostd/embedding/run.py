"""A run that was started, as an object that can be waited for and steered."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any, Protocol

from hostd.embedding.calls import Duration
from hostd.embedding.run_info import Change, RunInfo
from hostd.values.json_text import JsonValue


class Runs(Protocol):
    """What a run asks of its host, which says more."""

    async def get(self, run: str) -> RunInfo: ...

    async def wait(self, run: str, *, timeout: Duration = None) -> RunInfo: ...

    async def result(self, run: str, *, timeout: Duration = None) -> JsonValue: ...

    def watch(self, run: str, *, from_seq: int = 0) -> AsyncGenerator[Change, None]: ...

    async def signal(self, run: str, name: str, data: Any = None, *, request_id: str = "") -> bool: ...

    async def cancel(self, run: str, reason: str = "", *, request_id: str = "") -> RunInfo: ...

    async def terminate(self, run: str, reason: str = "", *, request_id: str = "") -> RunInfo: ...


class Run:
    """A run of a host. Its calls are those of the host with its id, and raise what they raise.

    Attributes:
        id: 26 characters, for ever.
        version: of the workflow.
        existing: it was there already: the request id was known, or `on_open` said USE_EXISTING.
    """

    def __init__(self, host: Runs, run_id: str, version: str, existing: bool) -> None:
        self._host = host
        self.id = run_id
        self.version = version
        self.existing = existing

    def __repr__(self) -> str:
        return f"<run {self.id}>"

    async def info(self) -> RunInfo:
        """Return the run as it is now."""
        return await self._host.get(self.id)

    async def wait(self, *, timeout: Duration = None) -> RunInfo:
        """Return the run once it has ended, however it did."""
        return await self._host.wait(self.id, timeout=timeout)

    async def result(self, *, timeout: Duration = None) -> JsonValue:
        """Return its output once it has succeeded; raise RunFailed when it ended in another way."""
        return await self._host.result(self.id, timeout=timeout)

    def watch(self, *, from_seq: int = 0) -> AsyncGenerator[Change, None]:
        """Yield its records, those that are there and those that come, until it has ended."""
        return self._host.watch(self.id, from_seq=from_seq)

    async def signal(self, name: str, data: Any = None, *, request_id: str = "") -> bool:
        """Tell it something."""
        return await self._host.signal(self.id, name, data, request_id=request_id)

    async def cancel(self, reason: str = "", *, request_id: str = "") -> RunInfo:
        """Stop it in good order."""
        return await self._host.cancel(self.id, reason, request_id=request_id)

    async def terminate(self, reason: str = "", *, request_id: str = "") -> RunInfo:
        """End it at once."""
        return await self._host.terminate(self.id, reason, request_id=request_id)
