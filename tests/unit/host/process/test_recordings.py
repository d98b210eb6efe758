"""What the child may forget is told in few messages, and not lost while it is away."""

from __future__ import annotations

import asyncio

from hostd.host.process.recordings import IDS_A_FRAME, Recordings
from hostd.plugin.v1 import host_pb2 as pb


def attempt(number: int) -> pb.AttemptId:
    """Name an attempt."""
    return pb.AttemptId(run_id="r", step="s", attempt=number)


async def test_they_are_gathered() -> None:
    """Those of a moment go together; so many that a message is full go at once."""
    told: list[int] = []
    heard = asyncio.Event()

    def tell(ids: list[pb.AttemptId]) -> bool:
        told.append(len(ids))
        heard.set()
        return True

    recordings = Recordings(tell)
    for number in range(IDS_A_FRAME + 2):
        recordings.add(attempt(number))
    assert told == [IDS_A_FRAME]
    heard.clear()
    await heard.wait()
    assert told == [IDS_A_FRAME, 2]


async def test_they_are_kept_while_the_child_is_away() -> None:
    """What could not be told is told after the child dialed again, and it is not asked for what that names."""
    told: list[list[int]] = []
    away, heard = [True], asyncio.Event()

    def tell(ids: list[pb.AttemptId]) -> bool:
        heard.set()
        if not away:
            told.append([one.attempt for one in ids])
        return not away

    recordings = Recordings(tell)
    recordings.add(attempt(1))
    await heard.wait()
    away.clear()
    assert recordings.without([attempt(1), attempt(2)]) == [attempt(2)]
    heard.clear()
    recordings.soon()
    await heard.wait()
    assert told == [[1]]
    assert recordings.without([attempt(1)]) == [attempt(1)]
