"""How far attempts say they are: kept with their run, given to the next attempt, written at most once in 5 s.

    heartbeat -> the run in memory -> (5 s since the last write) -> a row in the next turn's batch

One write takes what all attempts reported since the one before. It is no history: a row is overwritten, and gone when
its run ends. A kill loses what was reported in the last 5 s.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

from hostd.aio import Clock
from hostd.errors.base import HostdError, Kind
from hostd.journal.port import Progress
from hostd.model.redaction import redact_bytes
from hostd.runtime.ring.engine_loop import EngineLoop
from hostd.runtime.ring.turn import Turn
from hostd.values.json_text import JsonValue, dump_json, parse_json

WRITE_EVERY_S = 5.0
PROGRESS_BYTES_MAX = 256 * 1024

_Place = tuple[int, int]  # run, step


class ProgressBook:
    """Takes heartbeats from any thread.

    Args:
        ground: the event loop that the engine turns on.
    """

    def __init__(self, *, loop: EngineLoop, clock: Clock, ground: Callable[[], asyncio.AbstractEventLoop]) -> None:
        self._loop = loop
        self._clock = clock
        self._ground = ground
        self._lock = threading.Lock()
        self._news: dict[_Place, bytes] = {}
        self._planned = False
        self._written_s = -WRITE_EVERY_S

    def beat(self, attempt: Any, progress: JsonValue) -> None:
        """Take note of an Attempt; None says nothing new. Raises HostdError PAYLOAD_TOO_LARGE, PAYLOAD_INVALID."""
        if progress is None:
            return
        body = dump_json(progress)
        if len(body) > PROGRESS_BYTES_MAX:
            message = f"a progress has {len(body)} bytes; at most {PROGRESS_BYTES_MAX} are kept"
            raise HostdError(Kind.INVALID, "PAYLOAD_TOO_LARGE", message)
        if attempt.hidden:
            body = redact_bytes(body, attempt.hidden)
        resident = self._loop.residence.get(attempt.key)
        if resident is None or attempt.finished:
            return
        step = attempt.step.index
        with self._lock:
            if resident.progress.get(step) == body:
                return
            resident.progress = {**resident.progress, step: body}
            self._news[attempt.key, step] = body
            if self._planned:
                return
            self._planned = True
        self._ground().call_soon_threadsafe(self._plan)

    def progress(self, attempt: Any) -> JsonValue:
        """Return what the step's attempts last reported, None when they did not."""
        resident = self._loop.residence.get(attempt.key)
        body = resident.progress.get(attempt.step.index) if resident is not None else None
        return parse_json(body) if body is not None else None

    def _plan(self) -> None:
        early_s = self._written_s + WRITE_EVERY_S - self._clock.monotonic_s()
        if early_s <= 0:
            self.write()
        else:
            asyncio.get_running_loop().call_later(early_s, self.write)

    def write(self) -> None:
        """Let the next turn write what is new. On the event loop."""
        with self._lock:
            news, self._news, self._planned = self._news, {}, False
        if not news:
            return
        self._written_s = self._clock.monotonic_s()
        try:
            written = self._loop.write(lambda turn: self._fill(turn, news), size=0)
        except HostdError:
            self._keep(news)
            return
        written.add_done_callback(lambda done: self._look(done, news))

    def _fill(self, turn: Turn, news: dict[_Place, bytes]) -> None:
        turn.batch.progress += [Progress(run, step, body) for (run, step), body in news.items()]

    def _look(self, written: asyncio.Future[Any], news: dict[_Place, bytes]) -> None:
        if not written.cancelled() and written.exception() is not None:
            self._keep(news)

    def _keep(self, news: dict[_Place, bytes]) -> None:
        """Nothing was written: try again with what comes next, or in a while."""
        with self._lock:
            self._news = {**news, **self._news}
            if self._planned:
                return
            self._planned = True
        asyncio.get_running_loop().call_later(WRITE_EVERY_S, self.write)
