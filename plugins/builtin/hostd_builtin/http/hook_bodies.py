"""A request's body as a value: JSON, a form, text, or bytes as base64."""

from __future__ import annotations

import base64
from urllib.parse import parse_qsl

from hostd.plugin import HostdError, JsonValue, parse_json
from hostd_builtin.http.hook_options import Form
from hostd_builtin.http.refusal import Refusal

FIELDS_MAX = 1_000
FORM = "application/x-www-form-urlencoded"


def kind_of(content_type: str) -> str:
    """Return a content type without parameters, in lower case."""
    return content_type.partition(";")[0].strip().lower()


def is_json(kind: str) -> bool:
    """Say whether a content type is JSON's, in any dialect."""
    return kind == "application/json" or kind.endswith("+json")


def read_body(body: bytes, content_type: str, form: Form) -> JsonValue:
    """Return a body's value; null for no body at all. Raises Refusal: 400, 415."""
    kind = kind_of(content_type)
    if not body:
        return None
    if form == "auto":
        return _by_type(body, kind)
    if form == "base64":
        return base64.b64encode(body).decode("ascii")
    if form == "json":
        return read_json(body)
    return _fields(body, kind) if form == "form" else _text(body, kind)


def _by_type(body: bytes, kind: str) -> JsonValue:
    if is_json(kind):
        return read_json(body)
    if kind == FORM:
        return _fields(body, kind)
    if kind.startswith("text/"):
        return _text(body, kind)
    wanted = f"application/json, {FORM} or text/*"
    raise Refusal(
        415,
        "PAYLOAD_INVALID",
        f"the content type {kind[:80]!r} is not taken; send {wanted}",
        headers={"accept-post": f"application/json, {FORM}, text/*"},
    )


def read_json(body: bytes) -> JsonValue:
    """Return JSON's value. Raises Refusal (400) naming the place."""
    try:
        return parse_json(body)
    except HostdError as error:
        raise Refusal(400, error.reason, f"{error.message}; send JSON, or another content type") from None


def _fields(body: bytes, kind: str) -> JsonValue:
    """Return a form's fields; a name that stands several times gives its last value."""
    try:
        return dict(parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=FIELDS_MAX))
    except ValueError:
        raise _not(kind or FORM) from None


def _text(body: bytes, kind: str) -> JsonValue:
    try:
        return body.decode("utf-8")
    except ValueError:
        raise _not(kind or "text/plain") from None


def _not(kind: str) -> Refusal:
    return Refusal(400, "PAYLOAD_INVALID", f"the body is not what {kind} says")
