"""Events of topics, as the doors and the runtime hand them to each other."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from hostd.values.json_text import JsonValue


class NewEvent(msgspec.Struct, frozen=True, gc=False):
    """An event that is to be published: the attributes its sender gave, as a CloudEvents envelope."""

    topic: str
    envelope: dict[str, JsonValue]


def in_trace(event: NewEvent, trace: Mapping[str, str]) -> NewEvent:
    """Return an event in the trace of whoever sends it (headers), as CloudEvents' distributed tracing has it.

    The same one where there is no trace, or where it says another.
    """
    if not trace or "traceparent" in event.envelope:
        return event
    return NewEvent(event.topic, {**event.envelope, **trace})


class PublishedView(msgspec.Struct, frozen=True, gc=False):
    """Where an event went. `position` is 0 for a repeated one that is past retention itself."""

    event_id: str
    position: int


class TopicEvent(msgspec.Struct, frozen=True, gc=False):
    """A published event, with the envelope that expressions see as `event`."""

    position: int
    topic: str
    envelope: dict[str, JsonValue]


class TopicEvents(msgspec.Struct, frozen=True, gc=False):
    """A page of events; without any it is a bookmark. `position`: where to go on. Who takes it may clear the list.

    `gone_to`: up to this position retention took events, perhaps of these topics, before they were read; 0: none.
    """

    events: list[TopicEvent]
    position: int
    gone_to: int = 0


class EventTypeView(msgspec.Struct, frozen=True, gc=False):
    """A type of event that a topic has seen. `last_at_ms`: when it was noted, at most an hour before the newest."""

    topic: str
    type: str
    last_at_ms: int
