"""Which outcomes the child may forget, gathered: a message for each would cost as much as starting an attempt."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from hostd.host.process.held import key_of
from hostd.plugin.v1 import host_pb2 as pb

GATHER_S = 0.02
IDS_A_FRAME = 200

Tell = Callable[[list[pb.AttemptId]], bool]
"""Sends one frame; returns whether it could."""


class Recordings:
    """Of one child. Nothing waits for them but its memory, and its end while it drains."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._ids: list[pb.AttemptId] = []
        self._timer: asyncio.TimerHandle | None = None

    def add(self, attempt_id: pb.AttemptId) -> None:
        """Tell the child within a moment, or when it is connected again."""
        self._ids.append(attempt_id)
        if len(self._ids) >= IDS_A_FRAME:
            self._flush()
        else:
            self.soon()

    def soon(self) -> None:
        """Tell what there is within a moment."""
        if self._ids and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(GATHER_S, self._flush)

    def without(self, held: Iterable[pb.AttemptId]) -> list[pb.AttemptId]:
        """Return what a child says it holds, without what it is about to be told to forget."""
        told = {key_of(attempt_id) for attempt_id in self._ids}
        return [attempt_id for attempt_id in held if key_of(attempt_id) not in told]

    def forget(self) -> None:
        """The child is gone."""
        self._ids.clear()

    def _flush(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        ids, self._ids = self._ids, []
        for first in range(0, len(ids), IDS_A_FRAME):
            if not self._tell(ids[first : first + IDS_A_FRAME]):
                self._ids = ids[first:]
                return
