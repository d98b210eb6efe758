"""A question to the host that waits for its answer."""

from __future__ import annotations

import asyncio

from hostd.plugin.v1 import host_pb2 as pb


class Question:
    """One frame with a `call`, until it is answered.

    Attributes:
        again: whether it may be asked twice: the host has it happen once, or it changes nothing.
        queued: whether it got into the outbox. sent: whether a stream has had it.
    """

    __slots__ = ("again", "answer", "frame", "queued", "sent")

    def __init__(self, frame: pb.FromPlugin, *, again: bool) -> None:
        self.frame = frame
        self.again = again
        self.queued = False
        self.sent = False
        self.answer: asyncio.Future[pb.FromHost] = asyncio.get_running_loop().create_future()
