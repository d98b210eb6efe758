"""What subscriptions hand over and nobody takes: bounded together, the slow ones ended, the others served."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from clocks import HandClock
from lab import Lab

from hostd.api.event_service import EventService
from hostd.api.tokens import Tokens
from hostd.api.unread import SMALL_BYTES, UnreadBytes
from hostd.api.watch_seats import WatchSeats
from hostd.errors.base import HostdError
from hostd.plugin import Event
from hostd.v1 import event_service_pb2 as wire

LARGE = 300_000
ROOM = 900_000  # three large ones
SEATS = 20


class House:
    """An event service over a real core, whose consumers read when the test says so."""

    def __init__(self, lab: Lab, *, wait_s: float = 30) -> None:
        self._lab = lab
        self.clock = HandClock()
        self.unread = UnreadBytes(self.clock, ROOM, wait_s=wait_s)
        seats = WatchSeats(lab.core.meter, SEATS)
        tokens = Tokens(key=b"k", timeline="t")
        self._published = 0
        self._service = EventService(lab.core.front.events, tokens, seats, self.unread)

    async def publish(self, *sizes: int) -> None:
        now = datetime.now(UTC)
        self._published += 1
        events = [
            ("t", Event(id=f"{self._published}-{number}", source="/t", type="t", time=now, data="x" * size))
            for number, size in enumerate(sizes)
        ]
        await self._lab.core.topics.publish("default", events)

    def subscribe(self, **position: Any) -> Any:
        return self._service.SubscribeEvents(wire.SubscribeEventsRequest(topics=["t"], **position), None)


async def read(stream: Any) -> wire.SubscribeEventsResponse:
    """Take a message; the one before it has been taken then."""
    async with asyncio.timeout(60):
        return wire.SubscribeEventsResponse.FromString(await anext(stream))


@pytest.fixture
async def lab() -> AsyncIterator[Lab]:
    lab = await Lab(None).open()
    yield lab
    await lab.close()


async def test_unread_events_of_all_subscriptions_share_one_budget(lab: Lab) -> None:
    """Twenty consumers that stop reading at a large event hold no more than the budget; reading on frees the others."""
    house = House(lab)
    await house.publish(LARGE, LARGE)
    streams = [house.subscribe(after=0) for _ in range(SEATS)]
    waiting: dict[Any, asyncio.Task[Any]] = {}
    for stream in streams:
        assert not (await read(stream)).events  # a bookmark
        waiting[stream] = asyncio.ensure_future(read(stream))
    seen = dict.fromkeys(streams, 0)
    while min(seen.values()) < 2:
        await asyncio.wait(waiting.values(), return_when=asyncio.FIRST_COMPLETED)
        assert house.unread.size_bytes <= ROOM
        stream = next(stream for stream in waiting if waiting[stream].done())
        seen[stream] += len(waiting.pop(stream).result().events)
        waiting[stream] = asyncio.ensure_future(read(stream))  # which takes what it got
    for task in waiting.values():
        task.cancel()
    await asyncio.wait(waiting.values())
    for stream in streams:
        await stream.aclose()
    assert house.unread.size_bytes == 0


async def test_who_does_not_read_while_others_wait_is_ended(lab: Lab) -> None:
    """The others are told to come again; the slow ones, when they read at last, too: their tokens go on."""
    house = House(lab, wait_s=0.05)
    await house.publish(LARGE, 10)
    slow = [house.subscribe(after=0) for _ in range(3)]
    for stream in slow:
        await read(stream)
    tokens = [(await read(stream)).resume_token for stream in slow]
    await house.clock.turn(1)
    other = house.subscribe(after=0)
    await read(other)
    with pytest.raises(HostdError) as why:
        await read(other)
    assert (why.value.reason, why.value.retry_after_s) == ("WATCH_TOO_SLOW", 5.0)
    for stream in slow:
        with pytest.raises(HostdError) as why:
            await read(stream)
        assert why.value.reason == "WATCH_TOO_SLOW"
    again = house.subscribe(resume_token=tokens[0])
    await read(again)
    assert [event.position for event in (await read(again)).events] == [2]


async def test_small_events_need_no_room(lab: Lab) -> None:
    """However little room is left, a subscription to small events goes on; a message holds about 64 KiB of them."""
    house = House(lab, wait_s=0.05)
    await house.publish(LARGE)
    slow = [house.subscribe(after=0) for _ in range(3)]
    for stream in slow:
        await read(stream)
        await read(stream)
    small = house.subscribe(after=1)
    await house.publish(*[1_000] * 200)
    count = 0
    while count < 200:
        message = await read(small)
        assert message.ByteSize() <= SMALL_BYTES
        count += len(message.events)
