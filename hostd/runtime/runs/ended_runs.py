"""Runs whose spans are still to be made: noted as they end, read back from the journal beside the engine loop."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Iterator

from hostd.aio import spawn
from hostd.engine.state import Run
from hostd.errors.base import HostdError
from hostd.journal.codec import decode_records
from hostd.journal.port import Appended, Journal
from hostd.model.records import AnyRecord
from hostd.model.states import run_is_final
from hostd.runtime.ring.metering import Listener
from hostd.runtime.ring.readers import Readers
from hostd.runtime.ring.turn import Change
from hostd.runtime.runs.run_spans import spans_of_run
from hostd.telemetry.spans import Span
from hostd.telemetry.tracing import Tracing
from hostd.values.trace import trace_of

WAITING_MAX = 10_000
STOP_S = 5.0
_log = logging.getLogger("hostd.runtime")


class EndedRuns:
    """Hears of durable turns, hands them on, and hands the spans of runs that ended in them to the sink.

    Where more runs end than can be read back, the spans of the newest are left out and counted in `dropped`.
    """

    def __init__(self, then: Listener, *, tracing: Tracing, journal: Journal, readers: Readers) -> None:
        self._then = then
        self._tracing = tracing
        self._journal = journal
        self._readers = readers
        self._waiting: deque[tuple[int, str, Run]] = deque()
        self._more = asyncio.Event()
        self._stopping = False
        self._task = spawn(self._work(), name="run-spans")
        self.dropped = 0

    def publish(self, appended: Appended, changes: list[Change]) -> None:
        """Tell the watchers, and note which runs have ended."""
        self._then.publish(appended, changes)
        for change in changes:
            run = change.run
            if run_is_final(run.state) and self._tracing.run(run.run_id, run.trace).sampled:
                self._note(change.resident.key, change.resident.namespace, run)

    def held(self, run: int, appended: Appended) -> None:
        """Tell the watchers of a run that nothing moves any more."""
        self._then.held(run, appended)

    def _note(self, key: int, namespace: str, run: Run) -> None:
        if len(self._waiting) >= WAITING_MAX:
            self.dropped += 1
            return
        self._waiting.append((key, namespace, run))
        self._more.set()

    async def _work(self) -> None:
        while not self._stopping or self._waiting:
            if not self._waiting:
                self._more.clear()
                await self._more.wait()
                continue
            key, namespace, run = self._waiting.popleft()
            try:
                spans = await self._readers.call(self._spans, key, namespace, run)
            except HostdError as error:
                _log.warning("spans_lost run_id=%s error=%s", run.run_id, error)
                continue
            for span in spans:
                if self._tracing.sink is not None:
                    self._tracing.sink.take(span)

    def _spans(self, key: int, namespace: str, run: Run) -> list[Span]:
        came = trace_of(run.trace)
        trace = self._tracing.run(run.run_id, run.trace)
        return spans_of_run(run, namespace, trace, came.span_id if came is not None else "", self._history(key))

    def _history(self, key: int) -> Iterator[tuple[int, AnyRecord]]:
        seq = 0
        while rows := self._journal.history(key, from_seq=seq):
            for row in rows:
                for record in decode_records(row.body):
                    yield row.at_ms, record
            seq = rows[-1].seq + rows[-1].n

    async def stop(self) -> None:
        """Make the spans of what has ended, for five seconds at most."""
        self._stopping = True
        self._more.set()
        await asyncio.wait([self._task], timeout=STOP_S)
        self._task.cancel()
