"""CloudEvents in their JSON form, to and from what EventService speaks."""

from __future__ import annotations

import base64
from datetime import UTC
from typing import TYPE_CHECKING, Any

from google.protobuf.message import Message

from hostd.client.error_kinds import ClientError
from hostd.client.payloads import from_payload
from hostd.client.typed_errors import typed
from hostd.errors.base import HostdError, Kind
from hostd.v1 import event_service_pb2 as pb
from hostd.v1.payload_pb2 import Payload
from hostd.values.json_text import JsonValue, dump_json, parse_json

if TYPE_CHECKING:
    from hostd.client.results import TopicEvent

_TEXTS = ("id", "source", "type", "subject")
_KNOWN = frozenset({*_TEXTS, "specversion", "time", "datacontenttype", "data", "data_base64"})


def cloud_event(envelope: JsonValue) -> pb.CloudEvent:
    """Return the message of a structured event.

    Raises:
        HostdError: EVENT_INVALID for what is no event at all; the daemon checks the rest.
    """
    if not isinstance(envelope, dict):
        raise _bad_event("an event is a JSON object of attributes")
    if envelope.get("specversion", "1.0") != "1.0":
        raise _bad_event("`specversion` is not 1.0, the one that is spoken")
    wrong = next((name for name in (*_TEXTS, "time") if not isinstance(envelope.get(name, ""), str)), "")
    if wrong:
        raise _bad_event(f"the attribute `{wrong}` is not a text")
    event = pb.CloudEvent()
    for name in _TEXTS:
        setattr(event, name, str(envelope.get(name, "")))
    if "time" in envelope:
        try:
            event.time.FromJsonString(str(envelope["time"]))
        except ValueError as error:
            raise _bad_event(f"`time`: {error}") from None
    if "data" in envelope or "data_base64" in envelope:
        event.data.CopyFrom(Payload(data=dump_json(_data(envelope)), content_type="application/json"))
    for name, value in envelope.items():
        if name not in _KNOWN:
            _set(event, name, value)
    return event


def cloud_events(document: JsonValue) -> list[pb.CloudEvent]:
    """Return the messages of a structured event or a batch of them. Raises HostdError EVENT_INVALID."""
    return [cloud_event(one) for one in (document if isinstance(document, list) else [document])]


def envelope_of(event: pb.CloudEvent) -> dict[str, JsonValue]:
    """Return a structured event."""
    envelope: dict[str, JsonValue] = {name: _plain(value) for name, value in sorted(event.extensions.items())}
    envelope |= {"specversion": "1.0", "id": event.id, "source": event.source, "type": event.type}
    if event.HasField("time"):
        envelope["time"] = event.time.ToJsonString()
    if event.subject:
        envelope["subject"] = event.subject
    return envelope | {"datacontenttype": "application/json", "data": parse_json(event.data.data or b"null")}


def _bad_event(message: str) -> ClientError:
    return typed(HostdError(Kind.INVALID, "EVENT_INVALID", message))


def _data(envelope: dict[str, JsonValue]) -> JsonValue:
    """Return the data; bytes become `{base64, content_type}`, as the daemon makes them of any event."""
    if "data" in envelope and "data_base64" in envelope:
        raise _bad_event("give `data` or `data_base64`, not both")
    if "data" in envelope:
        return envelope["data"]
    text, kind = envelope["data_base64"], envelope.get("datacontenttype", "application/octet-stream")
    try:
        base64.b64decode(text if isinstance(text, str) else "?", validate=True)
    except ValueError:
        raise _bad_event("`data_base64` is not base64") from None
    return {"base64": text, "content_type": kind}


def _set(event: pb.CloudEvent, name: str, value: JsonValue) -> None:
    target: Any = event.extensions[name]
    if isinstance(value, bool):
        target.bool_value = value
    elif isinstance(value, int):
        target.number_value = value
    elif isinstance(value, str):
        target.string_value = value
    else:
        raise _bad_event(f"the attribute {name[:60]} is not a text, whole number or boolean")


def _plain(value: Message) -> str | int | bool:
    given: Any = value
    kind = given.WhichOneof("kind")
    if kind == "number_value":
        return int(given.number_value)
    return bool(given.bool_value) if kind == "bool_value" else str(given.string_value)


def topic_event(found: pb.TopicEvent) -> TopicEvent:
    """Return a published event as a result."""
    from hostd.client.results import TopicEvent

    event = found.event
    return TopicEvent(
        topic=found.topic,
        position=found.position,
        id=event.id,
        source=event.source,
        type=event.type,
        subject=event.subject,
        time=event.time.ToDatetime(tzinfo=UTC) if event.HasField("time") else None,
        data=from_payload(event.data),
        extensions={name: _plain(value) for name, value in event.extensions.items()},
    )
