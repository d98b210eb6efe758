"""Following what attempts log: files of those that ended, memory of those that run; driven by the run's records.

    records say an attempt started   -> open: its lines are looked at in memory, a few times a second
    records say an attempt ended     -> the rest of its lines come from its file, and it is closed
    the run has ended                -> all files were read; the tail ends

A position is (sequence number, lines told of attempts that are open). Before the number everything was told, so a
position stays small however long the run. The files are written a moment after the record: they are awaited.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterable, Iterator, Sequence
from typing import NamedTuple

from hostd.journal.port import RunRow
from hostd.model.ids import text_id
from hostd.model.records import AttemptFailed, AttemptLost, AttemptStarted, AttemptSucceeded
from hostd.model.requests import RunRef
from hostd.model.states import RunState, run_is_final
from hostd.model.views import LogPosition, LogView, RunRecords, TailedLogs
from hostd.runtime.runs.run_reads import run_held
from hostd.runtime.runs.run_watch import RunWatch

LOOK_S = 0.25
PAGE_BYTES = 256 * 1024
RECORDS_BYTES = 256 * 1024
_ENDS = (AttemptSucceeded, AttemptFailed, AttemptLost)

Place = tuple[str, int]
"""Step and number of an attempt."""


class Wanted(NamedTuple):
    """Which attempts are followed; empty step or attempt 0 = all."""

    step: str
    attempt: int

    def has(self, place: Place) -> bool:
        """Say whether an attempt is one of them."""
        return self.step in ("", place[0]) and self.attempt in (0, place[1])


class LogTails(RunWatch):
    """Tails of the logs of runs."""

    async def tail(
        self, namespace: str, ref: RunRef, *, step: str, attempt: int, after: LogPosition | None
    ) -> AsyncIterator[TailedLogs]:
        """Yield what attempts logged behind a position, then what they log, until the run has ended; see the port."""
        key = (await self.find(namespace, ref)).run
        named = await self._named(key)
        tail = _Tail(self, key, Wanted(step, attempt), after or LogPosition(0, {}))
        bell = self._rooms.hub.bell(key)
        begun = False
        try:
            while True:
                row = await self.find(namespace, named)
                records = await self._read(self._records, row, tail.seq, RECORDS_BYTES)
                if records.items or run_is_final(row.state):  # not in a reader's thread: it may wait for the writer
                    await asyncio.to_thread(self._rooms.log_flush)
                async for page in tail.told(row, records):
                    yield page
                if not records.more and not begun:
                    begun = True
                    yield TailedLogs([], tail.position(), snapshot_end=True)
                if run_is_final(row.state) and not records.more:
                    yield TailedLogs([], tail.position(), run_state=row.state)
                    return
                if row.state == RunState.HELD and not records.more:
                    raise run_held(row)
                if not records.more:
                    await _rung(bell.wait(), LOOK_S if tail.open else None)
        finally:
            bell.close()

    async def lines_of(self, row: RunRow, place: Place) -> list[str]:
        """Return all lines of an attempt that has ended."""
        files = self._rooms.log_files
        return await self._read(files.lines, text_id(row.run_id), *place) if files is not None else []

    def live_lines(self, key: int, step: int, attempt: int, *, skip: int) -> Sequence[str]:
        """Return new lines of an attempt that runs."""
        live = self._rooms.live_logs
        return live.live_lines(key, step, attempt, skip=skip) if live is not None else ()


class _Tail:
    """How far one tail is."""

    def __init__(self, logs: LogTails, key: int, wanted: Wanted, after: LogPosition) -> None:
        self._logs = logs
        self._key = key
        self._wanted = wanted
        self.seq = after.seq
        self.open: dict[Place, int] = dict(after.told)

    def position(self) -> LogPosition:
        """Return where a later tail goes on."""
        return LogPosition(self.seq, dict(self.open))

    async def told(self, row: RunRow, records: RunRecords) -> AsyncIterator[TailedLogs]:
        """Yield the lines that records close, then what is new in memory."""
        for item in records.items:
            place = _place(item.record, records.steps)
            if place is None or not self._wanted.has(place):
                self.seq = item.seq + 1
                continue
            if isinstance(item.record, _ENDS):
                async for page in self._rest(row, place):
                    yield page
                self.open.pop(place, None)
            else:
                self.open.setdefault(place, 0)
            self.seq = item.seq + 1
        self.seq = records.next_seq
        if records.more:
            return
        if run_is_final(row.state):
            for place in list(self.open):  # cut off by the run's end
                async for page in self._rest(row, place):
                    yield page
                del self.open[place]
        for place, count in list(self.open.items()):
            if place[0] in records.steps:
                step = records.steps.index(place[0])
                for page in self._pages(place, self._logs.live_lines(self._key, step, place[1], skip=count)):
                    yield page

    async def _rest(self, row: RunRow, place: Place) -> AsyncIterator[TailedLogs]:
        lines = await self._logs.lines_of(row, place)
        for page in self._pages(place, lines[self.open.get(place, 0) :]):
            yield page

    def _pages(self, place: Place, lines: Iterable[str]) -> Iterator[TailedLogs]:
        """Yield lines in messages of bounded size, each with the position behind it."""
        page: list[str] = []
        size_bytes = 0
        for line in lines:
            size_bytes += len(line.encode("utf-8", "replace"))
            if page and size_bytes > PAGE_BYTES:
                yield self._page(place, page)
                page, size_bytes = [], 0
            page.append(line)
        if page:
            yield self._page(place, page)

    def _page(self, place: Place, lines: list[str]) -> TailedLogs:
        self.open[place] = self.open.get(place, 0) + len(lines)
        return TailedLogs([LogView(place[0], place[1], lines)], self.position())


def _place(record: object, steps: Sequence[str]) -> Place | None:
    """Return the attempt a record starts or ends."""
    if not isinstance(record, AttemptStarted | AttemptSucceeded | AttemptFailed | AttemptLost):
        return None
    return (steps[record.step], record.attempt) if record.step < len(steps) else None


async def _rung(wait: Awaitable[None], timeout_s: float | None) -> None:
    """Wait for the bell, no longer than a look at memory may be late."""
    try:
        async with asyncio.timeout(timeout_s):
            await wait
    except TimeoutError:
        return
