"""`event.subscribe`: events of topics into runs. The cursor is the position: none is lost, none comes twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any, Literal

from pydantic import field_validator

from hostd.plugin import Event, Field, HostdError, Options, Published, Trigger, TriggerContext
from hostd.plugin.service_rules import TOPICS_AT_ONCE_MAX, check_topics
from hostd_builtin.event.selection import Selection

BATCH_MAX = 100
UNMATCHED_MAX = 1_000  # after so many that lead nowhere the place is kept, so that a restart need not read them again


class SubscribeOptions(Options):
    """Which events."""

    topics: list[str] = Field(
        description="Topics to read; `orders.*` is every one that begins with `orders.`, `*` every one.",
        min_length=1,
        max_length=TOPICS_AT_ONCE_MAX,
        examples=[["orders.*"]],
    )
    types: list[str] = Field(
        default_factory=list,
        description="Only these types (`order.*`: a prefix); absent = all.",
        max_length=64,
        examples=[["order.created"]],
    )
    sources: list[str] = Field(
        default_factory=list,
        description="Only from these sources (`/shop/*`: a prefix); absent = all.",
        max_length=64,
    )
    subjects: list[str] = Field(
        default_factory=list,
        description="Only about these subjects (`eu-*`: a prefix); absent = all.",
        max_length=64,
    )
    match: dict[str, Any] = Field(
        default_factory=dict,
        description="Fields of `data` (`a.b` for one inside another) and what they must equal; a list names several.",
        max_length=32,
        examples=[{"country": ["DE", "FR"], "paid": True}],
    )
    start: Literal["activation", "beginning"] = Field(
        "activation",
        description="Where a new trigger begins: with what is published once it is active, or with all that is kept.",
    )

    @field_validator("topics")
    @classmethod
    def _are_topics(cls, topics: list[str]) -> list[str]:
        try:
            return list(check_topics(topics))
        except HostdError as error:
            raise ValueError(error.message) from None


class Subscribe(Trigger[SubscribeOptions]):
    """Emits each event that is published to the topics and selected, exactly once, across restarts too."""

    id, since, stability = "event.subscribe", "0.1", "stable"

    async def run(self, ctx: TriggerContext) -> None:
        """Read until stopped."""
        options = self.options
        place = ctx.cursor if isinstance(ctx.cursor, int) else None
        if place is None and options.start == "beginning":
            place = 0
        selection = Selection(options.types, options.sources, options.subjects, options.match)
        unmatched = 0
        async with aclosing(_batches(ctx.events.subscribe(options.topics, after=place))) as batches:  # type: ignore[type-var]
            async for batch in batches:
                events = [_own(one) for one in batch if selection.takes(one.event)]
                unmatched += len(batch) - len(events)
                if events or unmatched >= UNMATCHED_MAX:
                    await ctx.emit(*events, cursor=batch[-1].position)
                    unmatched = 0


def _own(published: Published) -> Event:
    """Return an event as this trigger emits it: its id is the position, which no other event has."""
    event = published.event
    return Event(
        id=str(published.position),
        source=event.source,
        type=event.type,
        time=event.time,
        data=event.data,
        subject=event.subject,
        extensions=event.extensions | {"topic": published.topic, "publishedid": event.id},
    )


async def _batches(stream: AsyncIterator[Published]) -> AsyncIterator[list[Published]]:
    """Yield what has come, up to a bound: many at once while there is much to catch up with, each alone otherwise."""
    queue: asyncio.Queue[Published] = asyncio.Queue(BATCH_MAX)

    async def fill() -> None:
        async for published in stream:
            await queue.put(published)

    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(fill())
            while True:
                batch = [await queue.get()]
                while not queue.empty():
                    batch.append(queue.get_nowait())
                yield batch
    except BaseExceptionGroup as errors:  # what the stream raised steers the host, not the group around it
        raise errors.exceptions[0] from None
