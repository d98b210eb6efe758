"""CloudEvents 1.0, from JSON to events and back (https://github.com/cloudevents/spec, v1.0.2)."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from hostd.errors.base import HostdError, invalid
from hostd.plugin.event import EVENT_ID_BYTES_MAX, Event
from hostd.values.json_text import JsonValue
from hostd.values.times import parse_time_ms
from hostd.values.trace import headers_of, read_trace

ATTRIBUTE_BYTES_MAX = 1_024
EXTENSIONS_MAX = 64
CORE = frozenset(
    {"specversion", "id", "source", "type", "time", "subject", "datacontenttype", "dataschema", "data", "data_base64"}
)
_EXTENSION = re.compile(r"[a-z0-9]{1,40}")


@dataclass(frozen=True, slots=True)
class Defaults:
    """What an event has where its sender said nothing. Empty texts have no default: the sender must say them."""

    time: datetime
    id: str = ""
    source: str = ""
    type: str = ""


def read_event(envelope: JsonValue, defaults: Defaults) -> Event:
    """Return the event of a structured envelope.

    Bytes that are no JSON (`data_base64`) become `{"base64": text, "content_type": type}`.

    Raises:
        HostdError: EVENT_INVALID naming the attribute.
    """
    if not isinstance(envelope, Mapping):
        raise _refused("an event is a JSON object of attributes")
    version = envelope.get("specversion", "1.0")
    if version != "1.0":
        raise _refused(f"`specversion` is {str(version)[:20]!r}; 1.0 is spoken")
    event_id = _text(envelope, "id", defaults.id, EVENT_ID_BYTES_MAX)
    return Event(
        id=event_id,
        source=_text(envelope, "source", defaults.source, ATTRIBUTE_BYTES_MAX),
        type=_text(envelope, "type", defaults.type, ATTRIBUTE_BYTES_MAX),
        time=_time(envelope, defaults.time),
        data=_data(envelope),
        subject=_text(envelope, "subject", "", ATTRIBUTE_BYTES_MAX, needed=False),
        extensions=read_extensions({name: value for name, value in envelope.items() if name not in CORE})
        | ({"dataschema": _text(envelope, "dataschema", "", ATTRIBUTE_BYTES_MAX)} if "dataschema" in envelope else {}),
    )


def trace_attributes(headers: Mapping[str, str]) -> dict[str, JsonValue]:
    """Return the W3C trace context of a request, by lower-case headers, as CloudEvents' distributed tracing attributes.

    Empty where there is none, or none that can be read.
    """
    return {**headers_of(read_trace(headers.get("traceparent"), headers.get("tracestate", "")))}


def read_extensions(given: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Return extension attributes: short names, plain values. Raises HostdError EVENT_INVALID."""
    if len(given) > EXTENSIONS_MAX:
        raise _refused(f"an event has at most {EXTENSIONS_MAX} extension attributes")
    for name, value in given.items():
        if not _EXTENSION.fullmatch(name):
            raise _refused(f"{name[:60]!r} is no attribute: 1 to 40 lower-case letters and digits")
        if isinstance(value, str) and len(value.encode()) > ATTRIBUTE_BYTES_MAX:
            raise _refused(f"the attribute {name} has more than {ATTRIBUTE_BYTES_MAX} bytes")
        if not isinstance(value, str | int | bool):
            raise _refused(f"the attribute {name} is not a text, whole number or boolean")
    return dict(given)


def _text(envelope: Mapping[str, JsonValue], name: str, default: str, most_bytes: int, *, needed: bool = True) -> str:
    value = envelope.get(name)
    if value is None or value == "":
        if not default and needed:
            raise _refused(f"the attribute `{name}` is missing")
        return default
    if not isinstance(value, str):
        raise _refused(f"the attribute `{name}` is not a text")
    if len(value.encode()) > most_bytes:
        raise _refused(f"the attribute `{name}` has more than {most_bytes} bytes")
    return value


def _time(envelope: Mapping[str, JsonValue], default: datetime) -> datetime:
    value = envelope.get("time")
    if value is None:
        return default
    try:
        parse_time_ms(value)
        return datetime.fromisoformat(str(value).upper())
    except ValueError as error:
        raise _refused(f"`time`: {error}") from None


def _data(envelope: Mapping[str, JsonValue]) -> JsonValue:
    if "data_base64" not in envelope:
        return envelope.get("data")
    if "data" in envelope:
        raise _refused("give `data` or `data_base64`, not both")
    text = envelope["data_base64"]
    if not isinstance(text, str):
        raise _refused("`data_base64` is not a text")
    try:
        base64.b64decode(text, validate=True)
    except ValueError:
        raise _refused("`data_base64` is not base64") from None
    kind = envelope.get("datacontenttype")
    return {"base64": text, "content_type": kind if isinstance(kind, str) else "application/octet-stream"}


def _refused(message: str) -> HostdError:
    return invalid("EVENT_INVALID", message)
