"""The spans of runs while they run: durable turns are heard, and what ended in them is handed over at once.

What a run began before this daemon did, or before it was forgotten here, is read back from the journal beside the
engine loop: once, when the next thing happens to it. Where the last daemon was killed, the spans of its last seconds
are handed over again, by the same ids: they may never have left it.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Collection

from hostd.aio import spawn
from hostd.engine.state import Run
from hostd.errors.base import HostdError
from hostd.journal.codec import decode_records
from hostd.journal.port import Appended, Journal, StoredRow
from hostd.model.records import AnyRecord
from hostd.model.states import run_is_final
from hostd.runtime.ports import Plans
from hostd.runtime.ring.metering import Listener
from hostd.runtime.ring.readers import Readers
from hostd.runtime.ring.snapshots import read_run
from hostd.runtime.ring.turn import Change
from hostd.runtime.runs.run_spans import RunSpans
from hostd.telemetry.spans import Span
from hostd.telemetry.tracing import Tracing
from hostd.values.trace import trace_of

TRACKS_MAX = 20_000
WAITING_MAX = 10_000
UNSENT_MS = 30_000  # what a killed daemon may not have sent
UNSENT_RECORDS_MAX = 50_000
STOP_S = 5.0
_log = logging.getLogger("hostd.runtime")


class Track:
    """One run whose spans are made. `behind`: records before `wanted` are still to be read back.

    It holds the run's state only when that is final: until then residence says how long runs stay in memory.
    `missed`: they could not be read back when they should; they are with the next thing that happens to the run.
    """

    __slots__ = ("behind", "ended", "heard_to", "live_from", "missed", "spans", "wanted")

    def __init__(self, spans: RunSpans, first_seq: int) -> None:
        self.spans = spans
        self.heard_to = 0  # number of the next record to hear
        self.live_from = first_seq  # spans that ended before this record were handed over
        self.wanted = first_seq  # number behind the last durable record
        self.behind = False
        self.missed = False
        self.ended: Run | None = None


class LiveSpans:
    """Hears of durable turns, hands them on, and hands spans to the sink as they end.

    Attributes:
        skipped: runs some of whose spans were not sent: too many waited to be read back, or could not be. Each once,
            when they can be sent no more.
    """

    def __init__(
        self, then: Listener, *, tracing: Tracing, journal: Journal, readers: Readers, plans: Plans, unsent: bool
    ) -> None:
        """Begin to listen.

        Args:
            unsent: the last daemon was killed; its last spans may not have been sent.
        """
        self._then = then
        self._tracing = tracing
        self._journal = journal
        self._readers = readers
        self._plans = plans
        self._tracks: dict[int, Track] = {}  # by the journal's key, the longest silent first
        self._waiting: deque[int] = deque()  # keys of tracks that are behind
        self._unsent: range = range(0)  # times whose spans are handed over again
        self._look_back = unsent
        self._more = asyncio.Event()
        self._stopping = False
        self.skipped = 0
        self._task = spawn(self._work(), name="run-spans")

    async def open(self) -> None:
        """Look what the last daemon may have left unsent. Before anything is published."""
        if self._look_back:
            last_ms = await self._readers.call(self._journal.last_at_ms)
            self._unsent = range(last_ms - UNSENT_MS, last_ms + 1)
        self._more.set()

    # -- on the loop, with each durable turn

    def publish(self, appended: Appended, changes: list[Change]) -> None:
        """Tell the watchers, and hand over what ended."""
        self._then.publish(appended, changes)
        for change in changes:
            self._hear(change, appended.at_ms)

    def held(self, run: int, appended: Appended) -> None:
        """Tell the watchers of a run that nothing moves any more."""
        self._drop(run)
        self._then.held(run, appended)

    def _hear(self, change: Change, at_ms: int) -> None:
        key = change.resident.key
        track = self._tracks.pop(key, None)
        if track is None:
            track = self._new_track(change.run, change.resident.namespace, change.first_seq)
            if track is None:
                return
        track.ended = _final(change.run)
        track.wanted = change.first_seq + len(change.records)
        self._keep(key, track)
        if track.behind:
            return
        if track.heard_to != change.first_seq:
            self._read_back(key, track)
            return
        for record in change.records:
            track.spans.hear(record, at_ms)
        track.heard_to = track.wanted
        self._end_if_over(key, track)

    def _new_track(self, run: Run, namespace: str, first_seq: int) -> Track | None:
        """Return a track for a run that is recorded, None for others."""
        if not self._tracing.records(run.run_id, run.trace):
            return None
        trace = self._tracing.run(run.run_id, run.trace)
        came = trace_of(run.trace)
        parent_id = came.span_id if came is not None else ""
        return Track(RunSpans(run, namespace, trace, parent_id, self._hand_over), first_seq)

    def _hand_over(self, span: Span) -> None:
        if self._tracing.sink is not None:
            self._tracing.sink.take(span)

    def _keep(self, key: int, track: Track) -> None:
        """Keep a track as the last that moved; past the bound the longest silent is forgotten, and read back later."""
        self._tracks[key] = track
        if len(self._tracks) > TRACKS_MAX:
            self._drop(next(iter(self._tracks)))

    def _read_back(self, key: int, track: Track) -> None:
        if len(self._waiting) >= WAITING_MAX:
            self._miss(key, track)
            return
        track.behind = True
        self._waiting.append(key)
        self._more.set()

    def _miss(self, key: int, track: Track) -> None:
        """Leave out for now what cannot be read back; for good where nothing else will happen to the run."""
        track.behind, track.missed = False, True
        if track.ended is not None:
            self._drop(key)

    def _drop(self, key: int) -> None:
        """Forget a run; it is counted where its spans are not all handed over."""
        track = self._tracks.pop(key, None)
        if track is not None and (track.behind or track.missed):
            self.skipped += 1

    def _end_if_over(self, key: int, track: Track) -> None:
        if track.ended is not None:
            del self._tracks[key]
            track.spans.end(track.ended)

    # -- beside the loop

    async def _work(self) -> None:
        while not self._stopping or self._waiting:
            if self._look_back and self._unsent:
                self._look_back = False
                await self._read(self._look_for_unsent())
            elif self._waiting:
                await self._read(self._catch_up(self._waiting.popleft()))
            else:
                self._more.clear()
                await self._more.wait()

    async def _read(self, work: Awaitable[None]) -> None:
        try:
            await work
        except HostdError as error:
            _log.warning("spans_lost error=%s", error)

    async def _catch_up(self, key: int) -> None:
        """Hear a page of what was missed; come back until nothing is."""
        track = self._tracks.get(key)
        if track is None or not track.behind:
            return
        try:
            rows = await self._readers.call(self._page, key, track.heard_to)
        except HostdError:
            if self._tracks.get(key) is track:
                self._miss(key, track)
            raise
        if self._tracks.get(key) is not track:
            return
        for row, records in rows:
            track.spans.muted = row.seq < track.live_from and row.at_ms not in self._unsent
            for record in records:
                track.spans.hear(record, row.at_ms)
            track.heard_to = row.seq + row.n
        track.spans.muted = False
        if not rows:  # it was deleted
            self._drop(key)
        elif track.heard_to < track.wanted:
            self._waiting.append(key)
        else:
            track.behind = track.missed = False
            self._end_if_over(key, track)

    def _page(self, key: int, seq: int) -> list[tuple[StoredRow, list[AnyRecord]]]:
        return [(row, decode_records(row.body)) for row in self._journal.history(key, from_seq=seq)]

    async def _look_for_unsent(self) -> None:
        """Read back the runs that moved in the last seconds of a daemon that was killed."""
        for key in await self._readers.call(self._moved_last):
            await self._read(self._tell_again(key))

    async def _tell_again(self, key: int) -> None:
        """Read a run back, unless it moves again already: then all of it is read back in any case."""
        found = await self._readers.call(self._run_of, key) if key not in self._tracks else None
        if found is None or key in self._tracks:
            return
        run, namespace = found
        track = self._new_track(run, namespace, run.seq)
        if track is not None:
            track.ended = _final(run)
            self._keep(key, track)
            self._read_back(key, track)

    def _moved_last(self) -> Collection[int]:
        keys: dict[int, None] = {}
        pos = max(0, self._journal.last_pos() - UNSENT_RECORDS_MAX)
        while rows := self._journal.rows_after(pos):
            keys.update((row.run, None) for row in rows if row.at_ms in self._unsent)
            pos = rows[-1].pos
            if rows[-1].at_ms >= self._unsent.stop:
                break
        return keys

    def _run_of(self, key: int) -> tuple[Run, str] | None:
        row = self._journal.run_row(key)
        return (read_run(self._journal, self._plans, row).run, row.namespace) if row is not None else None

    async def stop(self) -> bool:
        """Hand over what can be read back within five seconds; return whether nothing was left.

        Nothing is published any more.
        """
        self._stopping = True
        self._more.set()
        done, _ = await asyncio.wait([self._task], timeout=STOP_S)
        self._task.cancel()
        return bool(done) and not any(track.behind or track.missed for track in self._tracks.values())


def _final(run: Run) -> Run | None:
    return run if run_is_final(run.state) else None
