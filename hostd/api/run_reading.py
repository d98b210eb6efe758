"""Seeing runs: the rpcs that read."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from typing import Any

from hostd.api.convert.checks import check_attempt, check_digest, check_namespace, check_step, fault
from hostd.api.convert.history import PAGE_BYTES_MAX, history_pages
from hostd.api.convert.runs import listed_run, read_ref, whole_run
from hostd.api.filter_text import parse_filter
from hostd.api.paging import Page
from hostd.api.run_ports import Runs
from hostd.api.tokens import Position, Tokens, scope_of
from hostd.errors.base import invalid
from hostd.model.ids import is_run_id, text_id
from hostd.model.records import RunStarted
from hostd.model.requests import RunList, RunRef
from hostd.model.views import RunRecords
from hostd.v1 import run_service_pb2 as wire
from hostd.v1.run_pb2 import Run

LOG_BYTES_MAX = 1024 * 1024
LOG_LINE_BYTES = 32  # what a line costs beside its text
CHUNK_BYTES = 256 * 1024

_ASCENDING = {"": False, "create_time desc": False, "create_time": True, "create_time asc": True}


class RunReading:
    """The part of RunService that reads."""

    _runs: Runs
    _tokens: Tokens

    async def GetRun(self, request: wire.GetRunRequest, context: Any) -> Run:
        """Return a whole run."""
        return whole_run(await self._runs.get(check_namespace(request.namespace), read_ref(request.run)))

    async def ListRuns(self, request: wire.ListRunsRequest, context: Any) -> wire.ListRunsResponse:
        """Return a page of runs."""
        namespace = check_namespace(request.namespace)
        ascending = _ASCENDING.get(request.order_by)
        if ascending is None:
            raise fault("order_by", "it is `create_time desc` or `create_time`")
        tree = parse_filter(request.filter)
        scope = scope_of("ListRuns", namespace, request.filter, str(ascending))
        page = Page(self._tokens, scope, size=request.page_size, token=request.page_token)
        views = await self._runs.list(namespace, RunList(tree, page.after(0), page.limit, ascending))
        kept, token = page.cut([listed_run(view) for view in views], [view.number for view in views])
        return wire.ListRunsResponse(runs=kept, next_page_token=token)

    async def CountRuns(self, request: wire.CountRunsRequest, context: Any) -> wire.CountRunsResponse:
        """Return how many runs match."""
        namespace, tree = check_namespace(request.namespace), parse_filter(request.filter)
        return wire.CountRunsResponse(count=await self._runs.count(namespace, tree))

    async def GetRunHistory(self, request: wire.GetRunHistoryRequest, context: Any) -> wire.GetRunHistoryResponse:
        """Return a page of records."""
        namespace, ref = check_namespace(request.namespace), read_ref(request.run)
        scope = run_scope("GetRunHistory", namespace, ref)
        position = self._tokens.read_page(request.page_token, scope) if request.page_token else None
        ref, from_seq = run_position(position, ref)
        batch = await self._runs.history(namespace, ref, from_seq=from_seq, max_bytes=PAGE_BYTES_MAX)
        records = next(history_pages(batch, from_seq), [])
        next_seq = records[-1].seq + 1 if records else batch.next_seq
        token = ""
        if batch.more or next_seq < batch.next_seq:
            token = self._tokens.page(scope, [run_id_of(batch, ref), str(next_seq)])
        return wire.GetRunHistoryResponse(records=records, next_page_token=token)

    async def GetLogs(self, request: wire.GetLogsRequest, context: Any) -> wire.GetLogsResponse:
        """Return what attempts logged: the last lines, where there are more than fit."""
        namespace, ref = check_namespace(request.namespace), read_ref(request.run)
        step, attempt = check_step(request.step), check_attempt(request.attempt)
        logs = await self._runs.logs(namespace, ref, step=step, attempt=attempt)
        kept: deque[wire.LogLine] = deque()
        room_bytes = LOG_BYTES_MAX
        for log in reversed(logs):
            for line in reversed(log.lines):
                room_bytes -= len(line.encode("utf-8", "replace")) + len(log.step) + LOG_LINE_BYTES
                if room_bytes < 0 and kept:
                    return wire.GetLogsResponse(lines=kept, truncated=True)
                kept.appendleft(wire.LogLine(step=log.step, attempt=log.attempt, text=line))
        return wire.GetLogsResponse(lines=kept)

    async def ReadBlob(self, request: wire.ReadBlobRequest, context: Any) -> AsyncIterator[wire.ReadBlobResponse]:
        """Return a blob's bytes in pieces."""
        blob = await self._runs.blob(check_namespace(request.namespace), check_digest(request.digest))
        size = len(blob.data)
        yield wire.ReadBlobResponse(data=blob.data[:CHUNK_BYTES], content_type=blob.content_type, size_bytes=size)
        for start in range(CHUNK_BYTES, size, CHUNK_BYTES):
            yield wire.ReadBlobResponse(data=blob.data[start : start + CHUNK_BYTES])


def run_scope(rpc: str, namespace: str, ref: RunRef) -> bytes:
    """Return what binds a token to one run, or to one name of runs."""
    return scope_of(rpc, namespace, ref.run_id, ref.workflow, ref.key)


def run_position(position: Position | None, ref: RunRef) -> tuple[RunRef, int]:
    """Return run and record a token stands at. It names the run: a newer run of the same key does not slip in."""
    if position is None:
        return ref, 0
    if isinstance(position, list) and len(position) == 2 and is_run_id(position[0]) and position[1].isdecimal():
        return RunRef(position[0]), int(position[1])
    raise invalid("PAGE_TOKEN_INVALID", "the token belongs to another request; start without one")


def run_id_of(batch: RunRecords, ref: RunRef) -> str:
    """Return the id of the run that records are of: asked for by key, the first record has it."""
    if not ref.run_id and batch.items and isinstance(batch.items[0].record, RunStarted):
        return text_id(batch.items[0].record.run_id)
    return ref.run_id
