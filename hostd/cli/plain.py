"""Messages of the control plane as the JSON values that `-o json` and `-o yaml` print, and tables are made of."""

from __future__ import annotations

import base64
from typing import Any

from google.protobuf.message import Message

from hostd.client import from_payload
from hostd.errors.base import HostdError
from hostd.values.json_text import JsonValue, parse_json
from hostd.values.times import format_time_ms

# Text fields that hold JSON text; they print as the value.
_JSON_TEXTS = {"hostd.v1.ComponentSchema.schema", "hostd.v1.ComponentSchema.sample", "hostd.v1.Trigger.cursor"}


def plain(message: Message) -> Any:
    """Return a message as JSON types.

    Fields have their proto names and are all there: unset messages and enums are null. Enums lose their prefix, times
    are RFC 3339, integers stay integers, a Payload is the value it holds. Of a oneof only the member that is set shows.
    """
    special = _SPECIAL.get(message.DESCRIPTOR.full_name)
    if special is not None:
        return special(message)
    return {field.name: _field(message, field) for field in message.DESCRIPTOR.fields if _shows(message, field)}


def _shows(message: Message, field: Any) -> bool:
    choice = field.containing_oneof
    optional = choice is not None and len(choice.fields) == 1
    return choice is None or optional or message.HasField(field.name)


def _field(message: Message, field: Any) -> Any:
    value = getattr(message, field.name)
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        inside = field.message_type.fields_by_name["value"]
        return {str(key): _value(inside, value[key]) for key in value}
    if field.is_repeated:
        return [_value(field, item) for item in value]
    if field.has_presence and not message.HasField(field.name):
        return None
    return _value(field, value)


def _value(field: Any, value: Any) -> Any:
    if field.message_type is not None:
        return plain(value)
    if field.enum_type is not None:
        return _word(field, value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if field.full_name in _JSON_TEXTS and value:
        return _json_text(value)
    return value


def _word(field: Any, number: int) -> str | int | None:
    """Return an enum's word without its prefix; null for UNSPECIFIED, the number for one of a newer daemon."""
    values = field.enum_type.values_by_number
    if number not in values:
        return number
    prefix = values[0].name.removesuffix("UNSPECIFIED")
    word: str = values[number].name.removeprefix(prefix)
    return word if number else None


def _json_text(text: str) -> JsonValue:
    try:
        return parse_json(text)
    except HostdError:
        return text


def _time(message: Any) -> str:
    return format_time_ms(message.seconds * 1000 + message.nanos // 1_000_000)


def _payload(message: Any) -> JsonValue:
    try:
        return from_payload(message)
    except HostdError:
        return {"$data": base64.b64encode(message.data).decode(), "content_type": message.content_type}


_SPECIAL = {"hostd.v1.Payload": _payload, "google.protobuf.Timestamp": _time}
