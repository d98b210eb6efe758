"""EventService: from the wire to the port and back."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any

from hostd.api.caller import CALLER
from hostd.api.convert.checks import check_namespace
from hostd.api.convert.digests import repeat_of
from hostd.api.convert.events import event_type, read_events, topic_event
from hostd.api.paging import Page
from hostd.api.ports import Events
from hostd.api.tokens import Position, Tokens, scope_of
from hostd.api.unread import Unread, UnreadBytes
from hostd.api.watch_seats import WatchSeats
from hostd.errors.base import invalid
from hostd.model.topics import NewEvent, TopicEvents, in_trace
from hostd.v1 import event_service_pb2 as wire
from hostd.v1.event_service_pb2_grpc import EventServiceServicer
from hostd.values.trace import headers_of

POSITION_MAX = 2**63 - 1


class EventService(EventServiceServicer):
    """Durable topics."""

    def __init__(self, events: Events, tokens: Tokens, seats: WatchSeats, unread: UnreadBytes) -> None:
        self._events = events
        self._tokens = tokens
        self._seats = seats
        self._unread = unread

    async def PublishEvents(self, request: wire.PublishEventsRequest, context: Any) -> wire.PublishEventsResponse:
        """Append events to topics, all or none."""
        namespace, events = check_namespace(request.namespace), read_events(list(request.events))
        repeat = repeat_of(request.request_id, {"events": [_named(event) for event in events]})
        caller = CALLER.get()
        if caller.trace:
            events = [in_trace(event, headers_of(caller.trace)) for event in events]
        published = await self._events.publish(namespace, events, principal=caller.principal, repeat=repeat)
        return wire.PublishEventsResponse(
            events=[wire.PublishedEvent(event_id=one.event_id, position=one.position) for one in published]
        )

    async def SubscribeEvents(self, request: wire.SubscribeEventsRequest, context: Any) -> AsyncIterator[Any]:
        """Stream events of topics, as bytes of SubscribeEventsResponse: what a consumer does not take lies once."""
        namespace = check_namespace(request.namespace)
        topics = sorted(set(request.topics))
        scope = scope_of("SubscribeEvents", namespace, request.filter, *topics)
        after: Position | None = min(request.after, POSITION_MAX) if request.HasField("after") else None
        if request.resume_token:
            after = self._tokens.read_watch(request.resume_token, scope)
        if not isinstance(after, int | None):
            raise invalid("RESUME_TOKEN_INVALID", "the resume token belongs to another watch; start without one")
        unread = self._unread.of_one()
        try:
            with self._seats.take("events"):
                while True:
                    stream = self._events.subscribe(namespace, topics, request.filter, after=after)
                    async with aclosing(self._sent(stream, scope, unread)) as messages:
                        async for message, position in messages:
                            after = position
                            yield message
                            unread.taken()
                    await unread.room()
        finally:
            unread.close()

    async def _sent(
        self, stream: AsyncIterator[TopicEvents], scope: bytes, unread: Unread
    ) -> AsyncGenerator[tuple[bytes, int], None]:
        """Yield messages, each with its position, up to one that there is no room for; it is read again."""
        async with aclosing(stream) as pages:  # type: ignore[type-var]
            async for page in pages:
                message = _message(page, self._tokens.watch(scope, page.position))
                if not unread.take(message):
                    return
                yield message, page.position

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


def _message(page: TopicEvents, token: str) -> bytes:
    """Return a page as bytes of one message; the page is given up, as nobody may wait with it."""
    message = wire.SubscribeEventsResponse(
        events=map(topic_event, page.events), resume_token=token, gone_to=page.gone_to
    )
    page.events.clear()
    return message.SerializeToString()
