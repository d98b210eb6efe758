"""The HTTP port: webhooks, health and metrics. Imported after the gRPC port listens; aiohttp speaks the protocol.

Every bound is here: connections, requests at once, headers and their size, body, time to send them.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError, LineTooLong
from aiohttp.web_protocol import RequestHandler

from hostd.aio import Clock
from hostd.config.rooms import Http
from hostd.config.types import HostPort
from hostd.errors.base import HostdError, Kind, invalid
from hostd.http.answers import error_answer, json_answer, text_answer
from hostd.http.events import PREFIX as EVENTS_PREFIX
from hostd.http.events import take_events
from hostd.http.guard import Visitors
from hostd.http.listening import BACKLOG, address_of, listen
from hostd.http.ports import TRACE, EventTopics, Health, MetricsSource, TokenCheck, WebhookRoutes
from hostd.http.unanswered import Unanswered
from hostd.http.webhooks import PREFIX, answer_webhook
from hostd.telemetry.logs import log_scope
from hostd.telemetry.meter import CONTENT_TYPE, OPEN_CONTENT_TYPE, Meter, takes_openmetrics
from hostd.telemetry.spans import LiveSpan
from hostd.telemetry.tracing import Tracing
from hostd.values.json_text import JsonValue
from hostd.values.trace import read_trace

IDLE_S = 30  # also the time a client has for its request line and headers
LINE_BYTES_MAX = 8_190
HEADER_BYTES_MAX = 8_190
READ_BYTES = 1 << 16
LINGER_S = 1.0
TRACED = frozenset({"webhook", "events"})  # routes that bring events, in a trace or not
_log = logging.getLogger("hostd.http")
Answer = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class HttpServer:
    """One HTTP port. `start` once, `stop` once.

    Args:
        settings: the room of the configuration; `listen` must not be `off`.
        tls: where set, the port speaks HTTPS.
        given: sockets that listen already, which it closes; `listen` then says nothing.
    """

    def __init__(
        self,
        *,
        settings: Http,
        routes: WebhookRoutes,
        events: EventTopics,
        health: Health,
        metrics: MetricsSource,
        check_token: TokenCheck,
        meter: Meter,
        clock: Clock,
        tracing: Tracing | None = None,
        tls: ssl.SSLContext | None = None,
        given: Sequence[socket.socket] = (),
    ) -> None:
        self._settings = settings
        self._given = given
        self._check_token = check_token
        self._routes = routes
        self._events = events
        self._health = health
        self._metrics = metrics
        self._meter = meter
        self._clock = clock
        self._tracing = tracing or Tracing(clock)
        self._tls = tls
        self._visitors = self._visitors_of(settings)
        self._sites: list[asyncio.Server] = []
        self._server: _Server | None = None
        self._busy = 0
        meter.reading("hostd_http_requests_in_flight", lambda: {(): float(self._busy)})
        self._unanswered = Unanswered(settings.connections_max)
        self._idle = asyncio.Event()
        self._idle.set()
        self._draining = False

    async def start(self) -> HostPort:
        """Listen; return the address, with the port that the system chose where it was 0.

        Raises:
            HostdError: ADDRESS_IN_USE or ADDRESS_REFUSED.
        """
        listening = self._given or await listen(self._settings.listen)
        bound = address_of(listening)
        self._server = _Server(self._handle, self._settings.headers_max, self._settings.connections_max)
        loop = asyncio.get_running_loop()
        for one in listening:
            site = await loop.create_server(self._server, sock=one, ssl=self._tls, backlog=BACKLOG)
            self._sites.append(site)
        return bound

    def reconfigure(self, settings: Http) -> None:
        """Take other settings from the next request on; where it listens stays."""
        self._settings = settings
        self._unanswered.requests_max = settings.connections_max
        self._visitors = self._visitors_of(settings)
        if self._server is not None:
            self._server.resize(settings.headers_max, settings.connections_max)

    def _visitors_of(self, settings: Http) -> Visitors:
        return Visitors(hosts=settings.hosts, origins=settings.origins, check_token=self._check_token)

    async def stop(self, *, grace_s: float) -> None:
        """Refuse what is new, let what runs end within the grace, then close. May be called twice."""
        self._draining = True
        if not self._sites or self._server is None:
            return
        for site in self._sites:
            site.close()
        try:
            async with asyncio.timeout(grace_s):
                await self._idle.wait()
        except TimeoutError:
            _log.warning("http_requests_cut count=%d", self._busy)
        self._server.pre_shutdown()
        await self._server.shutdown(0.1)
        self._sites = []

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request, whatever happens; the door's supervisor."""
        route, answer = self._find(request)
        if route not in TRACED:
            return await self._counted(request, route, answer)
        span, trace = self._traced(request, route)
        if not trace:
            return await self._counted(request, route, answer)
        request[TRACE] = trace
        with log_scope(trace_id=trace[3:35], span_id=trace[36:52]):
            response = await self._counted(request, route, answer)
        if span is not None:
            span.attributes["http.response.status_code"] = response.status
            span.end(f"HTTP {response.status}" if response.status >= 500 else "")
        return response

    def _traced(self, request: web.BaseRequest, route: str) -> tuple[LiveSpan | None, str]:
        """Return a request's span, where spans are sent, and the trace context it is answered in; empty for none."""
        headers = request.headers
        trace = read_trace(headers["traceparent"], headers.get("tracestate", "")) if "traceparent" in headers else ""
        span = self._tracing.begin(f"{request.method} {route}", trace, "server")
        if span is None:
            return None, trace
        span.attributes |= {"http.request.method": request.method, "url.path": request.rel_url.raw_path[:500]}
        return span, span.trace.text()

    async def _counted(self, request: web.BaseRequest, route: str, answer: Answer) -> web.StreamResponse:
        began_s = self._clock.monotonic_s()
        self._busy += 1
        self._idle.clear()
        try:
            response = await self._answered(request, answer)
        finally:
            self._busy -= 1
            if not self._busy:
                self._idle.set()
        self._meter.counter("hostd_http_requests_total", route=route, code=str(response.status)).inc()
        self._meter.histogram("hostd_http_request_seconds", route=route).observe(self._clock.monotonic_s() - began_s)
        return response

    async def _answered(self, request: web.BaseRequest, answer: Answer) -> web.StreamResponse:
        try:
            self._check_room(request)
            return await answer(request)
        except HostdError as error:
            response = error_answer(error, {"allow": error.details["allow"]} if "allow" in error.details else None)
        except ConnectionError:
            raise
        except Exception:  # noqa: BLE001 - a door's last line: a bug costs one request, and its details stay in the log
            bug_id = secrets.token_hex(6)
            _log.exception("http_request_failed id=%s method=%s path=%s", bug_id, request.method, request.path)
            response = error_answer(_bug(f"a mistake of ours; the log has it under {bug_id}", id=bug_id))
        if self._draining or not request.content.is_eof():
            response.force_close()
        return response

    def _check_room(self, request: web.BaseRequest) -> None:
        """Raise for a request that is too much at all. Headers past the parser's own limits never come here."""
        if self._draining:
            raise HostdError(Kind.UNAVAILABLE, "DRAINING", "the daemon is stopping", retry_after_s=5)
        if self._busy > self._settings.connections_max:
            raise HostdError(Kind.EXHAUSTED, "HTTP_BUSY", "too many requests at once", retry_after_s=1)
        if len(request.raw_headers) > self._settings.headers_max:
            raise invalid("HEADERS_TOO_LARGE", f"more than {self._settings.headers_max} headers")

    def _find(self, request: web.BaseRequest) -> tuple[str, Answer]:
        """Return what answers a path, with its name in the metrics."""
        path = request.rel_url.raw_path
        if path.startswith(PREFIX):
            return "webhook", lambda request: answer_webhook(request, self._routes, self._settings, self._unanswered)
        if path.startswith(EVENTS_PREFIX):
            return "events", self._take_events
        if path == "/metrics":
            return "metrics", self._metrics_page
        if path == "/livez":
            return "health", self._live
        if path in ("/healthz", "/readyz"):
            return "health", self._ready
        return "other", self._nothing

    async def _take_events(self, request: web.BaseRequest) -> web.StreamResponse:
        self._visitors.check_names(request)
        self._visitors.check_owner(request)
        return await take_events(request, self._events, self._settings)

    async def _live(self, request: web.BaseRequest) -> web.StreamResponse:
        """Say that the process and its loop live."""
        self._check_reader(request)
        return json_answer(200, {"state": "LIVE"})

    async def _ready(self, request: web.BaseRequest) -> web.StreamResponse:
        """Say whether the daemon takes work, and if not, which part keeps it from it."""
        self._check_reader(request)
        problems: dict[str, JsonValue] = dict(self._health.problems())
        if problems:
            return json_answer(503, {"state": "NOT_READY", "problems": problems})
        return json_answer(200, {"state": "READY"})

    async def _metrics_page(self, request: web.BaseRequest) -> web.StreamResponse:
        self._check_reader(request)
        self._visitors.check_operator(request)
        openly = takes_openmetrics(request.headers.get("accept", ""))
        text = await self._metrics.render(openmetrics=openly)
        return text_answer(text, OPEN_CONTENT_TYPE if openly else CONTENT_TYPE)

    async def _nothing(self, request: web.BaseRequest) -> web.StreamResponse:
        self._visitors.check_names(request)
        raise HostdError(Kind.MISSING, "PATH_MISSING", f"there is nothing at {request.rel_url.raw_path[:200]}")

    def _check_reader(self, request: web.BaseRequest) -> None:
        self._visitors.check_names(request)
        if request.method not in ("GET", "HEAD"):
            raise HostdError(Kind.INVALID, "METHOD_REFUSED", "ask with GET", details={"allow": "GET, HEAD"})


class _Server(web.Server):
    """aiohttp's server with our bounds and our way to say no."""

    def __init__(self, handler: Answer, headers_max: int, connections_max: int) -> None:
        super().__init__(handler)
        self.resize(headers_max, connections_max)

    def resize(self, headers_max: int, connections_max: int) -> None:
        """Take other bounds, for connections made from now on."""
        # A few more than we allow, so that our own check answers; far past it the parser itself gives up.
        self._headers_max = headers_max * 2
        self._connections_max = connections_max * 2

    def __call__(self) -> RequestHandler:
        return _Connection(
            self,
            loop=self._loop,
            access_log=None,  # type: ignore[arg-type]
            auto_decompress=False,
            keepalive_timeout=IDLE_S,
            lingering_time=LINGER_S,
            max_field_size=HEADER_BYTES_MAX,
            max_headers=self._headers_max,
            max_line_size=LINE_BYTES_MAX,
            read_bufsize=READ_BYTES,
        )

    def connection_made(self, handler: RequestHandler, transport: asyncio.Transport) -> None:
        """Hang up where there are too many already."""
        super().connection_made(handler, transport)
        if len(self._connections) > self._connections_max:
            self._loop.call_soon(transport.abort)  # the handler must have begun to bear it


class _Connection(RequestHandler):
    """One connection; what is not HTTP is told so in JSON."""

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what never became a request."""
        if isinstance(exc, HttpProcessingError):
            error = _unreadable(exc)
        else:
            _log.error("http_connection_failed status=%d", status, exc_info=exc)
            error = _bug("a mistake of ours; the log has it")
        response = error_answer(error)
        response.force_close()
        return response


def _unreadable(error: HttpProcessingError) -> HostdError:
    text = " ".join(str(error.message).split())[:200]
    if isinstance(error, LineTooLong) or "oo many headers" in text:
        return invalid("HEADERS_TOO_LARGE", "the request line or the headers are longer than this door reads")
    return invalid("ARGUMENT_INVALID", f"this is not HTTP: {text}")


def _bug(message: str, **details: str) -> HostdError:
    return HostdError(Kind.BUG, "BUG", message, details=details)
