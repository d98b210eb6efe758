"""Events of topics, as the doors and the runtime hand them to each other."""

from __future__ import annotations

import msgspec

from hostd.values.json_text import JsonValue


class NewEvent(msgspec.Struct, frozen=True, gc=False):
    """An event that is to be published: the attributes its sender gave, as a CloudEvents envelope."""

    topic: str
    envelope: dict[str, JsonValue]


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
    """A page of events; without any it is a bookmark. `position`: where to go on. Who takes it may clear the list."""

    events: list[TopicEvent]
    position: int


class EventTypeView(msgspec.Struct, frozen=True, gc=False):
    """A type of event that a topic has seen. `last_at_ms`: when it was noted, at most an hour before the newest."""

    topic: str
    type: str
    last_at_ms: int
