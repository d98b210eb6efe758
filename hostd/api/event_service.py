"""EventService: from the wire to the port and back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from typing import Any

from hostd.api.convert.checks import check_namespace
from hostd.api.convert.digests import repeat_of
from hostd.api.convert.events import event_type, read_events, topic_event
from hostd.api.paging import Page
from hostd.api.ports import Events
from hostd.api.tokens import Position, Tokens, scope_of
from hostd.api.watch_seats import WatchSeats
from hostd.errors.base import invalid
from hostd.model.topics import NewEvent, TopicEvents
from hostd.v1 import event_service_pb2 as wire
from hostd.v1.event_service_pb2_grpc import EventServiceServicer

PAGE_BYTES_MAX = 1024 * 1024
POSITION_MAX = 2**63 - 1


class EventService(EventServiceServicer):
    """Durable topics."""

    def __init__(self, events: Events, tokens: Tokens, seats: WatchSeats) -> None:
        self._events = events
        self._tokens = tokens
        self._seats = seats

    async def PublishEvents(self, request: wire.PublishEventsRequest, context: Any) -> wire.PublishEventsResponse:
        """Append events to topics, all or none."""
        namespace, events = check_namespace(request.namespace), read_events(list(request.events))
        repeat = repeat_of(request.request_id, {"events": [_named(event) for event in events]})
        published = await self._events.publish(namespace, events, repeat=repeat)
        return wire.PublishEventsResponse(
            events=[wire.PublishedEvent(event_id=one.event_id, position=one.position) for one in published]
        )

    async def SubscribeEvents(
        self, request: wire.SubscribeEventsRequest, context: Any
    ) -> AsyncIterator[wire.SubscribeEventsResponse]:
        """Stream events of topics."""
        namespace = check_namespace(request.namespace)
        topics = sorted(set(request.topics))
        scope = scope_of("SubscribeEvents", namespace, request.filter, *topics)
        after: Position | None = min(request.after, POSITION_MAX) if request.HasField("after") else None
        if request.resume_token:
            after = self._tokens.read_watch(request.resume_token, scope)
        if not isinstance(after, int | None):
            raise invalid("RESUME_TOKEN_INVALID", "the resume token belongs to another watch; start without one")
        with self._seats.take("events"):
            stream = self._events.subscribe(namespace, topics, request.filter, after=after)
            async with aclosing(stream) as pages:  # type: ignore[type-var]
                async for page in pages:
                    for message, position in _messages(page):
                        message.resume_token = self._tokens.watch(scope, position)
                        yield message

    async def ListEventTypes(self, request: wire.ListEventTypesRequest, context: Any) -> wire.ListEventTypesResponse:
        """Return a page of types by topic and type."""
        namespace = check_namespace(request.namespace)
        scope = scope_of("ListEventTypes", namespace, request.topic)
        page = Page(self._tokens, scope, size=request.page_size, token=request.page_token)
        after = page.after(["", ""])
        views = await self._events.types(namespace, request.topic, after=(after[0], after[1]), limit=page.limit)
        positions: list[Position] = [[view.topic, view.type] for view in views]
        kept, token = page.cut([event_type(view) for view in views], positions)
        return wire.ListEventTypesResponse(event_types=kept, next_page_token=token)


def _named(event: NewEvent) -> dict[str, Any]:
    return {"topic": event.topic, "event": event.envelope}


def _messages(page: TopicEvents) -> Iterator[tuple[wire.SubscribeEventsResponse, int]]:
    """Yield a page as messages of about 1 MiB, each with the position behind it."""
    message = wire.SubscribeEventsResponse()
    size_bytes = position = 0
    for view in page.events:
        event = topic_event(view)
        size_bytes += event.ByteSize()
        if size_bytes > PAGE_BYTES_MAX and message.events:
            yield message, position
            message, size_bytes = wire.SubscribeEventsResponse(), event.ByteSize()
        message.events.append(event)
        position = view.position
    yield message, page.position
