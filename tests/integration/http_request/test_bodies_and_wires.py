"""`http.request`: uploads, blobs, compression, redirects that are refused, TLS and proxies, against real servers."""

from __future__ import annotations

import asyncio
import gzip
import json
import ssl
import tracemalloc
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trustme
from aiohttp import web
from http_kit import LOCAL, failure, fetch, provisioned, serving
from pydantic import ValidationError

from hostd.plugin import BlobRef, HostdError
from hostd.plugin.testing import FakeActionContext
from hostd_builtin.http.options import RequestOptions


async def fields(request: web.Request) -> web.Response:
    """Answer with the parts that arrived, as aiohttp reads them."""
    found = []
    async for part in await request.multipart():
        data: Any = await part.read()  # type: ignore[union-attr, call-arg]
        found.append([part.name, part.filename, part.headers.get("content-type"), data.hex()])  # type: ignore[union-attr]
    return web.json_response(found)


async def test_multipart_uploads() -> None:
    """Values, bytes and blobs arrive as fields and files; names cannot break out; the same parts are the same bytes."""
    ctx = FakeActionContext()
    ref = await ctx.blobs.put(b"\x00pic", content_type="image/png")
    parts = [
        {"name": 'a"\r\nx: y', "value": "grüß"},
        {"name": "n", "value": 7},
        {"name": "f", "base64": "AP8=", "filename": 'o"dd.bin'},
        {"name": "p", "blob": ref.to_json(), "filename": "p.png", "content_type": "image/png"},
    ]
    bodies: list[bytes] = []

    async def raw(request: web.Request) -> web.Response:
        bodies.append(await request.read())
        return web.Response()

    async with serving(fields=fields, raw=raw) as base:
        output = await fetch({"url": f"{base}/fields", "method": "POST", "multipart": parts}, ctx=ctx)
        for _ in range(2):
            await fetch({"url": f"{base}/raw", "method": "POST", "multipart": parts}, ctx=ctx)
    assert [entry[3] for entry in output["body"]] == ["grüß".encode().hex(), b"7".hex(), "00ff", b"\x00pic".hex()]
    assert output["body"][2][2] == "application/octet-stream"
    assert output["body"][3][1:3] == ["p.png", "image/png"]
    assert len(output["body"]) == 4
    assert bodies[0] == bodies[1]


async def test_a_blob_is_sent_and_kept() -> None:
    """A large answer goes to a blob in pieces, and a blob is a body with its content type."""
    ctx, data = FakeActionContext(), bytes(range(256)) * 4_096

    async def large(request: web.Request) -> web.StreamResponse:
        if request.method == "POST":
            return web.json_response([request.content_type, len(await request.read())])
        return web.Response(body=data, content_type="image/png")

    async with serving(x=large) as base:
        url = f"{base}/x"
        output = await fetch({"url": url, "to": "blob"} | {"max_response_bytes": len(data)}, ctx=ctx)
        ref = BlobRef.from_json(output["body"])
        assert ref is not None
        assert (output["encoding"], ref.content_type, await ctx.blobs.get(ref)) == ("blob", "image/png", data)
        sent = await fetch({"url": url, "method": "POST", "body_blob": output["body"]}, ctx=ctx)
        assert sent["body"] == ["image/png", len(data)]
        sent = await fetch({"url": url, "method": "POST", "body_blob": ref.digest}, ctx=ctx)
        assert sent["body"] == ["application/octet-stream", len(data)]
        error = await failure({"url": url, "to": "blob", "max_response_bytes": len(data) - 1})
        assert error.code == "RESPONSE_TOO_LARGE"
        with pytest.raises(HostdError, match="BLOB_MISSING"):
            await fetch({"url": url, "method": "POST", "body_blob": "0" * 64}, ctx=ctx)


async def test_a_failure_is_not_kept_as_a_blob() -> None:
    """A status that is no success fails the step as ever, and nothing is kept."""

    async def no(request: web.Request) -> web.Response:
        return web.Response(status=404, text="no such thing")

    ctx = FakeActionContext()
    async with serving(x=no) as base:
        assert (await failure({"url": f"{base}/x", "to": "blob"})).details["body"] == "no such thing"
    assert ctx.blobs.kept == {}


# -- compression

TEXT = json.dumps({"n": list(range(2_000))}).encode()
RAW = zlib.compressobj(wbits=-15)


@pytest.mark.parametrize(
    "encoding, data",
    [
        ("gzip", gzip.compress(TEXT)),
        ("x-gzip", gzip.compress(TEXT[:9]) + gzip.compress(TEXT[9:])),
        ("gzip", gzip.compress(TEXT) + b"\0" * 100),
        ("deflate", zlib.compress(TEXT)),
        ("deflate", RAW.compress(TEXT) + RAW.flush()),
        ("identity", TEXT),
    ],
)
async def test_compressed_answers(encoding: str, data: bytes) -> None:
    """What was asked for is read: gzip in one or several members, deflate with and without its header."""

    async def answer(request: web.Request) -> web.StreamResponse:
        assert request.headers["accept-encoding"] == "gzip, deflate"
        response = web.StreamResponse(headers={"content-encoding": encoding, "content-type": "application/json"})
        await response.prepare(request)
        for begin in range(0, len(data), 1_000):
            await response.write(data[begin : begin + 1_000])
        return response

    async with serving(x=answer) as base:
        assert (await fetch({"url": f"{base}/x"}))["body"] == json.loads(TEXT)


@pytest.mark.parametrize(
    "encoding, data", [("gzip", gzip.compress(TEXT)[:-20]), ("gzip", b"no gzip"), ("br", b"x"), ("gzip, gzip", b"x")]
)
async def test_broken_compression(encoding: str, data: bytes) -> None:
    """Cut, none at all, or one that was not asked for."""

    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=data, headers={"content-encoding": encoding, "content-type": "application/json"})

    async with serving(x=answer) as base:
        assert (await failure({"url": f"{base}/x"})).code == "BODY_INVALID"


async def test_a_bomb_is_cut_off() -> None:
    """200 MiB behind 200 KiB fail at the bound, and were never in memory; as an error's body it is cut."""
    bomb = gzip.compress(b"\0" * (200 << 20), 9)

    async def answer(request: web.Request) -> web.Response:
        return web.Response(
            status=int(request.rel_url.query["status"]), body=bomb, headers={"content-encoding": "gzip"}
        )

    async with serving(x=answer) as base:
        tracemalloc.start()
        try:
            error = await failure({"url": f"{base}/x?status=200", "max_response_bytes": 4 << 20})
            assert error.code == "RESPONSE_TOO_LARGE"
            assert (await failure({"url": f"{base}/x?status=500"})).code == "HTTP_500"
            assert tracemalloc.get_traced_memory()[1] < 16 << 20
        finally:
            tracemalloc.stop()


# -- redirects, TLS, proxies


async def test_redirects_may_be_held_back() -> None:
    """`same_origin` and `refuse` fail at a redirect that they do not follow, before anything is sent there."""
    reached: list[str] = []

    async def target(request: web.Request) -> web.Response:
        reached.append(request.method)
        return web.Response(text="there")

    async with serving(target=target) as other:

        async def away(request: web.Request) -> web.Response:
            return web.Response(status=302, headers={"location": request.rel_url.query["to"]})

        async with serving(away=away, target=target) as base:
            near, far = f"{base}/away?to=/target", f"{base}/away?to={other}/target"
            assert (await fetch({"url": near, "redirects": "same_origin"}))["body"] == "there"
            for options in ({"url": far, "redirects": "same_origin"}, {"url": near, "redirects": "refuse"}):
                assert (await failure(options)).code == "REDIRECT_REFUSED"
            assert reached == ["GET"]


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """An authority nobody trusts but who is told."""
    return trustme.CA()


def server_tls(authority: trustme.CA, *, asks: bool = False) -> ssl.SSLContext:
    """Return a server's context; one that asks wants to know its clients."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    if asks:
        authority.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


async def who(request: web.Request) -> web.Response:
    """Answer with the client's name in its certificate."""
    assert request.transport is not None
    peer: Any = request.transport.get_extra_info("peercert")
    names = [value for _, value in (peer or {}).get("subjectAltName", ())]
    return web.json_response(names)


async def test_who_is_trusted_and_who_we_are(authority: trustme.CA) -> None:
    """An authority and a certificate of one's own; without them the connection fails, and no key is ever shown."""
    ca = authority.cert_pem.bytes().decode()
    ours = authority.issue_cert("robot@hostd.example")
    certificate = "".join(pem.bytes().decode() for pem in ours.cert_chain_pems)
    tls = {"ca": ca, "certificate": certificate, "key": ours.private_key_pem.bytes().decode()}
    async with serving(server_tls(authority, asks=True), who=who) as base:
        assert (await failure({"url": f"{base}/who"})).code == "TLS"
        assert (await failure({"url": f"{base}/who", "tls": {"ca": ca}})).code in ("NETWORK", "TLS")
        async with provisioned() as action:
            options = RequestOptions.model_validate({"url": f"{base}/who", "tls": tls})
            for _ in range(2):
                output: Any = await action.run(FakeActionContext(), options)
                assert output["body"] == ["robot@hostd.example"]
            assert tls["key"] not in repr(options)
        for wrong in (tls | {"key": "nonsense"}, tls | {"ca": "nonsense"}, tls | {"certificate": ca}):
            error = await failure({"url": f"{base}/who", "tls": wrong})
            assert (error.code, error.retryable, "PRIVATE" in error.message) == ("TLS", False, False)


async def test_what_was_trusted_is_for_the_first_host_only(authority: trustme.CA) -> None:
    """A redirect to another host is checked with the machine's trust; one from https to http is not followed."""
    tls = {"ca": authority.cert_pem.bytes().decode()}
    async with serving(server_tls(authority), who=who) as other, serving(who=who) as plain:

        async def away(request: web.Request) -> web.Response:
            return web.Response(status=302, headers={"location": request.rel_url.query["to"]})

        async with serving(server_tls(authority), away=away, who=who) as base:
            assert (await fetch({"url": f"{base}/away?to=/who", "tls": tls}))["status"] == 200
            assert (await failure({"url": f"{base}/away?to={other}/who", "tls": tls})).code == "TLS"
            assert (await failure({"url": f"{base}/away?to={plain}/who", "tls": tls})).code == "REDIRECT_REFUSED"


@asynccontextmanager
async def proxy(asked: list[str]) -> AsyncIterator[str]:
    """A proxy that connects every name to 127.0.0.1; gives its address."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        asked.append(head.decode())
        method, target, _ = head.decode().split("\r\n")[0].split(" ")
        assert method == "GET"
        port = int(target.split("/")[2].rpartition(":")[2])
        upstream, out = await asyncio.open_connection("127.0.0.1", port)
        path = "/" + target.split("/", 3)[3]
        out.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        writer.write(await upstream.read())
        writer.close()
        out.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://ada:pw@127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_the_operators_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every request goes through it, wherever it is; private targets are refused before it is asked; none otherwise."""
    asked: list[str] = []

    async def hello(request: web.Request) -> web.Response:
        return web.Response(text="hello")

    async with serving(x=hello) as base, proxy(asked) as address:
        port = base.rpartition(":")[2]
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
            monkeypatch.setenv(name, address)
        assert (await fetch({"url": f"{base}/x"}))["body"] == "hello"
        assert asked == []
        output = await fetch({"url": f"http://only.the.proxy.invalid:{port}/x"}, settings={"proxy": address})
        assert output["body"] == "hello"
        assert asked[0].startswith(f"GET http://only.the.proxy.invalid:{port}/x ")
        assert "Proxy-Authorization: Basic YWRhOnB3" in asked[0]
        for url in (f"{base}/x", f"http://localhost:{port}/x"):
            assert (await failure({"url": url}, settings={"proxy": address})).code == "ADDRESS_DENIED"
        assert len(asked) == 1
        allowed = {"proxy": address, **LOCAL}
        assert (await fetch({"url": f"{base}/x"}, settings=allowed))["body"] == "hello"


@pytest.mark.parametrize(
    "options",
    [
        {"multipart": []},
        {"multipart": [{"name": "a"}]},
        {"multipart": [{"name": "a", "value": "1", "base64": "AA=="}]},
        {"multipart": [{"name": "a", "value": "1", "content_type": "text/plain\r\nx: y"}]},
        {"multipart": [{"name": "a", "value": "1"}], "json": 1},
        {"body_blob": "short"},
        {"body_blob": {"digest": "x"}},
        {"tls": {"certificate": "x"}},
        {"method": "POST", "paginate": {"type": "link"}},
        {"to": "blob", "paginate": {"type": "link"}},
        {"parse": "text", "paginate": {"type": "link"}},
        {"paginate": {"type": "cursor"}},
        {"paginate": {"type": "cursor", "path": "a..b"}},
        {"auth": {"type": "oauth2", "token_url": "http://a:b@x.example/", "client_id": "a", "client_secret": "b"}},
        {"auth": {"type": "api_key", "key": "a\nb"}},
        {"redirects": "sometimes"},
    ],
)
def test_options_that_cannot_be_meant(options: dict[str, Any]) -> None:
    """Refused before anything is sent."""
    with pytest.raises(ValidationError):
        RequestOptions.model_validate({"url": "http://x.example"} | options)
