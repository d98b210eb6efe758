"""`POST /events/<namespace>/<topic>`: CloudEvents, binary, structured and batch (their HTTP binding, 1.0.2).

Without any attribute the body is the data of an event that has nothing else to say.
"""

from __future__ import annotations

import base64
import hashlib
import re
from urllib.parse import unquote

from aiohttp import web

from hostd.config.rooms import Http
from hostd.errors.base import HostdError, Kind, invalid
from hostd.http.answers import json_answer
from hostd.http.bodies import read_body
from hostd.http.ports import TRACE, EventTopics
from hostd.model.requests import Repeat
from hostd.model.topics import NewEvent, in_trace
from hostd.values.json_text import JsonValue, parse_json
from hostd.values.trace import headers_of

PREFIX = "/events/"
PRINCIPAL = "owner"  # who has the token
KEY_HEADER, KEY_BYTES_MAX = "idempotency-key", 128
STRUCTURED, BATCH = "application/cloudevents+json", "application/cloudevents-batch+json"
ATTRIBUTE = "ce-"
NEEDED = ("specversion", "id", "source", "type")  # of an envelope
_NAMESPACE = re.compile(r"[a-z][a-z0-9-]{0,62}")


async def take_events(request: web.BaseRequest, topics: EventTopics, settings: Http) -> web.StreamResponse:
    """Publish what a request holds; answers with ids and positions once it is durable.

    Raises:
        HostdError: PATH_MISSING, METHOD_REFUSED, EVENT_INVALID, TOPIC_INVALID, PAYLOAD_*; REQUEST_ID_CONFLICT where the
            same `idempotency-key` came with other events.
    """
    namespace, topic = _place(request)
    body = await read_body(request, max_bytes=settings.body_max, timeout_s=settings.body_timeout.total_seconds())
    trace = headers_of(request.get(TRACE, ""))
    events = [in_trace(NewEvent(topic, envelope), trace) for envelope in _envelopes(request, body)]
    published = await topics.publish(namespace, events, principal=PRINCIPAL, repeat=_repeat(request, topic, body))
    told: list[JsonValue] = [{"event_id": one.event_id, "position": one.position} for one in published]
    return json_answer(200, {"events": told})


def _repeat(request: web.BaseRequest, topic: str, body: bytes) -> Repeat | None:
    """Return how the same request is known again; None without an idempotency key. Raises HostdError."""
    key = request.headers.get(KEY_HEADER, "")
    if not key:
        return None
    if len(key.encode()) > KEY_BYTES_MAX or not key.isprintable():
        raise invalid("ARGUMENT_INVALID", f"idempotency-key: a text of at most {KEY_BYTES_MAX} bytes")
    told = hashlib.blake2b(f"{topic}\n{_kind(request)}\n".encode(), digest_size=16)
    for name, value in sorted((name.lower(), value) for name, value in request.headers.items()):
        if name.startswith(ATTRIBUTE):
            told.update(f"{name}\n{value}\n".encode())
    told.update(b"\n" + body)
    return Repeat(key, told.digest())


def _place(request: web.BaseRequest) -> tuple[str, str]:
    namespace, _, topic = request.rel_url.raw_path.removeprefix(PREFIX).partition("/")
    if not _NAMESPACE.fullmatch(namespace) or not topic:
        raise HostdError(Kind.MISSING, "PATH_MISSING", "events go to /events/<namespace>/<topic>")
    if request.method != "POST":
        raise HostdError(Kind.INVALID, "METHOD_REFUSED", "publish with POST", details={"allow": "POST"})
    return namespace, topic


def _envelopes(request: web.BaseRequest, body: bytes) -> list[dict[str, JsonValue]]:
    kind = _kind(request)
    if kind == STRUCTURED:
        return [_object(parse_json(body))]
    if kind == BATCH:
        batch = parse_json(body)
        if not isinstance(batch, list) or not batch:
            raise invalid("EVENT_INVALID", "a batch is a JSON list of events, not an empty one")
        return [_object(one) for one in batch]
    return [_binary(request, kind, body)]


def _kind(request: web.BaseRequest) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _object(value: JsonValue) -> dict[str, JsonValue]:
    if not isinstance(value, dict):
        raise invalid("EVENT_INVALID", "an event is a JSON object of attributes")
    for name in NEEDED:
        if value.get(name) in (None, ""):
            told = "; it is 1.0" if name == "specversion" else ""
            raise invalid("EVENT_INVALID", f"the attribute `{name}` is missing{told}")
    return value


def _binary(request: web.BaseRequest, kind: str, body: bytes) -> dict[str, JsonValue]:
    """Return the envelope of an event whose attributes are headers and whose data is the body."""
    envelope: dict[str, JsonValue] = {}
    for name, value in request.headers.items():
        lower = name.lower()
        if lower.startswith(ATTRIBUTE):
            envelope[lower.removeprefix(ATTRIBUTE)] = _unquoted(value)
    for forbidden in ("data", "data_base64", "datacontenttype"):
        if forbidden in envelope:
            raise invalid("EVENT_INVALID", f"`{forbidden}` is no attribute of a header; the body holds the data")
    if body:
        envelope |= _data(kind, body)
    return envelope


def _data(kind: str, body: bytes) -> dict[str, JsonValue]:
    if kind in ("", "application/json") or kind.endswith("+json"):
        return {"data": parse_json(body)}
    if kind == "application/x-www-form-urlencoded":  # what curl says where nobody said anything
        raise invalid("EVENT_INVALID", "say what the body is: `content-type: application/json`")
    if kind.startswith("text/"):
        try:
            return {"data": body.decode("utf-8")}
        except UnicodeDecodeError:
            raise invalid("EVENT_INVALID", "the body is not UTF-8 text") from None
    return {"data_base64": base64.b64encode(body).decode("ascii"), "datacontenttype": kind}


def _unquoted(value: str) -> str:
    """Return an attribute's text: percent-encoded where a header could not hold it."""
    try:
        return unquote(value, errors="strict")
    except UnicodeDecodeError:
        raise invalid("EVENT_INVALID", "an attribute's percent-encoding is not UTF-8") from None
