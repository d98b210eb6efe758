"""Events of topics between the wire and the model."""

from __future__ import annotations

from google.protobuf import struct_pb2
from google.protobuf.timestamp_pb2 import Timestamp

from hostd.api.convert.checks import fault
from hostd.api.convert.payloads import json_payload, plain_value, read_payload
from hostd.model.topics import EventTypeView, NewEvent, TopicEvent
from hostd.v1 import event_service_pb2 as wire
from hostd.values.json_text import JsonValue, dump_json

EVENTS_MAX = 1_000
_OWN = frozenset({"specversion", "id", "source", "type", "subject", "time", "data", "datacontenttype"})


def read_events(events: list[wire.NewEvent]) -> list[NewEvent]:
    """Return what is to be published. Raises HostdError naming the event and field."""
    if not 0 < len(events) <= EVENTS_MAX:
        raise fault("events", f"1 to {EVENTS_MAX} events")
    return [_read(event, f"events[{place}]") for place, event in enumerate(events)]


def _read(new: wire.NewEvent, path: str) -> NewEvent:
    event = new.event
    envelope: dict[str, JsonValue] = {}
    for name, value in event.extensions.items():
        if name in _OWN or name == "data_base64":
            raise fault(f"{path}.event.extensions", f"{name} is an attribute of its own")
        envelope[name] = plain_value(value)
    given = {"id": event.id, "source": event.source, "type": event.type, "subject": event.subject}
    envelope |= {name: text for name, text in given.items() if text}
    if event.HasField("time"):
        envelope["time"] = _time(event.time, f"{path}.event.time")
    if event.HasField("data"):
        envelope["data"] = read_payload(event.data, f"{path}.event.data")[1]
    return NewEvent(new.topic, envelope)


def _time(moment: Timestamp, path: str) -> str:
    try:
        return str(moment.ToJsonString())
    except ValueError as error:
        raise fault(path, str(error)) from None


def topic_event(view: TopicEvent) -> wire.TopicEvent:
    """Return a published event as it goes over the wire."""
    envelope = view.envelope
    event = wire.CloudEvent(
        id=str(envelope["id"]),
        source=str(envelope["source"]),
        type=str(envelope["type"]),
        subject=str(envelope.get("subject", "")),
        data=json_payload(dump_json(envelope.get("data"))),
    )
    event.time.FromJsonString(str(envelope["time"]))
    for name, value in envelope.items():
        if name not in _OWN:
            event.extensions[name].CopyFrom(_extension(value))
    return wire.TopicEvent(position=view.position, topic=view.topic, event=event)


def _extension(value: JsonValue) -> struct_pb2.Value:
    if isinstance(value, bool):
        return struct_pb2.Value(bool_value=value)
    if isinstance(value, int):
        return struct_pb2.Value(number_value=value)
    return struct_pb2.Value(string_value=str(value))


def event_type(view: EventTypeView) -> wire.EventType:
    """Return a type as it goes over the wire."""
    moment = Timestamp()
    moment.FromMilliseconds(view.last_at_ms)
    return wire.EventType(topic=view.topic, type=view.type, last_time=moment)
