"""One worker as the daemon sees it: frames over its socket, strictly one question and one answer at a time."""

from __future__ import annotations

import asyncio
import select
from collections.abc import Callable

from hostd.errors.base import invariant
from hostd.lua.frames import FrameDecoder, FrameError, encode_frame


class WorkerGone(Exception):
    """The worker's socket closed, or it sent something that is not a frame."""


def _look(answer: asyncio.Future[list[bytes]]) -> None:
    if not answer.cancelled():
        answer.exception()


class WorkerLink(asyncio.Protocol):
    """The connection to one worker process.

    Args:
        max_frame_bytes: a worker that sends more has gone mad and is cut off.
    """

    def __init__(self, max_frame_bytes: int) -> None:
        self._decoder = FrameDecoder(max_frame_bytes)
        self._transport: asyncio.WriteTransport | None = None
        self._answer: asyncio.Future[list[bytes]] | None = None
        self.gone = False
        self.on_gone: Callable[[], None] = lambda: None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport (called by the loop)."""
        self._transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        """Hand a complete frame to whoever asked; anything unasked ends the connection (called by the loop)."""
        try:
            frames = self._decoder.feed(data)
        except FrameError:
            self.close()
            return
        for frame in frames:
            if self._answer is None or self._answer.done() or not frame:
                self.close()
                return
            self._answer.set_result(frame)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever waits (called by the loop)."""
        self.gone = True
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(WorkerGone())
        self.on_gone()

    def expect(self) -> asyncio.Future[list[bytes]]:
        """Return the future of the next frame. One at a time.

        Raises (from the future):
            WorkerGone: the worker died first.
        """
        invariant(self._answer is None or self._answer.done(), "a worker was asked two things at once")
        self._answer = asyncio.get_running_loop().create_future()
        self._answer.add_done_callback(_look)  # who asked may have been cancelled: then nobody looks
        if self.gone:
            self._answer.set_exception(WorkerGone())
        return self._answer

    async def ask(self, *parts: bytes) -> list[bytes]:
        """Send a frame and return the worker's next one. Raises WorkerGone."""
        answer = self.expect()
        if self._transport is not None and not self.gone:
            self._transport.write(encode_frame(*parts))
        return await answer

    def is_quiet(self) -> bool:
        """Say whether the socket is open and holds nothing: for an idle worker anything else means it died or went mad.

        Asked before a worker is handed out, because its end may not have reached the loop yet.
        """
        if self._transport is None or self.gone:
            return False
        poll = select.poll()
        poll.register(self._transport.get_extra_info("socket").fileno(), select.POLLIN)
        return not poll.poll(0)

    def close(self) -> None:
        """Close the daemon's end; safe to call twice."""
        if self._transport is not None:
            self._transport.abort()
