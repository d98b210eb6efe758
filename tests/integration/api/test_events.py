"""EventService over the socket: publishing once, subscribing through restarts, filters, types."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import grpc
import pytest
from daemon_kit import Kit, refused, running
from google.protobuf.struct_pb2 import Value

from hostd.v1 import event_service_pb2 as wire
from hostd.v1.admin_service_pb2 import ListNamespacesRequest
from hostd.v1.payload_pb2 import Payload
from hostd.v1.trigger_service_pb2 import WatchTriggersRequest


def new(topic: str, data: bytes = b"null", **fields: Any) -> wire.NewEvent:
    payload = Payload(data=data, content_type="application/json")
    return wire.NewEvent(topic=topic, event=wire.CloudEvent(data=payload, **fields))


async def publish(kit: Kit, *events: wire.NewEvent, request_id: str = "") -> list[tuple[str, int]]:
    answer = await kit.events.PublishEvents(wire.PublishEventsRequest(events=events, request_id=request_id))
    return [(one.event_id, one.position) for one in answer.events]


class Reader:
    """A subscription, read until enough has come."""

    def __init__(self, kit: Kit, *topics: str, **fields: Any) -> None:
        self._call = kit.events.SubscribeEvents(wire.SubscribeEventsRequest(topics=topics, **fields))
        self.events: list[wire.TopicEvent] = []
        self.token = ""

    async def until(self, count: int) -> list[wire.TopicEvent]:
        """Read at least one message, and until so many events have come."""
        async with asyncio.timeout(120):
            while not self.token or len(self.events) < count:
                message = await self._call.read()
                assert message is not grpc.aio.EOF, "the subscription ended"
                self.token = message.resume_token
                self.events += message.events
        return self.events

    def stop(self) -> None:
        self._call.cancel()


async def test_events_arrive_as_they_were_published(kit: Kit) -> None:
    """Attributes, extensions and data come back; a subscription without a position sees what comes from now on."""
    await publish(kit, new("orders.new", id="before"))
    reader = Reader(kit, "orders.*")
    assert await reader.until(0) == []
    event = new("orders.new", b'{"n":9007199254740993}', id="e1", source="/shop", type="paid", subject="o-1")
    event.event.time.FromJsonString("2026-01-02T03:04:05.678901Z")
    event.event.extensions["count"].CopyFrom(Value(number_value=3))
    event.event.extensions["late"].CopyFrom(Value(bool_value=True))
    [(_, position)] = await publish(kit, event)
    [found] = await reader.until(1)
    reader.stop()
    assert (found.position, found.topic) == (position, "orders.new")
    assert found.event == event.event


async def test_a_repeated_request_publishes_once(kit: Kit) -> None:
    """The same request id has the same ids and positions; with other events it is refused."""
    one = [new("t", b"1"), new("t", b"2")]
    first = await publish(kit, *one, request_id="r1")
    assert await publish(kit, *one, request_id="r1") == first
    assert len({event_id for event_id, _ in first}) == 2
    why = await refused(kit.events.PublishEvents(wire.PublishEventsRequest(events=[new("t", b"3")], request_id="r1")))
    assert why.reason == "REQUEST_ID_CONFLICT"
    reader = Reader(kit, "t", after=0)
    assert [event.event.id for event in await reader.until(2)] == [event_id for event_id, _ in first]
    reader.stop()


async def test_a_subscription_is_resumed_after_a_restart(tmp_path: Path) -> None:
    """The token of the last message holds with the next daemon on the journal: nothing lost, nothing twice."""
    async with running(tmp_path / "d") as kit:
        reader = Reader(kit, "t", after=0)
        await publish(kit, new("t", id="1"), new("t", id="2"))
        await reader.until(2)
        reader.stop()
        await publish(kit, new("t", id="3"))
    async with running(tmp_path / "d") as kit:
        await publish(kit, new("t", id="4"))
        again = Reader(kit, "t", resume_token=reader.token)
        assert [event.event.id for event in await again.until(2)] == ["3", "4"]
        again.stop()
        other = wire.SubscribeEventsRequest(topics=["u"], resume_token=reader.token)
        assert (await refused(kit.events.SubscribeEvents(other))).reason == "RESUME_TOKEN_INVALID"


async def test_a_filter_keeps_events_back_and_moves_the_token(kit: Kit) -> None:
    """Only events for which the expression is true are sent; the token passes the others."""
    reader = Reader(kit, "t", after=0, filter='event.type == "paid" && event.data.n > 1')
    await publish(kit, *(new("t", b'{"n":%d}' % n, type="paid" if n % 2 else "other") for n in range(6)))
    assert [event.event.data.data for event in await reader.until(2)] == [b'{"n":3}', b'{"n":5}']
    reader.stop()
    wrong = wire.SubscribeEventsRequest(topics=["t"], filter="event.type ==")
    assert (await refused(kit.events.SubscribeEvents(wrong))).reason == "EXPRESSION_INVALID"
    broken = wire.SubscribeEventsRequest(topics=["t"], filter="event.data.missing > 1", after=0)
    why = await refused(kit.events.SubscribeEvents(broken))
    assert why.reason == "EXPRESSION_FAILED"
    assert "position 1" in why.message


async def test_what_lies_before_a_failure_of_the_filter_arrives(kit: Kit) -> None:
    """An event the filter fails for ends the subscription behind those before it; its token leads to it again."""
    await publish(kit, new("t", b'{"n":1}'), new("t", b'{"n":2}'), new("t"), new("t", b'{"n":4}'))
    reader = Reader(kit, "t", after=0, filter="event.data.n > 1")
    assert [event.event.data.data for event in await reader.until(1)] == [b'{"n":2}']
    again = wire.SubscribeEventsRequest(topics=["t"], filter="event.data.n > 1", resume_token=reader.token)
    reader.stop()
    why = await refused(kit.events.SubscribeEvents(again))
    assert (why.reason, "position 3" in why.message) == ("EXPRESSION_FAILED", True)
    rest = Reader(kit, "t", after=3, filter="event.data.n > 1")
    assert [event.position for event in await rest.until(1)] == [4]
    rest.stop()


async def test_a_reader_that_stands_still_costs_nobody_else_anything(kit: Kit) -> None:
    """While one subscription is not read at all, others get everything; then it gets everything, too."""
    slow = Reader(kit, "t", after=0)
    quick = Reader(kit, "t", after=0)
    data = b'"' + b"x" * 100_000 + b'"'
    for n in range(100):
        await publish(kit, new("t", data, id=f"{n}"))
    assert len(await quick.until(100)) == 100
    assert [event.event.id for event in await slow.until(100)] == [f"{n}" for n in range(100)]
    slow.stop()
    quick.stop()


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (new("t t"), "TOPIC_INVALID"),
        (new("orders.*"), "TOPIC_INVALID"),
        (new("t", b"{"), "PAYLOAD_INVALID"),
        (new("t", id="x" * 300), "EVENT_INVALID"),
        (wire.NewEvent(topic="t", event=wire.CloudEvent(extensions={"Bad": Value(bool_value=True)})), "EVENT_INVALID"),
        (wire.NewEvent(topic="t", event=wire.CloudEvent(extensions={"id": Value()})), "ARGUMENT_INVALID"),
        (new("t", b'"' + b"x" * (1 << 20) + b'"'), "PAYLOAD_TOO_LARGE"),
    ],
)
async def test_what_is_no_event_is_refused_with_all_beside_it(kit: Kit, event: wire.NewEvent, reason: str) -> None:
    """A batch with one wrong event publishes nothing and says what is wrong."""
    why = await refused(kit.events.PublishEvents(wire.PublishEventsRequest(events=[new("t"), event])))
    assert why.reason == reason
    assert await kit.core.topics.last() == 0


async def test_types_come_in_pages(kit: Kit) -> None:
    """Each topic and type once, by name, a page at a time."""
    await publish(kit, *(new(f"t{n % 3}", type=f"k{n}") for n in range(9)))
    found, token = [], ""
    while True:
        page = await kit.events.ListEventTypes(wire.ListEventTypesRequest(page_size=4, page_token=token))
        found += [(one.topic, one.type) for one in page.event_types]
        token = page.next_page_token
        if not token:
            break
    assert found == sorted((f"t{n % 3}", f"k{n}") for n in range(9))
    only = await kit.events.ListEventTypes(wire.ListEventTypesRequest(topic="t1"))
    assert [one.type for one in only.event_types] == ["k1", "k4", "k7"]
    assert (await refused(kit.events.ListEventTypes(wire.ListEventTypesRequest(topic="a b")))).reason == "TOPIC_INVALID"


async def test_what_the_daemon_keeps_for_itself_is_no_namespace(kit: Kit) -> None:
    """Types that topics have seen, and what watches of triggers were told, lie where nobody looks."""
    await publish(kit, new("t"))
    watch = kit.triggers.WatchTriggers(WatchTriggersRequest())
    await watch.read()
    watch.cancel()
    answer = await kit.admin.ListNamespaces(ListNamespacesRequest())
    assert [space.name for space in answer.namespaces] == ["default"]
