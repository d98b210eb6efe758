"""Frames on their way out: in order, bounded by number and bytes; whoever can wait, waits."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import NamedTuple

from hostd.plugin.process.question import Question
from hostd.plugin.v1 import host_pb2 as pb

FRAMES_MAX = 1_000
BYTES_MAX = 32 * 1024 * 1024
BATCH_BYTES = 256 * 1024


class Leaf(NamedTuple):
    """A frame, its size, and the question it asks. No frame at all means: that was the last."""

    frame: pb.FromPlugin | None
    size_bytes: int = 0
    question: Question | None = None


class Outbox:
    """The queue in front of the one writer. Survives connections; `clear` is called when one is lost."""

    def __init__(self) -> None:
        self._leaves: deque[Leaf] = deque()
        self._bytes = 0
        self._filled = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()

    @property
    def full(self) -> bool:
        """Whether `put` would wait."""
        return not self._room.is_set()

    async def put(self, frame: pb.FromPlugin, question: Question | None = None) -> None:
        """Add a frame, when there is room."""
        while self.full:
            await self._room.wait()
        self.push(frame, question)

    def push(self, frame: pb.FromPlugin, question: Question | None = None) -> None:
        """Add a frame at once: an outcome, or an answer; the host bounds these by what it asks."""
        self._add(Leaf(frame, frame.ByteSize(), question))

    def finish(self) -> None:
        """Say that nothing comes behind what is there."""
        self._add(Leaf(None))

    def _add(self, leaf: Leaf) -> None:
        if leaf.question is not None:
            leaf.question.queued, leaf.question.sent = True, False
        self._leaves.append(leaf)
        self._bytes += leaf.size_bytes
        self._filled.set()
        self._measure()

    async def next(self, frames_max: int = 1) -> list[Leaf]:
        """Return what is to be written next: at least one leaf; the one that was the last comes alone."""
        while not self._leaves:
            self._filled.clear()
            await self._filled.wait()
        leaves = [self._pop()]
        size = leaves[0].size_bytes
        while leaves[0].frame is not None and self._leaves and len(leaves) < frames_max:
            following = self._leaves[0]
            size += following.size_bytes
            if following.frame is None or size > BATCH_BYTES:
                break
            leaves.append(self._pop())
        self._measure()
        return leaves

    def _pop(self) -> Leaf:
        leaf = self._leaves.popleft()
        self._bytes -= leaf.size_bytes
        return leaf

    def clear(self) -> None:
        """Forget everything."""
        self._leaves.clear()
        self._bytes = 0
        self._measure()

    def _measure(self) -> None:
        if len(self._leaves) >= FRAMES_MAX or self._bytes >= BYTES_MAX:
            self._room.clear()
        else:
            self._room.set()
