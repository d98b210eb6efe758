"""`http.request` against a real server: what is sent, what comes back, what is refused."""

from __future__ import annotations

import asyncio
import base64
import json
import socket
import ssl
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import unused_port
from http_kit import failure, fetch, serving

from hostd.plugin import ActionError, HostdError
from hostd.plugin.testing import FakeActionContext
from hostd.plugin.testing.contexts import FakeProvisionContext
from hostd_builtin.http.request import Request


async def echo(request: web.Request) -> web.Response:
    """Answer with what arrived."""
    body = (await request.read()).decode()
    seen = {
        "method": request.method,
        "headers": dict(request.headers),
        "query": request.rel_url.raw_query_string,
        "body": body,
    }
    return web.json_response(seen, headers={"X-Many": "a"})


def lower(seen: Any) -> dict[str, str]:
    """Return the headers the server saw, names in lower case."""
    return {name.lower(): value for name, value in seen["body"]["headers"].items()}


async def test_what_is_sent() -> None:
    """Query, headers, body and authentication arrive; every method but GET and HEAD carries the idempotency key."""
    async with serving(echo=echo) as base:
        url = f"{base}/echo?a=1"
        query = {"b": [1, "x y"], "c": True, "d": None}
        seen = await fetch({"url": url, "query": query, "headers": {"X-One": "1"}})
        assert seen["body"]["query"] == "a=1&b=1&b=x+y&c=true"
        assert lower(seen)["x-one"] == "1"
        assert "idempotency-key" not in lower(seen)
        assert (seen["status"], seen["encoding"], seen["url"]) == (200, "json", f"{base}/echo")
        assert seen["headers"]["x-many"] == "a"
        for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
            sent = await fetch({"url": url, "method": method}, ctx=FakeActionContext(idempotency_key="k1"))
            assert lower(sent)["idempotency-key"] == "k1"
        own = await fetch({"url": url, "method": "POST", "headers": {"Idempotency-Key": "mine"}})
        assert lower(own)["idempotency-key"] == "mine"


@pytest.mark.parametrize(
    "options, body, content_type",
    [
        ({"json": {"a": [1, None]}}, '{"a":[1,null]}', "application/json"),
        ({"json": None}, "null", "application/json"),
        ({"body": "grüß"}, "grüß", "text/plain; charset=utf-8"),
        ({"form": {"a": "x y", "b": 1}}, "a=x+y&b=1", "application/x-www-form-urlencoded"),
        ({"json": 1, "headers": {"Content-Type": "application/merge-patch+json"}}, "1", "application/merge-patch+json"),
    ],
)
async def test_bodies(options: dict[str, Any], body: str, content_type: str) -> None:
    """JSON (null too), text and forms are sent with their content type; the author's own wins."""
    async with serving(echo=echo) as base:
        seen = await fetch({"url": f"{base}/echo", "method": "POST"} | options)
    assert seen["body"]["body"] == body
    assert lower(seen)["content-type"] == content_type


async def test_authentication() -> None:
    """Basic and bearer become the Authorization header."""
    async with serving(echo=echo) as base:
        url = f"{base}/echo"
        basic = await fetch({"url": url, "auth": {"type": "basic", "username": "ada", "password": "p:ä"}})
        bearer = await fetch({"url": url, "auth": {"type": "bearer", "token": "t"}})
    assert lower(basic)["authorization"] == "Basic " + base64.b64encode("ada:p:ä".encode()).decode()
    assert lower(bearer)["authorization"] == "Bearer t"


@pytest.mark.parametrize(
    "content_type, data, parse, body, encoding",
    [
        ("application/json", b'{"n": 1.0}', "auto", {"n": 1}, "json"),
        ("application/problem+json", b"[1]", "auto", [1], "json"),
        ("text/html; charset=iso-8859-1", b"gr\xfc\xdf", "auto", "grüß", "text"),
        ("application/octet-stream", b"\x00\xff", "auto", "AP8=", "base64"),
        ("text/plain", b"[1]", "json", [1], "json"),
        ("application/json", b"[1", "text", "[1", "text"),
        ("application/json", b"", "auto", None, "none"),
        ("application/json", b"  ", "auto", None, "json"),
    ],
)
async def test_bodies_come_back_as_their_type_says(
    content_type: str, data: bytes, parse: str, body: Any, encoding: str
) -> None:
    """JSON, text and bytes; `parse` overrules the content type."""

    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=data, headers={"content-type": content_type})

    async with serving(x=answer) as base:
        output = await fetch({"url": f"{base}/x", "parse": parse})
    assert (output["body"], output["encoding"]) == (body, encoding)


async def test_bodies_that_are_not_what_they_say() -> None:
    """Broken JSON and broken text fail with BODY_INVALID, a number out of range with its own reason."""

    async def broken(request: web.Request) -> web.Response:
        return web.Response(body=b'{"a":', headers={"content-type": "application/json"})

    async def text(request: web.Request) -> web.Response:
        return web.Response(body=b"\xff", headers={"content-type": "text/plain; charset=utf-8"})

    async def huge(request: web.Request) -> web.Response:
        return web.Response(body=b"99999999999999999999", headers={"content-type": "application/json"})

    async with serving(broken=broken, text=text, huge=huge) as base:
        assert (await failure({"url": f"{base}/broken"})).code == "BODY_INVALID"
        assert (await failure({"url": f"{base}/text"})).code == "BODY_INVALID"
        with pytest.raises(HostdError, match="NUMBER_OUT_OF_RANGE"):
            await fetch({"url": f"{base}/huge"})


@pytest.mark.parametrize(
    "status, retryable",
    [(408, True), (425, True), (429, True), (500, True), (503, True), (400, False), (404, False), (304, False)],
)
async def test_statuses_say_what_may_be_tried_again(status: int, retryable: bool) -> None:
    """An unexpected status fails with its number, its body's beginning, and whether a retry can help."""

    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=status, text="because " + "x" * 5_000)

    async with serving(x=answer) as base:
        error = await failure({"url": f"{base}/x"})
        fine = await fetch({"url": f"{base}/x", "expect_status": [status]})
    assert (error.code, error.retryable, error.details["status"]) == (f"HTTP_{status}", retryable, status)
    assert len(str(error.details["body"])) <= 2_000
    assert fine["status"] == status


@pytest.mark.parametrize(
    "header, seconds",
    [
        ("7", 7.0),
        ("Thu, 01 Jan 2026 00:01:00 GMT", 60.0),
        ("Thu, 01 Jan 2025 00:00:00 GMT", 0.0),
        ("999999999", 86_400.0),
        ("soon", None),
        ("-5", None),
    ],
)
async def test_retry_after_is_handed_on(header: str, seconds: float | None) -> None:
    """A count of seconds or a date, by the host's clock (2026-01-01 00:00 here), at most a day; nonsense is nothing."""

    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=429, headers={"Retry-After": header})

    async with serving(x=answer) as base:
        assert (await failure({"url": f"{base}/x"})).retry_after_s == seconds


async def test_large_answers_are_cut_off() -> None:
    """Announced or streamed without a length, an answer past the bound fails and is not read on."""
    sent = 0

    async def announced(request: web.Request) -> web.Response:
        return web.Response(body=b"x" * 2_000)

    async def streamed(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(10_000):
            await response.write(b"x" * 10_000)
            sent += 10_000
        return response

    async with serving(announced=announced, streamed=streamed) as base:
        for name in ("announced", "streamed"):
            error = await failure({"url": f"{base}/{name}", "max_response_bytes": 1_999})
            assert (error.code, error.retryable) == ("RESPONSE_TOO_LARGE", False)
        assert len((await fetch({"url": f"{base}/announced", "max_response_bytes": 2_000}))["body"]) > 0
    assert sent < 50_000_000


async def test_a_compressed_bomb_is_cut_off() -> None:
    """The bound counts what comes out of the decompressor."""
    import zlib

    async def bomb(request: web.Request) -> web.Response:
        packed = zlib.compress(b"0" * 50_000_000)
        return web.Response(body=packed, headers={"content-encoding": "deflate", "content-type": "text/plain"})

    async with serving(bomb=bomb) as base:
        assert (await failure({"url": f"{base}/bomb"})).code == "RESPONSE_TOO_LARGE"


async def test_slow_and_dead_servers_are_retryable() -> None:
    """A timeout over the whole exchange, a refused connection, and one cut in the middle."""

    async def slow(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await asyncio.sleep(30)
        return response

    async def cut(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-length": "100"})
        await response.prepare(request)
        await response.write(b"x")
        assert request.transport is not None
        request.transport.abort()
        return response

    async with serving(slow=slow, cut=cut) as base:
        error = await failure({"url": f"{base}/slow", "timeout": "200ms"})
        assert (error.code, error.retryable) == ("TIMEOUT", True)
        error = await failure({"url": f"{base}/cut"})
        assert (error.code, error.retryable) == ("NETWORK", True)
    error = await failure({"url": f"http://127.0.0.1:{unused_port()}/"})
    assert (error.code, error.retryable) == ("NETWORK", True)


async def test_redirects() -> None:
    """Followed up to the bound; a POST's 302 becomes GET without body, 307 keeps both; 0 returns the redirect."""

    async def hop(request: web.Request) -> web.Response:
        left = int(request.query["left"])
        location = f"/hop?left={left - 1}" if left else "/echo"
        return web.Response(status=int(request.query.get("status", "302")), headers={"location": location})

    async def keep(request: web.Request) -> web.Response:
        return web.Response(status=307, headers={"location": "/echo"})

    async with serving(hop=hop, keep=keep, echo=echo) as base:
        assert (await fetch({"url": f"{base}/hop?left=4"}))["url"] == f"{base}/echo"
        assert (await failure({"url": f"{base}/hop?left=5"})).code == "TOO_MANY_REDIRECTS"
        plain = await fetch({"url": f"{base}/hop?left=0", "max_redirects": 0, "expect_status": [302]})
        assert plain["headers"]["location"] == "/echo"
        posted = await fetch({"url": f"{base}/hop?left=0", "method": "POST", "json": 1})
        assert (posted["body"]["method"], posted["body"]["body"]) == ("GET", "")
        kept = await fetch({"url": f"{base}/keep", "method": "POST", "json": 1})
        assert (kept["body"]["method"], kept["body"]["body"]) == ("POST", "1")


async def test_credentials_do_not_follow_to_another_host() -> None:
    """Authorization and any header the author wrote stay with the host they were meant for."""
    async with serving(echo=echo) as other:

        async def away(request: web.Request) -> web.Response:
            return web.Response(status=307, headers={"location": f"{other}/echo"})

        async with serving(away=away) as base:
            seen = await fetch(
                {
                    "url": f"{base}/away",
                    "method": "POST",
                    "auth": {"type": "bearer", "token": "t"},
                    "headers": {"x-api-key": "k", "accept": "application/json"},
                }
            )
    headers = lower(seen)
    assert "authorization" not in headers
    assert "x-api-key" not in headers
    assert headers["accept"] == "application/json"


async def test_redirects_to_nowhere_are_refused() -> None:
    """Another scheme or a malformed address ends the request."""
    for location in (
        "ftp://x.example/",
        "file:///etc/passwd",
        "http://[::1",
        "http://x.example:99999/",
        f"http://{'x' * 64}.example/",
    ):

        async def away(request: web.Request, location: str = location) -> web.Response:
            return web.Response(status=302, headers={"location": location})

        async with serving(away=away) as base:
            assert (await failure({"url": f"{base}/away"})).code == "URL_INVALID", location


async def test_private_addresses_are_refused() -> None:
    """By number and by name, nothing reaches the server; `allow` and `private` lift it, `deny` beats them."""
    reached = 0

    async def count(request: web.Request) -> web.Response:
        nonlocal reached
        reached += 1
        return web.Response(text="hi")

    async with serving(x=count) as base:
        port = base.rpartition(":")[2]
        addresses = [base, f"http://localhost:{port}", f"http://[::ffff:127.0.0.1]:{port}", f"http://127.0.0.1.:{port}"]
        for address in addresses:
            error = await failure({"url": f"{address}/x"}, settings={})
            assert error.code in ("ADDRESS_DENIED", "URL_INVALID", "NETWORK"), address
            assert not (error.code == "ADDRESS_DENIED" and error.retryable)
        for odd in (f"http://2130706433:{port}", f"http://127.1:{port}", f"http://0x7f.1:{port}", f"http://0:{port}"):
            assert (await failure({"url": f"{odd}/x"}, settings={})).code in ("ADDRESS_DENIED", "URL_INVALID"), odd
        assert reached == 0
        assert (
            await failure({"url": f"{base}/x"}, settings={"private": True, "deny": ["127.0.0.1"]})
        ).code == "ADDRESS_DENIED"
        assert (await fetch({"url": f"{base}/x"}, settings={"private": True}))["body"] == "hi"
        assert (await fetch({"url": f"http://localhost:{port}/x"}, settings={"allow": ["localhost"]}))["body"] == "hi"
    assert reached == 2


async def test_a_redirect_to_a_private_address_is_refused() -> None:
    """The gate stands before every hop, not only before the first."""
    reached = False

    async def secret(request: web.Request) -> web.Response:
        nonlocal reached
        reached = True
        return web.Response(text="metadata")

    async with serving(secret=secret) as inside:
        port = inside.rpartition(":")[2]
        for target in (f"http://127.0.0.1:{port}/secret", f"http://localhost:{port}/secret"):

            async def away(request: web.Request, target: str = target) -> web.Response:
                return web.Response(status=302, headers={"location": target})

            async with serving(away=away) as outside:
                # `outside` is reached by a name that is allowed, the target is not.
                url = f"http://outside.test:{outside.rpartition(':')[2]}/away"
                action = await named(Request(), {"outside.test": ["127.0.0.1"]}, allow=["outside.test"])
                with pytest.raises(ActionError) as caught:
                    await run(action, {"url": url})
                await action.close()
                assert caught.value.code == "ADDRESS_DENIED"
    assert not reached


async def test_a_name_that_changes_its_mind_gains_nothing() -> None:
    """DNS rebinding: what is connected to is what was checked, each time the name is resolved."""
    async with serving(echo=echo) as base:
        port = base.rpartition(":")[2]
        answers = {"rebind.test": ["93.184.216.34"]}
        action = await named(Request(), answers)
        answers["rebind.test"][:] = ["127.0.0.1"]
        with pytest.raises(ActionError) as caught:
            await run(action, {"url": f"http://rebind.test:{port}/echo"})
        assert caught.value.code == "ADDRESS_DENIED"
        answers["rebind.test"][:] = ["10.0.0.1", "::1", "fe80::1"]
        with pytest.raises(ActionError):
            await run(action, {"url": f"http://rebind.test:{port}/echo"})
        await action.close()


async def named(action: Request, names: dict[str, list[str]], **settings: Any) -> Request:
    """Return a provisioned action whose system resolver answers from a table, as a hostile DNS server would."""
    action.settings = Request.Settings(**settings)
    await action.provision(FakeProvisionContext(component="http.request"))
    assert action._exchanges is not None
    connector: Any = action._exchanges._session.connector

    class Table:
        """The system's resolver, in our hands; the gate in front of it is the real one."""

        async def resolve(self, host: str, port: int = 0, family: int = 0) -> list[dict[str, Any]]:
            kinds = {True: socket.AF_INET6, False: socket.AF_INET}
            addresses = names.get(host) or ["127.0.0.1"]
            return [
                {"hostname": host, "host": one, "port": port, "family": kinds[":" in one], "proto": 0, "flags": 0}
                for one in addresses
            ]

        async def close(self) -> None: ...

    connector._resolver._system = Table()
    return action


async def run(action: Request, options: dict[str, Any]) -> Any:
    """Return the output of one attempt of a provisioned action."""
    from hostd_builtin.http.options import RequestOptions

    return await action.run(FakeActionContext(), RequestOptions.model_validate(options))


async def test_a_certificate_nobody_trusts_is_not_retried() -> None:
    """TLS to a server with a certificate of its own making fails with code TLS."""
    port = unused_port()
    context = self_signed()
    if context is None:
        pytest.skip("no openssl here to make a certificate")
    server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", port, ssl=context)
    async with server:
        error = await failure({"url": f"https://127.0.0.1:{port}/"})
    assert (error.code, error.retryable) == ("TLS", False)


def self_signed() -> ssl.SSLContext | None:
    """Return a server context with a fresh self-signed certificate, None without the openssl program."""
    import shutil
    import subprocess
    import tempfile
    from pathlib import Path

    program = shutil.which("openssl")
    if program is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        key, certificate = Path(folder) / "key", Path(folder) / "cert"
        words = f"req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=127.0.0.1 -keyout {key} -out {certificate}"
        subprocess.run([program, *words.split()], check=True, capture_output=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
    return context


@pytest.mark.parametrize(
    "options",
    [
        {"url": "ftp://x.example"},
        {"url": "/relative"},
        {"url": "http://user:pass@x.example/"},
        {"url": "http://x.example", "json": 1, "body": "x"},
        {"url": "http://x.example", "method": "HEAD", "json": 1},
        {"url": "http://x.example", "headers": {"Host": "y"}},
        {"url": "http://x.example", "headers": {"a": "b\r\nc: d"}},
        {"url": "http://x.example", "headers": {"a\r\nb": "c"}},
        {"url": "http://x.example", "auth": {"type": "digest"}},
        {"url": "http://x.example", "auth": {"type": "bearer", "token": "a\nb"}},
        {"url": "http://x.example", "timeout": "0s"},
        {"url": "http://x.example", "max_redirects": 21},
        {"url": "http://x.example", "expect_status": []},
        {"url": "http://x.example", "expect_status": ["6xx"]},
    ],
)
async def test_options_that_cannot_be_meant(options: dict[str, Any]) -> None:
    """Refused before anything is sent; no header can be smuggled in."""
    from pydantic import ValidationError

    with pytest.raises(ValidationError):
        await fetch(options)


async def test_secrets_in_the_query_stay_out_of_messages() -> None:
    """An error names the address without its query."""

    async def no(request: web.Request) -> web.Response:
        return web.Response(status=401)

    async with serving(no=no) as base:
        error = await failure({"url": f"{base}/no?key=hunter2", "query": {"token": "hunter2"}})
    assert "hunter2" not in str(error) + json.dumps(error.details)
