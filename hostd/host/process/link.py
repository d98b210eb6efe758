"""One connection of a plugin process: frames out in order, answers matched to questions, everything bounded."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

from hostd.errors.base import HostdError, Kind, Violation, invalid
from hostd.errors.reasons import REASONS
from hostd.plugin import ActionError
from hostd.plugin.guard import fault_of
from hostd.plugin.v1 import host_pb2 as pb
from hostd.values.json_text import parse_json

FRAME_BYTES_MAX = 20 * 1024 * 1024
QUEUE_BYTES_MAX = 64 * 1024 * 1024
QUEUE_FRAMES_MAX = 20_000
QUESTIONS_MAX = 10_000
BATCH_FRAMES = 256
BATCH_BYTES = 256 * 1024
MESSAGE_CHARS_MAX = 2_000
VIOLATIONS_MAX = 100


class LinkLostError(Exception):
    """The connection ended before an answer came."""


class Link:
    """The host's end of one stream."""

    def __init__(self, hello: pb.Hello) -> None:
        self.hello = hello
        self.closed = asyncio.Event()
        self._out: deque[pb.FromHost] = deque()
        self._out_bytes = 0
        self._filled = asyncio.Event()
        self._emptier = asyncio.Event()
        self._questions: dict[int, asyncio.Future[pb.FromPlugin]] = {}
        self._last = 0
        self.asked = 0  # questions that keep the child at work

    def send(self, frame: pb.FromHost) -> None:
        """Queue a frame.

        Raises:
            HostdError: PLUGIN_UNAVAILABLE when the child does not read; PAYLOAD_TOO_LARGE for what would end the
                connection, and what all others have over it.
        """
        size = frame.ByteSize()
        if size > FRAME_BYTES_MAX:
            message = f"this has {size} bytes; a plugin's process is sent at most {FRAME_BYTES_MAX} at once"
            raise invalid("PAYLOAD_TOO_LARGE", message)
        if self._out_bytes + size > QUEUE_BYTES_MAX or len(self._out) >= QUEUE_FRAMES_MAX:
            raise unavailable("the plugin's process does not read what it is sent")
        self._out.append(frame)
        self._out_bytes += size
        self._filled.set()

    async def reply(self, frame: pb.FromHost) -> None:
        """Queue an answer, once there is room for it; nothing where the link closes before. Who asked waits for it.

        Raises:
            HostdError: PAYLOAD_TOO_LARGE.
        """
        while not self.closed.is_set():
            try:
                self.send(frame)
            except HostdError as error:
                if error.kind is not Kind.UNAVAILABLE:
                    raise
                self._emptier.clear()
                await self._emptier.wait()
            else:
                return

    async def ask(self, frame: pb.FromHost) -> pb.FromPlugin:
        """Send a question and return its answer. Raises LinkLostError, HostdError PLUGIN_UNAVAILABLE."""
        if self.closed.is_set():
            raise LinkLostError
        if len(self._questions) >= QUESTIONS_MAX:
            raise unavailable("the plugin's process does not answer")
        work = not frame.HasField("ping")
        self.asked += work
        self._last += 1
        number = self._last
        frame.call = number
        future = self._questions[number] = asyncio.get_running_loop().create_future()
        try:
            self.send(frame)
            answer: pb.FromPlugin = await future
            return answer
        finally:
            self.asked -= work
            self._questions.pop(number, None)

    def answered(self, frame: pb.FromPlugin) -> bool:
        """Hand an answer to whoever asked; say whether anybody did."""
        future = self._questions.get(frame.call)
        if future is None or future.done():
            return False
        future.set_result(frame)
        return True

    async def next_frame(self) -> pb.FromHost | None:
        """Return the next frame to write, None when the link is closed; for the stream's writer.

        What has gathered meanwhile goes together, to a child that says it can take that.
        """
        while not self._out:
            if self.closed.is_set():
                return None
            self._filled.clear()
            await self._filled.wait()
        first = self._pop()
        if not self._out or not self.hello.batches:
            return first
        frames, size = [first], first.ByteSize()
        while self._out and len(frames) < BATCH_FRAMES and size + self._out[0].ByteSize() <= BATCH_BYTES:
            frames.append(self._pop())
            size += frames[-1].ByteSize()
        return first if len(frames) == 1 else pb.FromHost(batch=pb.HostBatch(frames=frames))

    def _pop(self) -> pb.FromHost:
        frame = self._out.popleft()
        self._out_bytes -= frame.ByteSize()
        self._emptier.set()
        return frame

    def close(self) -> None:
        """Fail what waits for answers and let the writer end; may be called twice."""
        self.closed.set()
        self._filled.set()
        self._emptier.set()
        for future in self._questions.values():
            if not future.done():
                future.set_exception(LinkLostError())
                future.exception()  # nobody need be waiting any more


def unavailable(message: str, *, retry_after_s: float | None = 1.0) -> HostdError:
    """Return the error for a plugin process that cannot serve now."""
    return HostdError(Kind.UNAVAILABLE, "PLUGIN_UNAVAILABLE", message, retry_after_s=retry_after_s)


def fault_error(fault: pb.Fault) -> HostdError:
    """Return a child's fault as an error of hostd's; a reason it made up becomes PLUGIN_FAILED."""
    page = REASONS.get(fault.reason)
    if page is None or page.kind is Kind.BUG:
        return HostdError(
            Kind.UNAVAILABLE, "PLUGIN_FAILED", f"{fault.reason[:80]}: {fault.message}"[:MESSAGE_CHARS_MAX]
        )
    details, violations = _details(fault.details)
    return HostdError(
        page.kind,
        fault.reason,
        fault.message[:MESSAGE_CHARS_MAX],
        details=details,
        violations=violations,
        retry_after_s=fault.retry_after_ms / 1000 or None,
    )


def _details(text: bytes) -> tuple[dict[str, str], tuple[Violation, ...]]:
    try:
        value = parse_json(text) if text else {}
    except HostdError:
        return {}, ()
    if not isinstance(value, dict):
        return {}, ()
    faults = value.pop("violations", [])
    told = [entry for entry in faults if isinstance(entry, dict)] if isinstance(faults, list) else []
    violations = tuple(_violation(entry) for entry in told[:VIOLATIONS_MAX])
    return {str(name): str(one) for name, one in value.items()}, violations


def _violation(entry: dict[str, Any]) -> Violation:
    path, reason, message = (str(entry.get(name, "")) for name in ("path", "reason", "message"))
    return Violation(path, reason, message)


def to_fault(error: HostdError | ActionError) -> pb.Fault:
    """Return an error of hostd's, or of one of its services that are actions, as a child reads it."""
    if isinstance(error, ActionError):
        told = fault_of(error)
        return pb.Fault(
            reason=told.reason,
            message=told.message,
            code=told.code,
            retryable=told.retryable,
            details=told.details,
            retry_after_ms=told.retry_after_ms or 0,
        )
    return pb.Fault(
        reason=error.reason,
        message=error.message,
        retryable=error.kind in (Kind.UNAVAILABLE, Kind.EXHAUSTED, Kind.TIMEOUT, Kind.CONFLICT),
        retry_after_ms=round((error.retry_after_s or 0) * 1000),
    )
