"""What the HTTP door says: JSON with a reason and a sentence, and nothing about our insides."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from hostd.errors.base import HostdError
from hostd.errors.codes import CODES
from hostd.errors.reasons import REASONS
from hostd.values.json_text import JsonValue, dump_json

# What HTTP has a finer word for than the kind of the error says.
_STATUS = {
    "BODY_TOO_SLOW": 408,
    "ENCODING_REFUSED": 415,
    "HEADERS_TOO_LARGE": 431,
    "HTTP_BUSY": 503,
    "METHOD_REFUSED": 405,
    "PAYLOAD_TOO_LARGE": 413,
}
_SAFE = {"cache-control": "no-store", "x-content-type-options": "nosniff"}


def json_answer(status: int, value: JsonValue, headers: Mapping[str, str] | None = None) -> web.Response:
    """Return a JSON answer that nobody caches."""
    body = dump_json(value) + b"\n"
    return web.Response(status=status, body=body, content_type="application/json", headers={**_SAFE, **(headers or {})})


def text_answer(body: bytes, content_type: str) -> web.Response:
    """Return a text answer that nobody caches."""
    return web.Response(body=body, headers={**_SAFE, "content-type": content_type})


def error_answer(error: HostdError, headers: Mapping[str, str] | None = None) -> web.Response:
    """Return `{"reason", "message"}`, where there are some with `details`, `violations` and the reason's `fix`."""
    value: dict[str, JsonValue] = {"reason": error.reason, "message": error.message}
    if error.details:
        value["details"] = dict(error.details)
    if error.violations:
        value["violations"] = [
            {"path": each.path, "reason": each.reason, "message": each.message} for each in error.violations
        ]
    page = REASONS.get(error.reason)
    if page is not None and not page.fix.startswith("See ") and page.fix not in error.message:
        value["fix"] = page.fix
    extra = dict(headers or {})
    if error.retry_after_s is not None:
        extra["retry-after"] = str(max(1, round(error.retry_after_s)))
    if error.reason in ("TOKEN_MISSING", "TOKEN_INVALID"):
        extra["www-authenticate"] = "Bearer"
    return json_answer(_STATUS.get(error.reason, CODES[error.kind].http), value, extra)
