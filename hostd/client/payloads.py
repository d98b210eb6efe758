"""Values in and out of `Payload`, under the one number rule."""

from __future__ import annotations

from typing import Any

from hostd.errors.base import invalid
from hostd.v1.payload_pb2 import Payload
from hostd.values.json_text import JsonValue, dump_json, normalize, parse_json

JSON_TYPE = "application/json"


def to_payload(value: Any) -> Payload:
    """Return a JSON value as a Payload. Raises PAYLOAD_INVALID or NUMBER_OUT_OF_RANGE."""
    return Payload(data=dump_json(value), content_type=JSON_TYPE)


def from_payload(payload: Payload) -> JsonValue:
    """Return the value a Payload holds; a blob as `{"$blob": digest, "size_bytes": n}`, nothing as null.

    Raises:
        HostdError: PAYLOAD_INVALID when it holds something other than JSON.
    """
    body = payload.WhichOneof("body")
    if body == "blob":
        size = payload.metadata.get("size_bytes", "")
        return {"$blob": payload.blob, "size_bytes": int(size) if size.isdigit() else None}
    if body == "json":
        from google.protobuf.json_format import MessageToDict  # rare, and slow to import

        return normalize(MessageToDict(payload.json))
    if body is None or not payload.data:
        return None
    if payload.content_type not in ("", JSON_TYPE):
        raise invalid("PAYLOAD_INVALID", f"the payload is {payload.content_type[:80]}, not JSON")
    return parse_json(payload.data)
