"""Heartbeats on their way to the host: at most one in a second for an attempt, the last always before its outcome."""

from __future__ import annotations

import asyncio

from hostd.errors.base import HostdError, Kind
from hostd.plugin.process.here import Here
from hostd.plugin.process.link import Link
from hostd.plugin.process.wire import AttemptKey
from hostd.plugin.v1 import host_pb2 as pb
from hostd.values.json_text import JsonValue, dump_json

EVERY_S = 1.0
PROGRESS_BYTES_MAX = 256 * 1024


class Heartbeats:
    """What one attempt reports."""

    __slots__ = ("_here", "_key", "_last", "_link", "_sent_s", "_timer", "_waiting")

    def __init__(self, key: AttemptKey, link: Link, here: Here) -> None:
        self._key = key
        self._link = link
        self._here = here
        self._last: bytes | None = None
        self._waiting = False
        self._sent_s = -EVERY_S
        self._timer: asyncio.TimerHandle | None = None

    def beat(self, progress: JsonValue) -> None:
        """Take note, from any thread. Raises HostdError PAYLOAD_INVALID, PAYLOAD_TOO_LARGE."""
        text = dump_json(progress) if progress is not None else b""
        if len(text) > PROGRESS_BYTES_MAX:
            message = f"a progress has {len(text)} bytes; at most {PROGRESS_BYTES_MAX} are kept"
            raise HostdError(Kind.INVALID, "PAYLOAD_TOO_LARGE", message)
        self._here.call(self._beat, text)

    def _beat(self, text: bytes) -> None:
        self._last, self._waiting = text, True
        loop = asyncio.get_running_loop()
        early_s = self._sent_s + EVERY_S - loop.time()
        if early_s <= 0:
            self.flush()
        elif self._timer is None:
            self._timer = loop.call_later(early_s, self.flush)

    def flush(self) -> None:
        """Send what waits."""
        self.stop()
        if self._waiting and self._link.up:
            self._waiting = False
            self._sent_s = asyncio.get_running_loop().time()
            self._link.push(pb.FromPlugin(heartbeat=pb.Heartbeat(id=self._key.to_wire(), progress=self._last or b"")))

    def again(self) -> None:
        """Send the last one again: the host may not have had it."""
        self._waiting = self._last is not None
        self.flush()

    def stop(self) -> None:
        """Stop the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
