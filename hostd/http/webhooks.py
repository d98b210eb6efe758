"""From an HTTP request to the trigger that answers it, and back."""

from __future__ import annotations

import re
from collections.abc import Mapping

from aiohttp import web

from hostd.config.rooms import Http
from hostd.errors.base import HostdError, Kind
from hostd.http.bodies import read_body
from hostd.http.ports import TRACE, WebhookRoutes
from hostd.http.unanswered import Unanswered
from hostd.plugin import WebhookRequest, WebhookResponse
from hostd.values.trace import headers_of

PREFIX = "/hooks/"
ANSWER_BYTES_MAX = 16 << 20
COMING_S = 5
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, token
_VALUE = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f]*")
# Framing and connection are ours, whatever a plugin answers.
_OURS = frozenset({"connection", "content-length", "date", "keep-alive", "server", "transfer-encoding", "upgrade"})


async def answer_webhook(
    request: web.BaseRequest, routes: WebhookRoutes, settings: Http, unanswered: Unanswered
) -> web.StreamResponse:
    """Read the request, let its trigger answer, return what it says.

    Raises:
        HostdError: nobody answers there, the body is refused, the trigger does not answer, or says so itself.
    """
    path = request.rel_url.raw_path
    route = routes.find(path, request.method)
    if route is None:
        return _asks_about(path, request.method, routes)
    body = await read_body(
        request,
        max_bytes=min(route.max_body_bytes, settings.body_max),
        timeout_s=settings.body_timeout.total_seconds(),
    )
    asked = _asked(request, path, route.params(path), body)
    async with unanswered.waiting(route):
        answer = await route.handler(asked)
    return _answer(answer)


def _asks_about(path: str, method: str, routes: WebhookRoutes) -> web.StreamResponse:
    """Answer what makes no event: OPTIONS, and HEAD where GET is taken (it promises to change nothing).

    Raises:
        HostdError: PATH_MISSING, METHOD_REFUSED; PLUGIN_UNAVAILABLE while a trigger that is to come may answer.
    """
    taken = routes.methods(path)
    if not taken and routes.incomplete():
        message = f"no trigger answers {path[:200]} yet, but some still begin, or wait for their plugin; try again"
        raise HostdError(Kind.UNAVAILABLE, "PLUGIN_UNAVAILABLE", message, retry_after_s=COMING_S)
    if not taken:
        raise HostdError(Kind.MISSING, "PATH_MISSING", f"no trigger answers {path[:200]}")
    allow = ", ".join(sorted({*taken, "OPTIONS", *(["HEAD"] if "GET" in taken else [])}))
    if method == "OPTIONS":
        return web.Response(status=204, headers={"allow": allow, "cache-control": "no-store"})
    if method == "HEAD" and "GET" in taken:
        return web.Response(status=200, headers={"cache-control": "no-store"})
    message = f"{path[:200]} does not take {method[:20]}, but {', '.join(taken)}"
    raise HostdError(Kind.INVALID, "METHOD_REFUSED", message, details={"allow": allow})


def _asked(request: web.BaseRequest, path: str, params: Mapping[str, str], body: bytes) -> WebhookRequest:
    headers = {name.lower(): _text(value) for name, value in request.headers.items()}
    headers |= headers_of(request.get(TRACE, ""))
    query = dict(request.rel_url.query.items())
    return WebhookRequest(
        method=request.method,
        path=path,
        headers=headers,
        query=query,
        body=body,
        remote=request.remote or "",
        params=params,
    )


def _text(value: str) -> str:
    """Return a header as text that JSON and protobuf can hold: bytes that are no UTF-8 are replaced."""
    if value.isascii():
        return value
    return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _answer(answer: WebhookResponse) -> web.StreamResponse:
    """Return the answer of a plugin as HTTP; one that is no valid answer is the plugin's mistake."""
    if not isinstance(answer, WebhookResponse):
        raise TypeError(f"a webhook handler answered {type(answer).__name__}, not WebhookResponse")
    if not 200 <= answer.status <= 599 or len(answer.body) > ANSWER_BYTES_MAX:
        raise ValueError(f"a webhook handler answered {answer.status} with {len(answer.body)} bytes")
    for name, value in answer.headers.items():
        if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            raise ValueError(f"a webhook handler answered a malformed header {name[:80]!r}")
    headers = {name: value for name, value in answer.headers.items() if name.lower() not in _OURS}
    headers.setdefault("x-content-type-options", "nosniff")
    return web.Response(status=answer.status, body=answer.body, headers=headers)
