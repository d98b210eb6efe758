"""Events: publishing to topics, and subscribing to them."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from typing import Any

from hostd.client.aio.connection import Connection
from hostd.client.aio.watch import Watch
from hostd.client.conversion import result_of
from hostd.client.events import cloud_event, topic_event
from hostd.client.results import EventType, PublishedEvent, TopicEvent
from hostd.client.starts import new_request_id
from hostd.v1 import event_service_pb2 as pb

_log = logging.getLogger("hostd.client")


class TopicCalls(Connection):
    """What is done with topics."""

    async def publish(
        self,
        topic: str,
        data: Any = None,
        *,
        type: str = "",
        subject: str = "",
        id: str = "",
        source: str = "",
    ) -> PublishedEvent:
        """Publish one event; returns once it is durable.

        Args:
            data: a JSON value.
            type: such as `order.paid`; else the topic.
            id: the same from the same source is published once; made when it is not given.
        """
        given = {"type": type, "subject": subject, "id": id, "source": source}
        envelope = {name: value for name, value in given.items() if value} | {"data": data}
        return (await self.publish_many([(topic, envelope)]))[0]

    async def publish_many(
        self, events: Iterable[tuple[str, Mapping[str, Any]]], *, request_id: str = ""
    ) -> tuple[PublishedEvent, ...]:
        """Publish events, all or none: pairs of a topic and a CloudEvent in its JSON form. At most 1000, 8 MiB.

        Raises:
            HostdError: EVENT_INVALID, TOPIC_INVALID.
        """
        made = [pb.NewEvent(topic=topic, event=cloud_event(dict(event))) for topic, event in events]
        request = pb.PublishEventsRequest(
            namespace=self.namespace, events=made, request_id=request_id or new_request_id()
        )
        answer = await self._ask(self.events.PublishEvents, request)
        return tuple(result_of(PublishedEvent, each) for each in answer.events)

    def subscribe(
        self,
        *topics: str,
        filter: str = "",
        after: int | None = None,
        resume_token: str = "",
        on_expired: Callable[[], None] | None = None,
        reconnect_s: float | None = None,
    ) -> Watch[TopicEvent]:
        """Yield events of topics in the order of their positions, without end; `orders.*` is each below `orders.`.

        Args:
            filter: only events for which this expression over `event` is true.
            after: begin behind this position, 0 with all that is kept; else with what is published from now on.
            resume_token: go on behind it; `after` then says nothing.
            on_expired: see `watch_runs`.
            reconnect_s: how long to look for a daemon that went away; else as the retry policy says.
        """
        request = pb.SubscribeEventsRequest(
            namespace=self.namespace, topics=topics, filter=filter, after=after, resume_token=resume_token
        )
        return self._watched(
            self.events.SubscribeEvents, request, _events, on_expired=on_expired, reconnect_s=reconnect_s
        )

    async def event_types(self, topic: str = "") -> AsyncIterator[EventType]:
        """Yield the types of events that a topic, or every one, has seen in the last 30 days."""
        request = pb.ListEventTypesRequest(namespace=self.namespace, topic=topic)
        async for page in self._pages(self.events.ListEventTypes, request):
            for each in page.event_types:
                yield result_of(EventType, each)


def _events(message: pb.SubscribeEventsResponse) -> Iterator[TopicEvent]:
    if message.gone_to:
        _log.warning("events_gone to=%d message=%s", message.gone_to, "past retention; some may be of these topics")
    return (topic_event(each) for each in message.events)
