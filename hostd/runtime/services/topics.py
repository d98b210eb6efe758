"""Durable topics: events are published into the journal, and read from it. A slow reader only lags.

    publish -> the engine loop's turn -> durable -> bells ring -> readers look at the journal, a page at a time

A position is the event's number in the journal. An event that the topic has seen from the same source within retention
is not written again: its key (digest of source and id) lies in the dedup table with a number just below its position.
"""

from __future__ import annotations

import hashlib
import logging
from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple

from hostd.errors.base import invalid
from hostd.journal.port import Dedup, EventRow, Journal
from hostd.model.payload import EVENT_BYTES_MAX
from hostd.model.redaction import redact_bytes
from hostd.plugin import Event, Published
from hostd.plugin.clocks import at_ms
from hostd.plugin.cloud_events import Defaults, read_event
from hostd.plugin.service_rules import EVENTS_AT_ONCE_MAX, check_topic, check_topics
from hostd.runtime.ring.engine_loop import EngineLoop
from hostd.runtime.ring.readers import Readers
from hostd.runtime.ring.repeats import Note
from hostd.runtime.ring.turn import Turn
from hostd.runtime.ring.writing import write
from hostd.runtime.services.topic_news import TopicNews
from hostd.runtime.services.topic_types import TopicTypes
from hostd.values.json_text import dump_json, parse_json

PUBLISH_BYTES_MAX = 8 * 1024 * 1024
PAGE_BYTES = 1024 * 1024
FIND_PAGE, FIND_PAGES_MAX = 200, 50
RECENT_MAX = 20_000
PUBLISHED = "PUBLISHED"
_log = logging.getLogger("hostd.runtime.topics")


class TopicPage(NamedTuple):
    """What a reader gets. `after`: where to go on; `gone_to`: see TopicEvents."""

    events: list[Published]
    after: int
    gone_to: int = 0


class _Place:
    """Where an event of this process went: `position` is 0 until it is durable."""

    __slots__ = ("position",)

    def __init__(self) -> None:
        self.position = 0


class _Draft:
    """An event on its way into a turn."""

    __slots__ = ("body", "event", "key", "low", "topic")

    def __init__(self, topic: str, event: Event, hidden: tuple[str, ...]) -> None:
        self.topic = check_topic(topic)
        self.event = event
        envelope = event.to_json()
        self.body = redact_bytes(dump_json(envelope), hidden) if hidden else dump_json(envelope)
        read_event(envelope, Defaults(event.time))  # what is refused here would be refused to every reader
        if len(self.body) > EVENT_BYTES_MAX:
            message = f"the event {event.id[:80]} has {len(self.body)} bytes; {EVENT_BYTES_MAX} are allowed"
            raise invalid("PAYLOAD_TOO_LARGE", message)
        self.key = _key(event.source, event.id)
        self.low: int | None = None  # a number below its position, where the journal knows the event


class Topics:
    """Every namespace's topics."""

    def __init__(self, *, loop: EngineLoop, journal: Journal, readers: Readers, types: TopicTypes) -> None:
        self._loop = loop
        self._journal = journal
        self._readers = readers
        self._last = -1  # a number that is durable; -1 = not asked yet
        self._recent: OrderedDict[tuple[str, str, str], _Place] = OrderedDict()
        self.news = TopicNews()
        self.types = types

    async def publish(
        self,
        namespace: str,
        events: Sequence[tuple[str, Event]],
        *,
        note: Note | None = None,
        hidden: tuple[str, ...] = (),
    ) -> list[int]:
        """Append events, each to its topic, all or none; return their positions once durable.

        Args:
            note: writes a request id beside them.
            hidden: secrets that must not get into the journal; where an event shows one it is taken out.

        Raises:
            HostdError: TOPIC_INVALID, PAYLOAD_TOO_LARGE, JOURNAL_*.
        """
        if len(events) > EVENTS_AT_ONCE_MAX:
            raise invalid("PAYLOAD_TOO_LARGE", f"publish at most {EVENTS_AT_ONCE_MAX} events at once")
        drafts = [_Draft(topic, event, hidden) for topic, event in events]
        size_bytes = sum(len(draft.body) for draft in drafts)
        if size_bytes > PUBLISH_BYTES_MAX and len(drafts) > 1:
            raise invalid("PAYLOAD_TOO_LARGE", f"publish at most {PUBLISH_BYTES_MAX} bytes of events at once")
        if not drafts:
            return []
        await self.types.ready(namespace)
        await self._look(namespace, drafts)

        def fill(turn: Turn) -> list[_Place | None]:
            first = len(turn.batch.events)
            new: list[_Place] = []
            places = [self._enter(turn, namespace, draft, new) for draft in drafts]
            if note is not None:
                note(turn)
            if new:
                topics = {draft.topic for draft in drafts}
                turn.when_durable.append(
                    lambda appended: self._durable(namespace, appended.first_event + first, new, topics)
                )
            return places

        places = await write(self._loop, fill, size=len(drafts), size_bytes=size_bytes)
        return [
            place.position if place is not None else await self._find(namespace, draft)
            for place, draft in zip(places, drafts, strict=True)
        ]

    async def read(
        self,
        namespace: str,
        topics: Sequence[str],
        *,
        after: int | None,
        limit: int,
        wait_ms: int,
        size_bytes: int = PAGE_BYTES,
    ) -> tuple[list[Published], int]:
        """Do the same as `read_page`; what retention took is told to the log."""
        page = await self.read_page(namespace, topics, after=after, limit=limit, wait_ms=wait_ms, size_bytes=size_bytes)
        if page.gone_to:
            text = "events_gone namespace=%s topics=%s after=%s to=%d message=%s"
            told = "past retention; some may be of these topics"
            _log.info(text, namespace, " ".join(topics)[:200], after, page.gone_to, told)
        return page.events, page.after

    async def read_page(
        self,
        namespace: str,
        topics: Sequence[str],
        *,
        after: int | None,
        limit: int,
        wait_ms: int,
        size_bytes: int = PAGE_BYTES,
    ) -> TopicPage:
        """Return events past a position, in order, and the position to go on from, which moves on without any, too.

        Args:
            after: None: only what is published from now on.
            limit: at most so many; fewer where they are large.
            size_bytes: the event that fills it is the last.
            wait_ms: how long to wait for one where there is none.

        Raises:
            HostdError: TOPIC_INVALID, DRAINING.
        """
        wanted = check_topics(topics)
        with self.news.listening(namespace, wanted) as bell:
            if after is None:
                after = await self.last()
            while True:
                bell.heard()
                page = await self._page(namespace, wanted, after, limit, size_bytes)
                if page.events or page.gone_to or not wait_ms:
                    return page
                if not await bell.wait(wait_ms / 1000):
                    return await self._page(namespace, wanted, page.after, limit, size_bytes)
                after = page.after

    async def last(self) -> int:
        """Return the highest position that any event has."""
        return await self._readers.call(self._journal.last_event)

    async def before(self, namespace: str, at_ms: int) -> int:
        """Return the position behind which everything lies that was published at that time or later.

        Halving finds it while times rise with numbers. They fall where the wall clock went back, so this is only for
        what was activated before the journal kept positions.
        """
        low, high = 0, await self.last()
        while low < high:
            middle = (low + high) // 2
            page = await self._readers.call(lambda: self._journal.events(namespace, after=middle, limit=1))  # noqa: B023
            if page and page[0][1] < at_ms:
                low = page[0][0]
            else:
                high = middle
        return low

    # -- writing

    async def _look(self, namespace: str, drafts: Sequence[_Draft]) -> None:
        """Ask the journal which events it knows, and how far its numbers go."""
        if self._last < 0:
            self._last = max(self._last, await self.last())
        by_topic: dict[str, list[_Draft]] = {}
        for draft in drafts:
            by_topic.setdefault(draft.topic, []).append(draft)
        for topic, mine in by_topic.items():
            keys = [draft.key for draft in mine]
            seen = await self._readers.call(self._journal.dedup_seen, namespace, _scope(topic), keys)
            for draft in mine:
                if draft.key in seen:
                    draft.low = int((seen[draft.key] or ("0",))[0])

    def _enter(self, turn: Turn, namespace: str, draft: _Draft, new: list[_Place]) -> _Place | None:
        """Write an event into a turn, unless it is known; None where only the journal knows its place."""
        if draft.low is not None:
            return None
        name = (namespace, draft.topic, draft.key)
        known = self._recent.get(name)
        if known is not None:
            return known
        place = self._recent[name] = _Place()
        if len(self._recent) > RECENT_MAX:
            self._recent.popitem(last=False)
        new.append(place)
        batch, event = turn.batch, draft.event
        batch.events.append(
            EventRow(namespace, "", "", event.id, draft.body, PUBLISHED, topic=draft.topic, type=event.type)
        )
        batch.dedup.append(Dedup(namespace, _scope(draft.topic), draft.key, (str(self._last),)))
        self.types.note(turn, namespace, draft.topic, event.type)

        turn.when_failed.append(lambda: self._recent.pop(name, None))
        return place

    def _durable(self, namespace: str, number: int, new: Sequence[_Place], topics: set[str]) -> None:
        """Tell new events their numbers, which follow each other, and wake who reads their topics."""
        for position, place in enumerate(new, number):
            place.position = position
        self._last = max(self._last, number + len(new) - 1)
        self.news.ring(namespace, topics)

    async def _find(self, namespace: str, draft: _Draft) -> int:
        """Return the position of an event that the journal knows; 0 where it is past retention."""
        after = draft.low or 0
        topics = (draft.topic,)
        for _ in range(FIND_PAGES_MAX):
            page = await self._readers.call(
                lambda: self._journal.events(namespace, after=after, limit=FIND_PAGE, topics=topics)  # noqa: B023
            )
            for number, _, row in page:
                if row.event_id == draft.event.id and _source(row) == draft.event.source:
                    return number
            if len(page) < FIND_PAGE:
                break
            after = page[-1][0]
        return 0

    # -- reading

    async def _page(
        self, namespace: str, topics: tuple[str, ...], after: int, limit: int, size_bytes: int
    ) -> TopicPage:
        """Return what there is now; a page without events stands where the journal stood."""

        def look() -> tuple[list[tuple[int, int, EventRow]], int, int]:
            place = after
            while True:
                last = self._journal.last_event()  # before the events: what comes meanwhile is for the next look
                page = self._journal.events(namespace, after=place, limit=limit, topics=topics, size_bytes=size_bytes)
                gone_to = self._journal.events_gone_to()  # behind them: what goes meanwhile is told
                if page or gone_to <= place:
                    return page, page[-1][0] if page else max(place, last), gone_to
                place = gone_to

        page, following, gone_to = await self._readers.call(look)
        events = [Published(number, row.topic, _event(row, at)) for number, at, row in page]
        return TopicPage(events, following, gone_to if 0 < after < gone_to else 0)


def _event(row: EventRow, at: int) -> Event:
    return read_event(parse_json(row.body), Defaults(at_ms(at), id=row.event_id, source="/", type=row.type or "event"))


def _source(row: EventRow) -> str:
    envelope = parse_json(row.body)
    return str(envelope.get("source", "")) if isinstance(envelope, dict) else ""


def _scope(topic: str) -> str:
    return f"topic {topic}"


def _key(source: str, event_id: str) -> str:
    """Return what stands for an event's source and id: 32 characters, whatever their length."""
    return hashlib.blake2b(f"{len(source)} {source} {event_id}".encode(), digest_size=16).hexdigest()
