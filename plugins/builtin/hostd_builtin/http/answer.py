"""An HTTP answer as a step's output, or as the error it means."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from hostd.plugin import ActionError, HostdError, JsonValue, parse_json

RETRYABLE_STATUSES = frozenset({408, 425, 429})
ERROR_BODY_CHARS_MAX = 2_000
RETRY_AFTER_MAX_S = 86_400.0
_TEXT_TYPES = frozenset(
    {"application/xml", "application/javascript", "application/x-www-form-urlencoded", "image/svg+xml"}
)


def is_expected(status: int, expected: list[int | str]) -> bool:
    """Say whether a status is among numbers and classes such as `2xx`."""
    return status in expected or f"{status // 100}xx" in expected


def is_retryable(status: int) -> bool:
    """Say whether trying again can change a status."""
    return status in RETRYABLE_STATUSES or 500 <= status <= 599


def retry_after_s(value: str | None, now: datetime) -> float | None:
    """Return the seconds a `Retry-After` header asks for (a count, or a date), at most a day; None without one."""
    if not value:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit() and len(text) < 10:
        return min(float(text), RETRY_AFTER_MAX_S)
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return min(max((at - now).total_seconds(), 0.0), RETRY_AFTER_MAX_S)


def read_body(data: bytes, *, content_type: str, charset: str | None, how: str) -> tuple[JsonValue, str]:
    """Return a body and how it is given: json, text or base64.

    Raises:
        ActionError: BODY_INVALID when it is not what it is taken for.
        HostdError: NUMBER_OUT_OF_RANGE.
    """
    form = how if how != "auto" else _form_of(content_type)
    if form == "json":
        return _read_json(data), "json"
    if form == "text":
        return _read_text(data, charset), "text"
    return base64.b64encode(data).decode("ascii"), "base64"


def _form_of(content_type: str) -> str:
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/json" or kind.endswith("+json"):
        return "json"
    if kind.startswith("text/") or kind in _TEXT_TYPES or kind.endswith("+xml"):
        return "text"
    return "base64"


def _read_json(data: bytes) -> JsonValue:
    if not data.strip():
        return None
    try:
        return parse_json(data)
    except HostdError as error:
        if error.reason != "PAYLOAD_INVALID":
            raise
        message = f"the answer is {error.message}; `parse: text` takes it as text"
        raise ActionError(message, code="BODY_INVALID") from None


def _read_text(data: bytes, charset: str | None) -> str:
    try:
        text = data.decode(charset or "utf-8")
        text.encode("utf-8")  # some charsets decode to lone surrogates
    except (LookupError, UnicodeError):
        raise ActionError(
            f"the answer is not text in {charset or 'utf-8'}; `parse: base64` takes any bytes", code="BODY_INVALID"
        ) from None
    return text


def excerpt(data: bytes) -> str:
    """Return the beginning of a body for an error's details."""
    return data[: ERROR_BODY_CHARS_MAX * 4].decode("utf-8", "replace")[:ERROR_BODY_CHARS_MAX]
