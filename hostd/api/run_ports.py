"""What the control plane asks of runs; with the rest in ports.py."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from hostd.errors.base import HostdError
from hostd.model.filters import Filter
from hostd.model.requests import Repeat, RunList, RunRef, SignalRequest, StartRequest
from hostd.model.views import (
    BlobView,
    LogPosition,
    LogView,
    RunChanges,
    RunRecords,
    RunView,
    SignaledRun,
    StartedRun,
    TailedLogs,
)


class Runs(Protocol):
    """Runs: starting, seeing and steering them."""

    async def start(
        self, namespace: str, starts: Sequence[StartRequest], *, principal: str
    ) -> Sequence[StartedRun | HostdError]:
        """Start runs; answers once durable, one result each in order. A refused one refuses only itself.

        Raises:
            HostdError: INTAKE_FULL, DRAINING, JOURNAL_*: nothing at all was accepted.
        """
        ...

    async def get(self, namespace: str, ref: RunRef) -> RunView:
        """Return a run with input, output, failures and steps. Raises RUN_MISSING."""
        ...

    async def wait_end(self, namespace: str, run_id: str) -> RunView:
        """Return a run, as `get`, once it is final; at once when it is. Raises RUN_MISSING."""
        ...

    async def list(self, namespace: str, page: RunList) -> Sequence[RunView]:
        """Return at most `page.limit` runs; fewer only where there are no more."""
        ...

    async def count(self, namespace: str, tree: Filter | None) -> int: ...

    async def history(self, namespace: str, ref: RunRef, *, from_seq: int, max_bytes: int) -> RunRecords:
        """Return records from `from_seq` on: about `max_bytes` as they are stored, at least one if any.

        Raises RUN_MISSING, RECORD_*.
        """
        ...

    def watch(self, namespace: str, ref: RunRef, *, from_seq: int) -> AsyncIterator[RunRecords]:
        """Yield a run's records from `from_seq` on, those to come as they become durable; ends after the last one's.

        The last item holds the run as `get` returns it. Raises RUN_MISSING, WATCH_TOO_SLOW, RESUME_TOKEN_EXPIRED.
        """
        ...

    def watch_all(
        self, namespace: str, tree: Filter | None, *, after: int | None, snapshot: bool
    ) -> AsyncIterator[RunChanges]:
        """Yield changes of runs seen through a filter, without end.

        Args:
            after: a position that an earlier watch was told; None begins anew.
            snapshot: begin with every run that matches, as ADDED (only where `after` is None).

        Raises:
            HostdError: RESUME_TOKEN_EXPIRED where `after` is behind what is kept, WATCH_TOO_SLOW.
        """
        ...

    async def logs(self, namespace: str, ref: RunRef, *, step: str, attempt: int) -> Sequence[LogView]:
        """Return what attempts logged, by step and attempt; empty step or attempt 0 = all. Raises RUN_MISSING."""
        ...

    def tail(
        self, namespace: str, ref: RunRef, *, step: str, attempt: int, after: LogPosition | None
    ) -> AsyncIterator[TailedLogs]:
        """Yield what attempts logged behind a position, then what they log, until the run has ended.

        Raises RUN_MISSING, RUN_STATE once it is held, DRAINING.
        """
        ...

    async def blob(self, namespace: str, digest: bytes) -> BlobView:
        """Return a value by its 32-byte digest. Raises BLOB_MISSING."""
        ...

    async def cancel(
        self, namespace: str, ref: RunRef, *, reason: str, principal: str, repeat: Repeat | None
    ) -> RunView:
        """Stop a run in good order; once more changes nothing. Raises RUN_MISSING, RUN_FINAL."""
        ...

    async def terminate(
        self, namespace: str, ref: RunRef, *, reason: str, principal: str, repeat: Repeat | None
    ) -> RunView:
        """End a run at once. Raises RUN_MISSING, RUN_FINAL."""
        ...

    async def pause(
        self, namespace: str, ref: RunRef, *, reason: str, principal: str, repeat: Repeat | None
    ) -> RunView:
        """Let nothing new start. Raises RUN_MISSING, RUN_FINAL, RUN_STATE."""
        ...

    async def resume(self, namespace: str, ref: RunRef, *, principal: str, repeat: Repeat | None) -> RunView:
        """Let a paused run go on. Raises RUN_MISSING, RUN_FINAL, RUN_STATE."""
        ...

    async def signal(
        self, namespace: str, ref: RunRef, signal: SignalRequest, *, principal: str, repeat: Repeat | None
    ) -> SignaledRun:
        """Tell an open run something; it keeps it. Raises RUN_MISSING, RUN_FINAL, RUN_STATE, SIGNAL_*, DRAINING."""
        ...

    async def signal_with_start(
        self, namespace: str, start: StartRequest, signal: SignalRequest, *, principal: str
    ) -> StartedRun:
        """Tell the open run of the start's key something; start it with the signal where there is none.

        Raises as `start` and `signal`.
        """
        ...

    async def delete(self, namespace: str, ref: RunRef, *, principal: str, repeat: Repeat | None) -> None:
        """Delete a finished run with all that is its. Raises RUN_MISSING, RUN_NOT_FINAL."""
        ...
