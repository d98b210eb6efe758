"""Subscriptions that retention overtakes: what went unread is named, and what is kept arrives."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from daemon_kit import Kit

from hostd.journal.port import Retention
from hostd.runtime.desks import event_desk
from hostd.v1 import event_service_pb2 as wire

EVERYTHING = Retention(events_ms=1)


async def publish(kit: Kit, topic: str, count: int = 1) -> int:
    """Publish events; return the position of the last."""
    new = [wire.NewEvent(topic=topic, event=wire.CloudEvent(type="t")) for _ in range(count)]
    done = await kit.events.PublishEvents(wire.PublishEventsRequest(events=new))
    return int(done.events[-1].position)


async def let_go(kit: Kit) -> None:
    """Let every event that there is be past retention."""
    far_ms = kit.core.clock.wall_ms() + 10_000_000
    while await asyncio.to_thread(lambda: kit.core.journal.prune(now_ms=far_ms, retention=EVERYTHING)):
        pass


async def read(call: Any, enough: Any) -> list[Any]:
    """Return messages up to the one that is enough."""
    messages: list[Any] = []
    async with asyncio.timeout(120):
        while not messages or not enough(messages[-1]):
            messages.append(await call.read())
    return messages


async def resumed(kit: Kit, token: str) -> tuple[list[int], list[int]]:
    """Go on with a token up to an event; return the positions that arrive and what is named as gone."""
    call = kit.events.SubscribeEvents(wire.SubscribeEventsRequest(topics=["a"], resume_token=token))
    messages = await read(call, lambda message: message.events)
    call.cancel()
    return [one.position for each in messages for one in each.events], [each.gone_to for each in messages]


async def test_what_went_before_it_was_read_is_named_once(kit: Kit) -> None:
    """A token from before, with events left or none; one that stands behind all that went is told of nothing."""
    first = await publish(kit, "a")
    call = kit.events.SubscribeEvents(wire.SubscribeEventsRequest(topics=["a"], after=0))
    token = (await read(call, lambda message: message.events))[-1].resume_token
    gone = await publish(kit, "a", 300)
    await let_go(kit)
    last = await publish(kit, "a")
    assert await resumed(kit, token) == ([last], [0, gone])

    await let_go(kit)
    fresh = kit.events.SubscribeEvents(wire.SubscribeEventsRequest(topics=["a"], after=first))
    told = (await read(fresh, lambda message: message.gone_to))[-1]
    assert (list(told.events), told.gone_to) == ([], last)
    last = await publish(kit, "a")
    assert await resumed(kit, told.resume_token) == ([last], [0, 0])


async def test_a_subscription_to_a_quiet_topic_moves_on(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is published to others and goes does not make its token old, nor is it told that something is missing."""
    monkeypatch.setattr(event_desk, "WAIT_MS", 20)
    await publish(kit, "a")
    call = kit.events.SubscribeEvents(wire.SubscribeEventsRequest(topics=["a"], after=0))
    before = (await read(call, lambda message: message.events))[-1].resume_token
    await publish(kit, "busy", 50)
    token = (await read(call, lambda message: message.resume_token != before))[-1].resume_token
    await let_go(kit)
    last = await publish(kit, "a")
    assert await resumed(kit, token) == ([last], [0, 0])
