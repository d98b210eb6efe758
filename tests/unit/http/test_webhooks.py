"""Webhooks over real sockets: routing, bodies and answers."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from yarl import URL

from hostd.aio import SystemClock
from hostd.config.rooms import Http
from hostd.errors.base import HostdError, Kind
from hostd.host.routes import RouteTable
from hostd.http.server import HttpServer
from hostd.model.requests import Repeat
from hostd.model.topics import NewEvent, PublishedView
from hostd.plugin import WebhookRequest, WebhookResponse
from hostd.telemetry.meter import Meter

PATH = "/hooks/default/orders/new"


class Hooks:
    """A door with one webhook that remembers what it was asked."""

    def __init__(self, **settings: Any) -> None:
        self.routes = RouteTable()
        self.asked: list[WebhookRequest] = []
        self.answer: Any = WebhookResponse.json(202, {"run_id": "r1"})
        meter = Meter()
        self.server = HttpServer(
            settings=Http(listen="127.0.0.1:0", **settings),
            routes=self.routes,
            events=self,
            health=self,
            metrics=meter,
            check_token=lambda token: False,
            meter=meter,
            clock=SystemClock(),
        )

    def problems(self) -> dict[str, str]:
        """Nothing is wrong."""
        return {}

    async def publish(
        self, namespace: str, events: Sequence[NewEvent], *, repeat: Repeat | None
    ) -> Sequence[PublishedView]:
        """Nobody publishes here; test_events.py does."""
        raise NotImplementedError

    async def handle(self, request: WebhookRequest) -> WebhookResponse:
        """Remember the request; answer or raise what the test set."""
        self.asked.append(request)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer  # type: ignore[no-any-return]

    async def start(self, max_body_bytes: int = 1 << 20) -> "Hooks":
        """Listen, with the webhook in place."""
        self.host, self.port = await self.server.start()
        self.route = self.routes.add(
            "default", "orders/new", ["POST", "PUT"], self.handle, owner="t", max_body_bytes=max_body_bytes
        )
        return self

    async def send(self, method: str = "POST", path: str | URL = PATH, **more: Any) -> tuple[int, Any, dict[str, str]]:
        """Return status, JSON body (else bytes) and headers of an answer."""
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, URL(f"http://{self.host}:{self.port}{path}", encoded=True), **more) as answer,
        ):
            data = await answer.read()
            value = json.loads(data) if data and answer.content_type == "application/json" else data
            return answer.status, value, {name.lower(): each for name, each in answer.headers.items()}


@pytest.fixture
async def hooks() -> AsyncIterator[Hooks]:
    """A door with ordinary settings."""
    hooks = await Hooks().start()
    yield hooks
    await hooks.server.stop(grace_s=1)


async def test_a_webhook_reaches_its_trigger(hooks: Hooks) -> None:
    """Method, path, headers in lower case, query and the body's exact bytes arrive; the answer goes back."""
    body = b'{"a":  1}\x00\xff'

    status, value, _ = await hooks.send(
        "PUT", f"{PATH}?a=1&a=2&b=%20", data=body, headers={"X-Sign": "s", "Host": "anything.example", "Origin": "null"}
    )

    assert (status, value) == (202, {"run_id": "r1"})
    asked = hooks.asked[0]
    assert (asked.method, asked.path, asked.body, asked.remote) == ("PUT", PATH, body, "127.0.0.1")
    assert asked.headers["x-sign"] == "s"
    assert asked.query == {"a": "2", "b": " "}


async def test_nobody_answers_elsewhere(hooks: Hooks) -> None:
    """Another path, namespace or spelling is a 404; another method a 405 that names what is taken."""
    others = ("/hooks/default/orders", "/hooks/other/orders/new", "/hooks/", PATH + "/", "/hooks/default//orders/new")
    for path in (*others, "/hooks/default/orders%2Fnew"):
        assert (await hooks.send(path=path))[1]["reason"] == "PATH_MISSING"
    status, value, headers = await hooks.send("GET")
    assert (status, value["reason"], headers["allow"]) == (405, "METHOD_REFUSED", "OPTIONS, POST, PUT")


async def test_a_path_that_may_come_is_to_be_asked_again(hooks: Hooks) -> None:
    """While triggers wait for their plugins a sender is told to come back, not that there is nothing."""
    hooks.routes.incomplete = lambda: True
    status, value, headers = await hooks.send(path="/hooks/default/later")
    assert (status, value["reason"], headers["retry-after"]) == (503, "PLUGIN_UNAVAILABLE", "5")
    assert (await hooks.send("GET"))[0] == 405


async def test_questions_about_a_path_make_no_event(hooks: Hooks) -> None:
    """OPTIONS names the methods, HEAD is for paths that take GET; neither reaches a trigger, and both know a 404."""
    status, _, headers = await hooks.send("OPTIONS")
    assert (status, headers["allow"]) == (204, "OPTIONS, POST, PUT")
    status, _, headers = await hooks.send("HEAD")
    assert (status, headers["allow"]) == (405, "OPTIONS, POST, PUT")
    hooks.routes.add("default", "look", ["GET"], hooks.handle, owner="t")
    assert (await hooks.send("HEAD", "/hooks/default/look"))[0] == 200
    assert (await hooks.send("OPTIONS", "/hooks/default/look"))[2]["allow"] == "GET, HEAD, OPTIONS"
    assert (await hooks.send("PATCH", "/hooks/default/look"))[0] == 405
    for method in ("OPTIONS", "HEAD"):
        assert (await hooks.send(method, "/hooks/default/nobody"))[0] == 404
    assert hooks.asked == []


async def test_parameters_of_a_path_reach_the_trigger(hooks: Hooks) -> None:
    """Decoded, a slash inside them too; one that is no text is a 400."""
    hooks.routes.add("default", "of/{shop}/{id}", ["POST"], hooks.handle, owner="t")

    assert (await hooks.send(path=URL("/hooks/default/of/caf%C3%A9/a%2Fb", encoded=True)))[0] == 202
    assert hooks.asked[0].params == {"shop": "café", "id": "a/b"}
    status, value, _ = await hooks.send(path=URL("/hooks/default/of/%FF/1", encoded=True))
    assert (status, value["reason"]) == (400, "ARGUMENT_INVALID")


async def test_a_closed_route_is_gone(hooks: Hooks) -> None:
    """When the trigger ends its path answers no more, and another may take it."""
    hooks.route.close()
    hooks.route.close()

    assert (await hooks.send())[0] == 404
    hooks.routes.add("default", "orders/new", ["POST"], hooks.handle, owner="u")
    assert (await hooks.send())[0] == 202


async def test_a_large_body_never_reaches_the_trigger() -> None:
    """Refused by its announced length and while it arrives in chunks; the smaller of both limits holds."""
    hooks = await Hooks(body_max=2048).start(max_body_bytes=1024)

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"x" * 512

    assert (await hooks.send(data=b"x" * 1024))[0] == 202
    for data in (b"x" * 1025, b"x" * 300_000, chunks()):
        status, value, _ = await hooks.send(data=data)
        assert (status, value["reason"], value["details"]["max_bytes"]) == (413, "PAYLOAD_TOO_LARGE", "1024")
    assert len(hooks.asked) == 1
    await hooks.server.stop(grace_s=1)


async def test_a_slow_body_is_given_up() -> None:
    """A client that sends a byte and waits is told so, and the connection ends."""
    hooks = await Hooks(body_timeout=timedelta(milliseconds=50)).start()
    reader, writer = await asyncio.open_connection(hooks.host, hooks.port)

    writer.write(f"POST {PATH} HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nx".encode())
    answer = await reader.read()

    assert answer.startswith(b"HTTP/1.1 408")
    assert b"BODY_TOO_SLOW" in answer
    assert hooks.asked == []
    writer.close()
    await hooks.server.stop(grace_s=1)


async def test_a_body_that_breaks_off_is_not_delivered(hooks: Hooks) -> None:
    """A connection that ends early, or chunks that are none, never look like a whole body."""
    for sent in (b"Content-Length: 100\r\n\r\nhalf", b"Transfer-Encoding: chunked\r\n\r\n5\r\nhel"):
        reader, writer = await asyncio.open_connection(hooks.host, hooks.port)
        writer.write(f"POST {PATH} HTTP/1.1\r\nHost: h\r\n".encode() + sent)
        writer.write_eof()
        await reader.read()
        writer.close()
    reader, writer = await asyncio.open_connection(hooks.host, hooks.port)
    writer.write(f"POST {PATH} HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\nhello\r\n".encode())
    assert b"ARGUMENT_INVALID" in await reader.read()
    writer.close()

    assert hooks.asked == []


async def test_compressed_bodies_are_refused(hooks: Hooks) -> None:
    """What would grow on reading, and is not what a signature is over, is not taken."""
    status, value, _ = await hooks.send(data=b"x", headers={"Content-Encoding": "gzip"})

    assert (status, value["reason"]) == (415, "ENCODING_REFUSED")


async def test_expect_continue(hooks: Hooks) -> None:
    """A client that asks first (curl with a large body) is told to go on."""
    status, *_ = await hooks.send(data=b"x" * 5000, expect100=True)

    assert status == 202
    assert len(hooks.asked[0].body) == 5000


async def test_errors_of_the_daemon_keep_their_reason(hooks: Hooks) -> None:
    """A full intake is 429 with the time to come again; a draining daemon 503."""
    hooks.answer = HostdError(Kind.EXHAUSTED, "INTAKE_FULL", "full", retry_after_s=2.4)
    status, value, headers = await hooks.send()
    assert (status, value["reason"], headers["retry-after"]) == (429, "INTAKE_FULL", "2")

    hooks.answer = HostdError(Kind.UNAVAILABLE, "DRAINING", "stopping")
    assert (await hooks.send())[0] == 503


@pytest.mark.parametrize(
    "answer", [RuntimeError("secret inside"), None, WebhookResponse(99), WebhookResponse(204, {"a": "b\r\nc: d"})]
)
async def test_a_broken_handler_costs_one_request(hooks: Hooks, answer: Any) -> None:
    """An exception or an answer that is none becomes a 500 with an id, without details; the door goes on."""
    hooks.answer = answer
    status, value, headers = await hooks.send()
    assert (status, value["reason"]) == (500, "BUG")
    assert value["details"]["id"] in value["message"]
    assert "secret" not in json.dumps(value)
    assert "c" not in headers

    hooks.answer = WebhookResponse(200, {"content-type": "text/html", "Content-Length": "9", "X-A": "b"}, b"<p>")
    status, value, headers = await hooks.send()
    assert (status, value, headers["x-a"], headers["content-length"]) == (200, b"<p>", "b", "3")
    assert headers["x-content-type-options"] == "nosniff"


async def test_a_connection_is_kept_and_pipelined(hooks: Hooks) -> None:
    """Two requests in one write get two answers in order."""
    reader, writer = await asyncio.open_connection(hooks.host, hooks.port)
    one = f"POST {PATH}?n=1 HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\na".encode()
    two = f"POST {PATH}?n=2 HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nConnection: close\r\n\r\nb".encode()

    writer.write(one + two)
    answers = await reader.read()

    assert answers.count(b"HTTP/1.1 202") == 2
    assert [asked.body for asked in hooks.asked] == [b"a", b"b"]
    writer.close()


async def test_headers_are_text(hooks: Hooks) -> None:
    """Bytes that are no UTF-8 are replaced before any trigger sees them, one in another process too."""
    reader, writer = await asyncio.open_connection(hooks.host, hooks.port)
    head = b"POST %s HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 0\r\n" % PATH.encode()
    writer.write(head + b"x-odd: a\xffb\r\nx-fine: caf\xc3\xa9\r\n\r\n")
    async with asyncio.timeout(60):
        assert b" 202 " in await reader.readline()
    writer.close()
    [request] = hooks.asked
    assert (request.headers["x-odd"], request.headers["x-fine"]) == ("a\ufffdb", "café")
