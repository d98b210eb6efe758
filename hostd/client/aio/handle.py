"""A run in hand: what one does with a run that was started, or whose id is known."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, Protocol

from hostd.client.run_results import Logs, Record, Run
from hostd.client.starts import RunName

if TYPE_CHECKING:
    from hostd.client.aio.watch import Watch


class Runs(Protocol):
    """What a run in hand asks of its client, which says more."""

    async def get_run(self, run: RunName) -> Run: ...

    async def wait(self, run: RunName, *, timeout_s: float | None = None) -> Run: ...

    def watch_run(self, run: RunName, *, resume_token: str = "") -> Watch[Record]: ...

    def history(self, run: RunName) -> AsyncIterator[Record]: ...

    async def logs(self, run: RunName, *, step: str = "", attempt: int = 0) -> Logs: ...

    async def signal(self, run: RunName, name: str, data: Any = None, *, request_id: str = "") -> None: ...

    async def cancel(self, run: RunName, reason: str = "", *, request_id: str = "") -> Run: ...

    async def terminate(self, run: RunName, reason: str = "", *, request_id: str = "") -> Run: ...

    async def pause(self, run: RunName, reason: str = "", *, request_id: str = "") -> Run: ...

    async def resume(self, run: RunName, *, request_id: str = "") -> Run: ...


class RunHandle:
    """A run and the client that knows it. `run_id` names it for ever; a handle may be made anew with `client.run(id)`.

    Args:
        existing: whether the run was there already when it was started (by its request id, or USE_EXISTING).
        version: version of the workflow that it executes; empty where the handle was made by id.
    """

    def __init__(self, client: Runs, run_id: str, *, existing: bool = False, version: str = "") -> None:
        self._client = client
        self.run_id = run_id
        self.existing = existing
        self.version = version

    def __repr__(self) -> str:
        return f"<run {self.run_id}>"

    async def get(self) -> Run:
        """Return the run as it is now."""
        return await self._client.get_run(self)

    async def wait(self, *, timeout_s: float | None = None) -> Run:
        """Return the run at its end, whatever that is; see `Client.wait`."""
        return await self._client.wait(self, timeout_s=timeout_s)

    async def result(self, *, timeout_s: float | None = None) -> Any:
        """Return the output of the run, once it has ended.

        Raises:
            RunUnsuccessful: it ended otherwise than SUCCEEDED; `error.run` is the run.
            HostdError: WAIT_EXPIRED where it has not ended by then; it goes on.
        """
        return (await self.wait(timeout_s=timeout_s)).result()

    def watch(self, *, resume_token: str = "") -> Watch[Record]:
        """Yield the run's records, from the first or behind a token, until it has ended."""
        return self._client.watch_run(self, resume_token=resume_token)

    def history(self) -> AsyncIterator[Record]:
        """Yield the records that are there."""
        return self._client.history(self)

    async def logs(self, *, step: str = "", attempt: int = 0) -> Logs:
        """Return what its attempts logged."""
        return await self._client.logs(self, step=step, attempt=attempt)

    async def signal(self, name: str, data: Any = None, *, request_id: str = "") -> None:
        """Send it a signal; see `Client.signal`."""
        await self._client.signal(self, name, data, request_id=request_id)

    async def cancel(self, reason: str = "", *, request_id: str = "") -> Run:
        """Stop it in good order: attempts are told, handlers run."""
        return await self._client.cancel(self, reason, request_id=request_id)

    async def terminate(self, reason: str = "", *, request_id: str = "") -> Run:
        """End it at once; no handler runs."""
        return await self._client.terminate(self, reason, request_id=request_id)

    async def pause(self, reason: str = "", *, request_id: str = "") -> Run:
        """Start nothing new in it until it is resumed."""
        return await self._client.pause(self, reason, request_id=request_id)

    async def resume(self, *, request_id: str = "") -> Run:
        """Let it go on."""
        return await self._client.resume(self, request_id=request_id)
