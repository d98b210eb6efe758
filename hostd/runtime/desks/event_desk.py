"""Topics as the doors ask for them: publishing what clients send, subscribing through a filter, types seen."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Sequence
from random import Random
from typing import Any

from hostd.aio import Clock
from hostd.definition import roots
from hostd.definition.expressions.expression import CompiledExpression, compile_expression
from hostd.engine.steps import truth
from hostd.errors.base import HostdError
from hostd.journal.port import Journal
from hostd.model.requests import Repeat
from hostd.model.topics import EventTypeView, NewEvent, PublishedView, TopicEvent, TopicEvents
from hostd.plugin import Event, Published
from hostd.plugin.clocks import at_ms
from hostd.plugin.cloud_events import Defaults, read_event
from hostd.plugin.service_rules import check_topic, check_topics
from hostd.runtime.ring.audit import audited
from hostd.runtime.ring.readers import Readers
from hostd.runtime.ring.repeats import first_answer, note_of
from hostd.runtime.services.topics import Topics
from hostd.runtime.triggers.event_scope import EventScope

PUBLISH = "event.publish"
TOPICS_TOLD_MAX = 10  # in the audit, of one call
PAGE_EVENTS = 200
PAGE_BYTES = 64 * 1024  # the event that reaches it is the last of its page: what is not read is held
WAIT_MS = 30_000


class EventDesk:
    """What EventService and the HTTP door ask."""

    def __init__(self, *, topics: Topics, journal: Journal, readers: Readers, clock: Clock, random: Random) -> None:
        self._topics = topics
        self._journal = journal
        self._readers = readers
        self._clock = clock
        self._random = random

    async def publish(
        self, namespace: str, events: Sequence[NewEvent], *, principal: str, repeat: Repeat | None
    ) -> Sequence[PublishedView]:
        """Publish events, all or none; answers once durable, in order.

        Raises:
            HostdError: TOPIC_INVALID, EVENT_INVALID, PAYLOAD_TOO_LARGE, REQUEST_ID_CONFLICT, JOURNAL_*.
        """
        first = await first_answer(self._journal, self._readers, namespace, PUBLISH, repeat)
        made = [(one.topic, self._made(namespace, one, place, repeat)) for place, one in enumerate(events)]
        note = None
        if first is None:
            topics = list(dict.fromkeys(topic for topic, _ in made))
            told = {"topics": " ".join(topics[:TOPICS_TOLD_MAX]), "events": str(len(made))}
            note = audited(namespace, principal, PUBLISH, topics[0], note_of(namespace, PUBLISH, repeat, b""), **told)
        positions = await self._topics.publish(namespace, made, note=note)
        return [PublishedView(event.id, position) for (_, event), position in zip(made, positions, strict=True)]

    def _made(self, namespace: str, new: NewEvent, place: int, repeat: Repeat | None) -> Event:
        """Return an event with all it needs; its id is the same when the request is repeated."""
        topic = check_topic(new.topic)
        if repeat is not None:
            text = f"{repeat.request_id}\n{place}".encode()
            event_id = hashlib.blake2b(text, digest_size=16).hexdigest()
        else:
            event_id = f"{self._random.getrandbits(128):032x}"
        now = at_ms(self._clock.wall_ms())
        return read_event(new.envelope, Defaults(now, id=event_id, source=f"/hostd/{namespace}", type=topic))

    async def subscribe(
        self, namespace: str, topics: Sequence[str], filter_text: str, *, after: int | None
    ) -> AsyncIterator[TopicEvents]:
        """Yield pages of events, without end; the first, and any where the filter took all away, is a bookmark.

        Raises:
            HostdError: TOPIC_INVALID, EXPRESSION_INVALID; EXPRESSION_FAILED naming an event; DRAINING.
        """
        wanted = check_topics(topics)
        condition = compile_expression(filter_text, roots=roots.EVENT) if filter_text.strip() else None
        place = after if after is not None else await self._topics.last()
        yield TopicEvents([], place)
        while True:
            page = await self._topics.read_page(
                namespace, wanted, after=place, limit=PAGE_EVENTS, wait_ms=WAIT_MS, size_bytes=PAGE_BYTES
            )
            if page.after != place:
                seen, place, failure = self._through(page.events, condition, place, page.after)
                page.events.clear()  # whoever does not read on holds what it was given, no more
                yield TopicEvents(seen, place, page.gone_to)
                if failure is not None:
                    raise failure

    def _through(
        self, page: Sequence[Published], condition: CompiledExpression | None, place: int, following: int
    ) -> tuple[list[TopicEvent], int, HostdError | None]:
        """Return what subscribers get of a page, the position behind it, and what the filter failed with there.

        What lies before the event that it fails for is delivered: who goes on behind that event misses nothing else.
        """
        seen: list[TopicEvent] = []
        for one in page:
            try:
                view = self._seen(one, condition)
            except HostdError as error:
                return seen, place, error
            place = one.position
            if view is not None:
                seen.append(view)
        return seen, following, None

    def _seen(self, published: Published, condition: CompiledExpression | None) -> TopicEvent | None:
        """Return an event as subscribers get it, None where the filter keeps it from them."""
        view = TopicEvent(published.position, published.topic, published.event.to_json())
        if condition is None:
            return view
        envelope: dict[str, Any] = view.envelope
        scope = EventScope(envelope, now_ms=self._clock.wall_ms(), trigger=published.topic, event_id=published.event.id)
        try:
            return view if truth(condition.evaluate(scope), "`filter` of the subscription") else None
        except HostdError as error:
            message = f"at position {published.position}: {error.message}"
            raise HostdError(error.kind, error.reason, message, details=error.details) from None

    async def types(self, namespace: str, topic: str, *, after: tuple[str, str], limit: int) -> Sequence[EventTypeView]:
        """Return types that topics have seen, past (topic, type) `after`, in that order; empty topic = of all."""
        if topic:
            check_topic(topic)
        now_ms = self._clock.wall_ms()
        return await self._topics.types.seen(namespace, topic, after=after, limit=limit, now_ms=now_ms)
