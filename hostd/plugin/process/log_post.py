"""Log lines on their way to the host: gathered a moment, bounded, whole batches a frame."""

from __future__ import annotations

import asyncio
from collections import deque

from hostd.errors.base import HostdError
from hostd.plugin.clocks import MachineClock
from hostd.plugin.log_lines import LINE_CHARS_MAX, LeveledLog, LineBudget
from hostd.plugin.process.here import Here
from hostd.plugin.process.link import Link
from hostd.plugin.process.wire import AttemptKey
from hostd.plugin.v1 import host_pb2 as pb
from hostd.values.json_text import JsonValue, dump_json

GATHER_S = 0.1
LINES_A_FRAME = 500
BYTES_A_FRAME = 256 * 1024
WAITING_BYTES_MAX = 4 * 1024 * 1024  # of all attempts and triggers together, while the host is slow or gone

Owner = AttemptKey | str
"""Whose lines: an attempt, a trigger's instance, or nothing for the plugin itself."""


class LogPost:
    """One per process. Lines past the bounds are counted, and the count is told."""

    def __init__(self, link: Link, here: Here, clock: MachineClock) -> None:
        self.clock = clock
        self._link = link
        self._here = here
        self._waiting: dict[Owner, deque[pb.LogLine]] = {}
        self._bytes = 0
        self._dropped: dict[Owner, int] = {}
        self._timer: asyncio.TimerHandle | None = None

    def log(self, owner: Owner, **where: str) -> WireLog:
        """Return the log of an attempt (bounded as a whole) or of something that lasts."""
        return WireLog(self, owner, where, LineBudget() if isinstance(owner, AttemptKey) else None)

    def take(self, owner: Owner, line: pb.LogLine) -> None:
        """Take a line, from any thread."""
        self._here.call(self._keep, owner, line)

    def _keep(self, owner: Owner, line: pb.LogLine) -> None:
        size = line.ByteSize()
        if self._bytes + size > WAITING_BYTES_MAX:
            self._dropped[owner] = self._dropped.get(owner, 0) + 1
            return
        self._waiting.setdefault(owner, deque()).append(line)
        self._bytes += size
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(GATHER_S, self._gathered)

    def _gathered(self) -> None:
        self._timer = None
        for owner in list(self._waiting):
            if not self.flush(owner):
                break
        if self._waiting:
            self._timer = asyncio.get_running_loop().call_later(GATHER_S, self._gathered)

    def flush(self, owner: Owner, *, last: bool = False, dropped: int = 0) -> bool:
        """Send an owner's lines; return whether they all went.

        Args:
            last: no more come: they are sent though others wait for room.
            dropped: lines that never got here.
        """
        lines = self._waiting.get(owner, deque())
        dropped += self._dropped.pop(owner, 0) if not lines or last else 0
        if dropped:
            lines.append(self._line("warning", f"{dropped} log lines were dropped: past the bounds", b""))
        while lines:
            if not self._link.up or (self._link.outbox.full and not last):
                return False
            self._link.push(pb.FromPlugin(log=_frame(owner, self._batch(lines))))
        self._waiting.pop(owner, None)
        return True

    def _batch(self, lines: deque[pb.LogLine]) -> list[pb.LogLine]:
        batch: list[pb.LogLine] = []
        size = 0
        while lines and len(batch) < LINES_A_FRAME and size < BYTES_A_FRAME:
            line = lines.popleft()
            batch.append(line)
            size += line.ByteSize()
        self._bytes = max(0, self._bytes - size)
        return batch

    def _line(self, level: str, message: str, fields: bytes) -> pb.LogLine:
        return pb.LogLine(level=level, message=message, fields=fields, at_ms=self.clock.wall_ms())


class WireLog(LeveledLog):
    """A Log whose lines go to the host. Safe in threads."""

    __slots__ = ("_budget", "_owner", "_post", "_where")

    def __init__(self, post: LogPost, owner: Owner, where: dict[str, str], budget: LineBudget | None) -> None:
        self._post = post
        self._owner = owner
        self._where = where
        self._budget = budget

    @property
    def dropped(self) -> int:
        """Lines that did not fit."""
        return self._budget.dropped if self._budget is not None else 0

    def add(self, level: str, message: str, fields: dict[str, JsonValue]) -> None:
        """Send a line soon."""
        text = str(message)[:LINE_CHARS_MAX].encode("utf-8", "replace").decode()
        told = _fields({**self._where, **fields})
        if self._budget is not None and not self._budget.takes(len(text) + len(told)):
            return
        at_ms = self._post.clock.wall_ms()
        self._post.take(self._owner, pb.LogLine(level=level, message=text, fields=told, at_ms=at_ms))


def _fields(fields: dict[str, JsonValue]) -> bytes:
    if not fields:
        return b""
    try:
        told = dump_json(fields)
    except HostdError:
        told = dump_json(
            {name: repr(value)[:1_000].encode("utf-8", "replace").decode() for name, value in fields.items()}
        )
    return told if len(told) <= LINE_CHARS_MAX else dump_json({"fields_dropped": f"{len(told)} bytes"})


def _frame(owner: Owner, lines: list[pb.LogLine]) -> pb.Log:
    if isinstance(owner, AttemptKey):
        return pb.Log(attempt=owner.to_wire(), lines=lines)
    return pb.Log(trigger=owner, lines=lines)
