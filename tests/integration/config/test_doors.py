"""Keys of the doors: from the configuration to what a port answers, and to whom."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from daemon_kit import TOKEN, Stubs, running
from effects import WAYS, configured, shows

from hostd.aio import SystemClock
from hostd.config.rooms import Config, Http
from hostd.daemon import http_tls, prepare_data_folder
from hostd.errors.base import HostdError
from hostd.host.routes import RouteTable
from hostd.http.server import HttpServer
from hostd.plugin import WebhookRequest, WebhookResponse
from hostd.telemetry.meter import Meter
from hostd.v1 import admin_service_pb2 as pb

ASK = b"GET /livez HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n%s\r\n"
POST = b"POST /hooks/default/door HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"


class Port:
    """An HTTP port with one webhook, which answers when it may."""

    def __init__(self, settings: Http) -> None:
        self.routes = RouteTable()
        self.may, self.asked = asyncio.Event(), asyncio.Event()
        self.may.set()
        self.routes.add("default", "door", ("POST",), self._door, owner="test", max_body_bytes=1 << 20)
        anything: Any = self
        self.server = HttpServer(
            settings=settings, routes=self.routes, events=anything, health=anything, metrics=Meter(),
            check_token=lambda token: token == TOKEN, meter=Meter(), clock=SystemClock(),
        )  # fmt: skip
        self.address = ("", 0)

    async def _door(self, request: WebhookRequest) -> WebhookResponse:
        self.asked.set()
        await self.may.wait()
        return WebhookResponse(status=200, body=b"ok")

    async def say(self, data: bytes) -> int:
        """Send bytes; return the status of what comes back."""
        reader, writer = await asyncio.open_connection(*self.address)
        writer.write(data)
        line = await reader.readline()
        writer.close()
        return int(line.split()[1])


@asynccontextmanager
async def port(way: str, **http: Any) -> AsyncIterator[Port]:
    """Serve with settings from the start, or from a reload."""
    settings = Http(listen="127.0.0.1:0", **http)
    found = Port(settings if way == "start" else Http(listen="127.0.0.1:0"))
    host, number = await found.server.start()
    found.address = (host, number)
    if way == "reload":
        found.server.reconfigure(settings)
    yield found
    await found.server.stop(grace_s=1.0)


@WAYS
@shows("http.hosts", "http.origins")
async def test_names_and_pages_that_may_ask(way: str) -> None:
    """Those that the operator names, and no others."""
    async with port(way, hosts=["a.example"], origins=["https://ui.example"]) as door:
        hosts = [await door.say(ASK % (name, b"")) for name in (b"a.example", b"b.example")]
        pages = (b"https://ui.example", b"https://evil.example")
        origins = [await door.say(ASK % (b"a.example", b"Origin: %s\r\n" % page)) for page in pages]

    assert (hosts, origins) == ([200, 403], [200, 403])


@WAYS
@shows("http.body_max", "http.body_timeout")
async def test_bodies_are_bounded_in_size_and_time(way: str) -> None:
    """One that is too large is refused at once, one that does not come after a while."""
    async with port(way, body_max="1KiB", body_timeout="100ms") as door:
        answers = [await door.say(POST % size + b"x" * sent) for size, sent in ((1024, 1024), (1025, 1025), (9, 1))]

    assert answers == [200, 413, 408]


@WAYS
@shows("http.headers_max", "http.connections_max")
async def test_headers_and_requests_are_bounded_in_number(way: str) -> None:
    """One header more, one request more at the same time."""
    async with port(way, headers_max=8, connections_max=1) as door:
        headers = [await door.say(ASK % (b"localhost", b"X: y\r\n" * count)) for count in (6, 7)]
        door.may.clear()
        first = asyncio.ensure_future(door.say(POST % 0))
        await door.asked.wait()
        second = await door.say(ASK % (b"localhost", b""))
        door.may.set()

        assert (headers, second, await first) == ([200, 431], 503, 200)


@shows("listen", "http.listen")
async def test_ports_are_where_the_operator_says_or_nowhere(tmp_path: Path) -> None:
    """`off` leaves the socket alone; the HTTP port binds to its own address."""
    async with running(tmp_path / "a", listen="127.0.0.2:0") as kit:
        assert kit.server.address is not None
        assert kit.server.address.host == "127.0.0.2"
    async with running(tmp_path / "b", listen="off") as kit:
        assert kit.server.address is None
        await kit.admin.GetSystemInfo(pb.GetSystemInfoRequest())
    door = Port(Http(listen="127.0.0.2:0"))
    assert (await door.server.start())[0] == "127.0.0.2"
    await door.server.stop(grace_s=0.1)


@shows("insecure")
async def test_other_machines_are_served_in_the_clear_only_on_purpose(tmp_path: Path) -> None:
    """Without TLS."""
    with pytest.raises(HostdError, match="INSECURE_LISTEN"):
        async with running(tmp_path / "a", listen="0.0.0.0:0"):
            pass
    async with running(tmp_path / "b", listen="0.0.0.0:0", insecure=True) as kit:
        assert kit.server.address is not None


@shows("tls.certificate", "tls.key", "tls.key_password", "tls.client_ca")
async def test_the_ports_speak_tls_with_the_operators_files(tmp_path: Path) -> None:
    """The key may have a password; with an authority for clients those without a certificate get nothing."""
    authority = trustme.CA()
    ours, theirs = authority.issue_cert("localhost"), authority.issue_cert("client@example.org")
    key = load_pem_private_key(ours.private_key_pem.bytes(), None)
    locked = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, BestAvailableEncryption(b"hunter22"))
    (tmp_path / "key.pem").write_bytes(locked)
    ours.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    tls = {"certificate": tmp_path / "cert.pem", "key": tmp_path / "key.pem"}
    secret = {"key_password": "hunter22"}

    assert http_tls(Config.model_validate({"tls": tls | secret})) is not None
    with pytest.raises(HostdError, match="CONFIG_INVALID"):
        http_tls(Config.model_validate({"tls": tls | {"key_password": "wrong"}}))
    async with running(tmp_path / "d", tls=tls | secret | {"client_ca": tmp_path / "ca.pem"}) as kit:
        assert kit.server.address is not None
        pair = {"private_key": theirs.private_key_pem.bytes(), "certificate_chain": theirs.cert_chain_pems[0].bytes()}
        answers = []
        for mine in (pair, {}):
            credentials = grpc.ssl_channel_credentials(authority.cert_pem.bytes(), **mine)
            async with grpc.aio.secure_channel(f"localhost:{kit.server.address.port}", credentials) as channel:
                call = Stubs(channel).admin.GetSystemInfo(
                    pb.GetSystemInfoRequest(), metadata=(("authorization", f"Bearer {TOKEN}"),)
                )
                answers.append(await call.code())
    assert answers == [grpc.StatusCode.OK, grpc.StatusCode.UNAVAILABLE]


@shows("data")
def test_everything_lies_in_the_data_folder(tmp_path: Path) -> None:
    """It is made, and ours alone."""
    config = configured("data", tmp_path / "there")

    prepare_data_folder(config.data)

    assert (tmp_path / "there").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "there" / "token").exists()
