"""Watching runs: the rpcs that stream what becomes durable, hundreds of records or changes a message."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from typing import Any

from hostd.api.convert.checks import check_namespace
from hostd.api.convert.history import PAGE_BYTES_MAX, history_pages
from hostd.api.convert.runs import change_bytes, read_ref, whole_run
from hostd.api.filter_text import parse_filter
from hostd.api.run_ports import Runs
from hostd.api.run_reading import run_id_of, run_position, run_scope
from hostd.api.tokens import Tokens, scope_of
from hostd.api.watch_seats import WatchSeats
from hostd.errors.base import invalid
from hostd.model.requests import RunRef
from hostd.model.views import RunChanges, RunRecords
from hostd.v1 import run_service_pb2 as wire


class RunWatching:
    """The part of RunService that streams."""

    _runs: Runs
    _tokens: Tokens
    _seats: WatchSeats

    async def WatchRun(self, request: wire.WatchRunRequest, context: Any) -> AsyncIterator[Any]:
        """Stream a run's records, as bytes of WatchRunResponse: what a consumer does not take lies once."""
        namespace, ref = check_namespace(request.namespace), read_ref(request.run)
        scope = run_scope("WatchRun", namespace, ref)
        position = self._tokens.read_watch(request.resume_token, scope) if request.resume_token else None
        ref, from_seq = run_position(position, ref)
        with self._seats.take("run"):
            async with aclosing(self._runs.watch(namespace, ref, from_seq=from_seq)) as batches:  # type: ignore[type-var]
                async for batch in batches:
                    ref = RunRef(run_id_of(batch, ref)) if not ref.run_id else ref
                    for message in self._messages(batch, from_seq, scope, ref):
                        yield message
                    from_seq = batch.next_seq

    def _messages(self, batch: RunRecords, from_seq: int, scope: bytes, ref: RunRef) -> Iterator[bytes]:
        """Yield a batch as messages, the last of the watch with the run; the batch is given up once it is encoded."""
        messages = [
            wire.WatchRunResponse(
                records=page, resume_token=self._run_token(scope, ref, page[-1].seq + 1)
            ).SerializeToString()
            for page in history_pages(batch, from_seq)
        ]
        batch.items.clear()
        while messages:
            yield messages.pop(0)
        if batch.run is not None:
            token = self._run_token(scope, ref, batch.next_seq)
            yield wire.WatchRunResponse(run=whole_run(batch.run), resume_token=token).SerializeToString()

    def _run_token(self, scope: bytes, ref: RunRef, seq: int) -> str:
        return self._tokens.watch(scope, [ref.run_id, str(seq)])

    async def WatchRuns(self, request: wire.WatchRunsRequest, context: Any) -> AsyncIterator[Any]:
        """Stream changes of runs, seen through a filter, as bytes of WatchRunsResponse."""
        namespace, tree = check_namespace(request.namespace), parse_filter(request.filter)
        scope = scope_of("WatchRuns", namespace, request.filter)
        after = self._tokens.read_watch(request.resume_token, scope) if request.resume_token else None
        if not isinstance(after, int | None):
            raise invalid("RESUME_TOKEN_INVALID", "the resume token belongs to another watch; start without one")
        stream = self._runs.watch_all(namespace, tree, after=after, snapshot=not request.skip_snapshot)
        with self._seats.take("runs"):
            async with aclosing(stream) as batches:  # type: ignore[type-var]
                async for batch in batches:
                    token = self._tokens.watch(scope, batch.position) if batch.position else ""
                    for message in change_pages(batch, token):
                        yield message


def change_pages(batch: RunChanges, token: str) -> Iterator[bytes]:
    """Yield a batch as bytes of messages of about 1 MiB; only the last one can be resumed from, and ends the snapshot.

    But for the token, they are made once for all watches that are handed the batch.
    """
    if not batch.pages:
        batch.pages = tuple(_pages(batch))
    yield from batch.pages[:-1]
    end = wire.WatchRunsResponse(resume_token=token, snapshot_end=batch.snapshot_end)
    yield batch.pages[-1] + end.SerializeToString()  # fields behind fields: the bytes of one message


def _pages(batch: RunChanges) -> Iterator[bytes]:
    page: list[bytes] = []
    size_bytes = 0
    for part in map(change_bytes, batch.changes):
        size_bytes += len(part)
        if size_bytes > PAGE_BYTES_MAX and page:
            yield b"".join(page)
            page, size_bytes = [], len(part)
        page.append(part)
    yield b"".join(page)
