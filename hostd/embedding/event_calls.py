"""Events of a host: publish them, subscribe to topics."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from datetime import datetime
from typing import Any

from hostd.api.convert.digests import repeat_of
from hostd.embedding.calls import Calls
from hostd.embedding.sending import payload
from hostd.model.topics import NewEvent, PublishedView, TopicEvent
from hostd.plugin import rfc3339
from hostd.values.json_text import JsonValue


class EventCalls(Calls):
    """The part of a host for events."""

    async def publish(
        self,
        topic: str,
        data: Any = None,
        *,
        id: str = "",  # noqa: A002 the names of the envelope
        type: str = "",  # noqa: A002
        source: str = "",
        subject: str = "",
        time: datetime | None = None,
        extensions: Mapping[str, JsonValue] | None = None,
        request_id: str = "",
    ) -> PublishedView:
        """Publish an event; it is durable when this returns `event_id` and `position`.

        Args:
            id: what a topic has seen from the same source is published once; random where not given.
            type: the topic where not given.

        Raises:
            HostdError: TOPIC_INVALID, EVENT_INVALID, PAYLOAD_*, REQUEST_ID_CONFLICT, JOURNAL_*.
        """
        given = {"id": id, "type": type, "source": source, "subject": subject}
        envelope: dict[str, JsonValue] = {**(extensions or {}), **{key: text for key, text in given.items() if text}}
        if time is not None:
            envelope["time"] = rfc3339(time)
        if data is not None:
            envelope["data"] = payload(data, "data")[1]
        event = NewEvent(topic, envelope)
        repeat = repeat_of(request_id, {"events": [{"topic": topic, "event": envelope}]})
        (done,) = await self._front.events.publish(self.namespace, [event], principal=self.principal, repeat=repeat)
        return done

    async def subscribe(
        self,
        topics: str | Sequence[str],
        filter: str = "",  # noqa: A002 what the control plane calls it
        *,
        after: int | None = None,
    ) -> AsyncGenerator[TopicEvent, None]:
        """Yield events of topics, without end: `position`, `topic`, and `envelope` with `type`, `data` and so on.

        Args:
            topics: `orders.new`, `orders.*`, `*`.
            filter: an expression over `event`.
            after: a position, that of the last event seen; 0 begins with the oldest kept, None with the next one.

        Raises:
            HostdError: TOPIC_INVALID, EXPRESSION_INVALID; EXPRESSION_FAILED naming an event; DRAINING.
        """
        wanted = sorted({topics} if isinstance(topics, str) else set(topics))
        stream = self._front.events.subscribe(self.namespace, wanted, filter, after=after)
        async with aclosing(stream) as pages:  # type: ignore[type-var]
            async for page in pages:
                for event in page.events:
                    yield event
