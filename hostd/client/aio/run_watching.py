"""Watching all runs, and reading what is too large for an answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import aclosing
from typing import Any

from hostd.client.aio.connection import Connection
from hostd.client.aio.watch import Watch
from hostd.client.conversion import result_of
from hostd.client.run_results import RunChange
from hostd.client.typed_errors import bad_argument
from hostd.errors.base import HostdError
from hostd.v1 import run_service_pb2 as pb


class RunWatchCalls(Connection):
    """Changes of runs, and blobs."""

    def watch_runs(
        self,
        filter: str = "",
        *,
        resume_token: str = "",
        skip_snapshot: bool = False,
        on_expired: Callable[[], None] | None = None,
        reconnect_s: float | None = None,
    ) -> Watch[RunChange]:
        """Yield changes of runs as they become durable: first what is there (ADDED), then what happens, without end.

        Args:
            filter: as in `list_runs`. A run that leaves it comes as DELETED.
            resume_token: of an earlier watch with the same filter: go on behind it, without what was there.
            skip_snapshot: only what changes from now on.
            on_expired: called where the daemon no longer keeps what follows the token; then a fresh snapshot follows.
                What is not in it is gone: forget what you know. Where it is not given, ResumeTokenExpired is raised.
            reconnect_s: how long to look for a daemon that went away; else as the retry policy says.

        Raises:
            HostdError: INVALID_FILTER; RESUME_TOKEN_INVALID; RESUME_TOKEN_EXPIRED; WATCHES_FULL; UNREACHABLE.
        """
        request = pb.WatchRunsRequest(
            namespace=self.namespace, filter=filter, resume_token=resume_token, skip_snapshot=skip_snapshot
        )
        return self._watched(self.runs.WatchRuns, request, _changes, on_expired=on_expired, reconnect_s=reconnect_s)

    async def read_blob(self, blob: str | Mapping[str, Any]) -> bytes:
        """Return the bytes of a large value, by its digest or as an answer holds it: `{"$blob": digest, ...}`.

        It is read again from the beginning where the connection is lost. Raises BLOB_MISSING.
        """
        patience = self._patience(self._retry)
        while True:
            try:
                whole = bytearray()
                async with aclosing(self.stream_blob(blob)) as parts:
                    async for part in parts:
                        whole += part
                return bytes(whole)
            except HostdError as error:
                lost = error
            await asyncio.sleep(patience.wait_s(lost))

    async def stream_blob(self, blob: str | Mapping[str, Any]) -> AsyncGenerator[bytes, None]:
        """Yield the bytes of a large value, at most 256 KiB at once. A lost connection ends it: UNREACHABLE."""
        digest = blob if isinstance(blob, str) else blob.get("$blob")
        if not isinstance(digest, str):
            raise bad_argument("a blob is named by its digest, or as an answer holds it: {'$blob': digest}")
        request = pb.ReadBlobRequest(namespace=self.namespace, digest=digest)
        async with aclosing(self.stream(self.runs.ReadBlob, request)) as answers:
            async for answer in answers:
                yield answer.data


def _changes(message: pb.WatchRunsResponse) -> Iterator[RunChange]:
    return (result_of(RunChange, change) for change in message.changes)
