"""The HTTP port over real sockets: health, metrics, bounds, stopping."""

import asyncio
import json
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from hostd.aio import SystemClock, spawn
from hostd.config.rooms import Http
from hostd.errors.base import HostdError
from hostd.host.routes import RouteTable
from hostd.http.server import HttpServer
from hostd.model.requests import Repeat
from hostd.model.topics import NewEvent, PublishedView
from hostd.plugin import WebhookRequest, WebhookResponse
from hostd.telemetry.meter import Meter

TOKEN = "owner-token"


class Door:
    """An HTTP port with everything it needs, and ways to talk to it."""

    def __init__(self, tls: ssl.SSLContext | None = None, **settings: Any) -> None:
        self.routes = RouteTable()
        self.problem: dict[str, str] = {}
        self.meter = Meter()
        self.server = HttpServer(
            settings=Http(listen=settings.pop("listen", "127.0.0.1:0"), **settings),
            routes=self.routes,
            events=self,
            health=self,
            metrics=self.meter,
            check_token=lambda token: token == TOKEN,
            meter=self.meter,
            clock=SystemClock(),
            tls=tls,
        )

    def problems(self) -> dict[str, str]:
        """Return what the test says is wrong."""
        return self.problem

    async def publish(
        self, namespace: str, events: Sequence[NewEvent], *, repeat: Repeat | None
    ) -> Sequence[PublishedView]:
        """Nobody publishes here; test_events.py does."""
        raise NotImplementedError

    async def start(self) -> "Door":
        """Listen."""
        self.host, self.port = await self.server.start()
        self.url = f"http://{self.host}:{self.port}"
        return self

    async def ask(self, path: str, method: str = "GET", **more: Any) -> tuple[int, Any, dict[str, str]]:
        """Return status, JSON body (else text) and headers of an answer."""
        async with (
            aiohttp.ClientSession(auto_decompress=False) as session,
            session.request(method, self.url + path, **more) as answer,
        ):
            text = await answer.text()
            value = json.loads(text) if answer.content_type == "application/json" and text else text
            return answer.status, value, {name.lower(): each for name, each in answer.headers.items()}

    async def raw(self, data: bytes, *, eof: bool = False) -> bytes:
        """Return everything the server says to some bytes, until it closes."""
        reader, writer = await asyncio.open_connection(self.host, self.port)
        writer.write(data)
        if eof:
            writer.write_eof()
        try:
            async with asyncio.timeout(120):
                return await reader.read()
        except ConnectionError:
            return b""
        finally:
            writer.close()


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    """A door with ordinary settings."""
    door = await Door().start()
    yield door
    await door.server.stop(grace_s=1)


async def answer_ok(request: WebhookRequest) -> WebhookResponse:
    """Say what arrived."""
    return WebhookResponse.json(202, {"body": request.body.decode(), "path": request.path})


async def test_health_says_what_is_wrong(door: Door) -> None:
    """Live while the loop turns; ready unless a part says why not; asked by HEAD too."""
    assert (await door.ask("/livez"))[:2] == (200, {"state": "LIVE"})
    assert (await door.ask("/readyz"))[:2] == (200, {"state": "READY"})
    assert (await door.ask("/healthz", "HEAD"))[0] == 200

    door.problem = {"journal": "JOURNAL_FULL"}

    assert (await door.ask("/livez"))[0] == 200
    expected = (503, {"state": "NOT_READY", "problems": {"journal": "JOURNAL_FULL"}})
    assert (await door.ask("/readyz"))[:2] == expected
    assert (await door.ask("/healthz"))[:2] == expected
    assert (await door.ask("/livez", "POST"))[0] == 405


async def test_metrics_are_open_on_loopback_only(door: Door) -> None:
    """This machine reads without a token; a wrong token, a proxy or a name need the right one."""
    await door.ask("/livez")
    status, text, headers = await door.ask("/metrics")
    assert status == 200
    assert 'hostd_http_requests_total{code="200",route="health"} 1.0' in text
    assert headers["content-type"].startswith("text/plain")

    forwarded = {"X-Forwarded-For": "203.0.113.9"}
    status, body, headers = await door.ask("/metrics", headers=forwarded)
    assert (status, body["reason"], headers["www-authenticate"]) == (401, "TOKEN_MISSING", "Bearer")
    assert (await door.ask("/metrics", headers={"Host": "192.0.2.1"}))[1]["reason"] == "TOKEN_MISSING"
    assert (await door.ask("/metrics", headers={"Authorization": "Bearer nope"}))[1]["reason"] == "TOKEN_INVALID"
    good = {"Authorization": f"Bearer {TOKEN}", **forwarded}
    assert (await door.ask("/metrics", headers=good))[0] == 200


async def test_pages_of_others_and_rebound_names_are_turned_away(door: Door) -> None:
    """A stranger's name in Host and a foreign Origin are refused; addresses, localhost and our own pages are not."""
    port = door.port
    for host in (f"evil.example:{port}", "localhost.evil.example", "", "[::1"):
        assert (await door.ask("/livez", headers={"Host": host}))[:2][0] in (400, 403)
    for host in (f"localhost:{port}", "LOCALHOST", "127.0.0.1", "[::1]:1", "192.0.2.7:80"):
        assert (await door.ask("/livez", headers={"Host": host}))[0] == 200
    for origin in ("https://evil.example", "null", f"http://localhost:{port}.evil.example"):
        assert (await door.ask("/livez", headers={"Origin": origin}))[1]["reason"] == "ORIGIN_REFUSED"
    assert (await door.ask("/livez", headers={"Origin": door.url}))[0] == 200


async def test_names_and_origins_are_configurable() -> None:
    """What the operator lists is welcome."""
    door = await Door(hosts=("hostd.example",), origins=("https://ui.example",)).start()

    assert (await door.ask("/livez", headers={"Host": "hostd.example", "Origin": "https://ui.example"}))[0] == 200

    await door.server.stop(grace_s=1)


async def test_what_is_not_there(door: Door) -> None:
    """An unknown path is a 404 in JSON that nobody caches."""
    status, body, headers = await door.ask("/nothing?x=1")

    assert (status, body["reason"]) == (404, "PATH_MISSING")
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "data,status,reason",
    [
        (b"this is not http\r\n\r\n", 400, "ARGUMENT_INVALID"),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nBad Header\r\n\r\n", 400, "ARGUMENT_INVALID"),
        (b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 400, "HEADERS_TOO_LARGE"),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nA: " + b"x" * 20_000 + b"\r\n\r\n", 400, "HEADERS_TOO_LARGE"),
        (
            b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"A: b\r\n" * 100 + b"Connection: close\r\n\r\n",
            431,
            "HEADERS_TOO_LARGE",
        ),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"A: b\r\n" * 5000 + b"\r\n", 431, "HEADERS_TOO_LARGE"),
        (
            b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
            400,
            "ARGUMENT_INVALID",
        ),
        (
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            400,
            "ARGUMENT_INVALID",
        ),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 64, 400, "ARGUMENT_INVALID"),
    ],
)
async def test_what_is_not_http_is_told_so(door: Door, data: bytes, status: int, reason: str) -> None:
    """Broken, oversized and smuggled requests get a status, a reason in JSON and a closed connection."""
    answer = await door.raw(data)

    head, _, body = answer.partition(b"\r\n\r\n")
    assert json.loads(body)["reason"] == reason
    assert int(head.split()[1]) == (431 if reason == "HEADERS_TOO_LARGE" else status)


async def test_a_second_daemon_on_the_port_is_told(door: Door) -> None:
    """A taken address and one that is not ours have their reasons."""
    with pytest.raises(HostdError) as taken:
        await Door(listen=f"127.0.0.1:{door.port}").start()
    with pytest.raises(HostdError) as foreign:
        await Door(listen="192.0.2.1:1").start()

    assert taken.value.reason == "ADDRESS_IN_USE"
    assert foreign.value.reason == "ADDRESS_REFUSED"


async def test_requests_at_once_are_bounded() -> None:
    """Past the limit the next one is told to come again; when there is room it is answered."""
    door = await Door(connections_max=2).start()
    inside, release = asyncio.Semaphore(0), asyncio.Event()

    async def slow(request: WebhookRequest) -> WebhookResponse:
        inside.release()
        await release.wait()
        return WebhookResponse(204)

    door.routes.add("default", "slow", ["GET"], slow, owner="t")
    waiting = [spawn(door.ask("/hooks/default/slow"), name="slow") for _ in range(2)]
    for _ in waiting:
        await inside.acquire()

    status, body, headers = await door.ask("/livez")
    assert (status, body["reason"], headers["retry-after"]) == (503, "HTTP_BUSY", "1")

    release.set()
    assert [(await each)[0] for each in waiting] == [204, 204]
    assert (await door.ask("/livez"))[0] == 200
    await door.server.stop(grace_s=1)


async def test_connections_are_bounded(caplog: pytest.LogCaptureFixture) -> None:
    """Far more connections than requests are hung up on, without an error of ours; those that are served go on."""
    door = await Door(connections_max=1).start()
    held = [await asyncio.open_connection(door.host, door.port) for _ in range(2)]

    reader, writer = await asyncio.open_connection(door.host, door.port)
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await reader.readexactly(1)

    writer.close()
    for _, each in held:
        each.close()
        await each.wait_closed()
    await door.server.stop(grace_s=1)
    assert not caplog.records


async def test_stopping_lets_requests_end() -> None:
    """What runs is answered; what comes after is refused; stopping twice is fine."""
    door = await Door().start()
    inside, release = asyncio.Event(), asyncio.Event()

    async def slow(request: WebhookRequest) -> WebhookResponse:
        inside.set()
        await release.wait()
        return WebhookResponse(204)

    door.routes.add("default", "slow", ["GET"], slow, owner="t")
    asked = spawn(door.ask("/hooks/default/slow"), name="asked")
    await inside.wait()
    stopping = spawn(door.server.stop(grace_s=30), name="stopping")
    await asyncio.sleep(0)
    with pytest.raises(aiohttp.ClientConnectionError):
        await door.ask("/livez")
    assert not stopping.done()

    release.set()

    assert (await asked)[0] == 204
    await stopping
    await door.server.stop(grace_s=1)


async def test_stopping_cuts_what_does_not_end() -> None:
    """Past the grace the connection is closed, idle ones too."""
    door = await Door().start()
    inside, never = asyncio.Event(), asyncio.Event()

    async def stuck(request: WebhookRequest) -> WebhookResponse:
        inside.set()
        await never.wait()
        return WebhookResponse(204)

    door.routes.add("default", "stuck", ["GET"], stuck, owner="t")
    asked = spawn(door.ask("/hooks/default/stuck"), name="asked")
    idle, writer = await asyncio.open_connection(door.host, door.port)
    await inside.wait()

    await door.server.stop(grace_s=0.01)

    with pytest.raises(aiohttp.ClientError):
        await asked
    assert await idle.read() == b""
    writer.close()


async def test_https_with_a_certificate(tmp_path: Path) -> None:
    """With a certificate the port speaks TLS, and plain HTTP is not answered."""
    made = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
    ]
    names = ["-subj", "/CN=localhost", "-keyout", str(tmp_path / "key"), "-out", str(tmp_path / "cert")]
    await asyncio.to_thread(subprocess.run, made + names, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert", tmp_path / "key")
    door = await Door(tls=context).start()

    trusted = ssl.create_default_context(cafile=str(tmp_path / "cert"))
    trusted.check_hostname = False
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"https://127.0.0.1:{door.port}/livez", ssl=trusted) as answer,
    ):
        assert answer.status == 200
    assert b"HTTP/1.1 200" not in await door.raw(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
    await door.server.stop(grace_s=1)


async def test_ipv6(door: Door) -> None:
    """An address in brackets is listened on."""
    if not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")
    try:
        six = await Door(listen="[::1]:0").start()
    except HostdError:
        pytest.skip("this machine has no ::1")
    assert six.host == "::1"
    async with aiohttp.ClientSession() as session, session.get(f"http://[::1]:{six.port}/livez") as answer:
        assert answer.status == 200
    await six.server.stop(grace_s=1)


def test_body_timeout_has_a_bound() -> None:
    """Settings outside their range never reach the door."""
    with pytest.raises(ValueError, match="body_timeout"):
        Http(body_timeout=timedelta(hours=2))
