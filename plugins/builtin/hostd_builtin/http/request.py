"""`http.request`: one HTTP request per attempt. It never retries by itself; it says what may be tried again."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import importlib
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from hostd.plugin import Action, ActionContext, ActionError, JsonValue, ProvisionContext
from hostd_builtin.http.addresses import AddressPolicy
from hostd_builtin.http.answer import excerpt, is_expected, is_retryable, read_body, retry_after_s
from hostd_builtin.http.auth_options import BasicAuth, BearerAuth, KeyAuth, OAuth2Auth
from hostd_builtin.http.codes import CODES
from hostd_builtin.http.decoding import ACCEPTED, pieces, too_large
from hostd_builtin.http.exchange import FOR_ANY_HOST, Exchanges, Outgoing, parsed, shown
from hostd_builtin.http.oauth import TOKEN_BYTES_MAX, Token, Tokens, cache_key, read_token, token_request
from hostd_builtin.http.options import QueryValue, RequestOptions, RequestSettings
from hostd_builtin.http.pages import Walk
from hostd_builtin.http.tls import TlsContexts, identity
from hostd_builtin.http.uploads import body_of, text_of

if TYPE_CHECKING:
    import aiohttp
    from yarl import URL

EXCERPT_BYTES = 8_192
WITHOUT_KEY = frozenset({"GET", "HEAD"})


class Request(Action[RequestOptions]):
    """Sends a request and returns `{status, headers, body, encoding, url}`."""

    id, since, stability, effects, executors = "http.request", "0.1", "stable", "idempotent", ("inline",)
    Settings = RequestSettings
    codes = CODES
    _exchanges: Exchanges | None = None

    async def provision(self, ctx: ProvisionContext) -> None:
        """Open the session."""
        # aiohttp takes a quarter of a second to import: not on the loop.
        client = await asyncio.to_thread(importlib.import_module, "hostd_builtin.http.client")
        settings: RequestSettings = self.settings
        policy = AddressPolicy(private=settings.private, allow=settings.allow, deny=settings.deny)
        # Where there is a proxy, nothing but it is connected to, wherever the operator has it.
        connected = policy if settings.proxy is None else AddressPolicy(private=True)
        self._exchanges = Exchanges(client.open_session(connected), policy, settings.proxy)
        self._tokens = Tokens()
        self._tls = TlsContexts()

    async def close(self) -> None:
        """Close the session."""
        if self._exchanges is not None:
            await self._exchanges.close()
            self._exchanges = None

    async def run(self, ctx: ActionContext, options: RequestOptions) -> JsonValue:
        """Send the request, following redirects and pages.

        Raises:
            ActionError: HTTP_<status>, TIMEOUT, NETWORK, TLS, URL_INVALID, ADDRESS_DENIED, TOO_MANY_REDIRECTS,
                REDIRECT_REFUSED, RESPONSE_TOO_LARGE, BODY_INVALID, BODY_TOO_LARGE, OAUTH_REFUSED, OAUTH_UNAVAILABLE,
                PAGE_INVALID or PAGES_CIRCULAR.
        """
        timeout_s = options.timeout.total_seconds()
        try:
            async with asyncio.timeout(timeout_s):
                with _said_plainly():
                    return await self._output(ctx, options)
        except TimeoutError:
            raise ActionError(f"no complete answer within {timeout_s:g} s", code="TIMEOUT", retryable=True) from None

    async def _output(self, ctx: ActionContext, options: RequestOptions) -> JsonValue:
        url = _with_query(parsed(options.url), options.query)
        if options.paginate is not None:
            return await self._pages(ctx, options, Walk(options.paginate, url))
        async with self._answered(ctx, options, url) as response:
            return await _answer(ctx, options, response)

    async def _pages(self, ctx: ActionContext, options: RequestOptions, walk: Walk) -> JsonValue:
        """Ask for page after page; all of them together have at most `max_response_bytes`."""
        output: dict[str, JsonValue] = {}
        room = options.max_response_bytes
        following: URL | None = walk.first()
        while following is not None:
            async with self._answered(ctx, options, following) as response:
                data = await _expected(ctx, options, response, room, all_bytes=options.max_response_bytes)
                room -= len(data)
                body, _ = read_body(data, content_type="", charset=None, how="json")
                output = {"status": response.status, "headers": _headers_of(response), "url": shown(response.url)}
                following = walk.take(body, response.url, _link(response))
            ctx.heartbeat({"pages": walk.pages})
        return output | {"body": walk.items, "encoding": "json", "pages": walk.pages, "complete": walk.complete}

    @asynccontextmanager
    async def _answered(
        self, ctx: ActionContext, options: RequestOptions, url: URL
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Give the answer to one request; a token that is refused is replaced once."""
        assert self._exchanges is not None, "provisioned before use"  # noqa: S101 narrows the type
        home = parsed(options.url).origin()
        tls = await self._tls.get(options.tls)
        token = None
        if isinstance(options.auth, OAuth2Auth):
            token = await self._token(ctx, options, options.auth, tls)
        outgoing = await _outgoing(ctx, options, url, tls, token, at_home=url.origin() == home)
        async with self._exchanges.answered(outgoing) as response:
            if response.status != 401 or token is None or response.url.origin() != home:
                yield response
                return
        assert isinstance(options.auth, OAuth2Auth)  # noqa: S101 narrows the type
        token = await self._token(ctx, options, options.auth, tls, unlike=token)
        outgoing = await _outgoing(ctx, options, url, tls, token, at_home=url.origin() == home)
        async with self._exchanges.answered(outgoing) as response:
            yield response

    async def _token(
        self,
        ctx: ActionContext,
        options: RequestOptions,
        auth: OAuth2Auth,
        tls: ssl.SSLContext | bool,
        *,
        unlike: str | None = None,
    ) -> str:
        """Return a token. Its address is asked like any other, but redirects are never followed with a secret."""
        exchanges = self._exchanges
        assert exchanges is not None, "provisioned before use"  # noqa: S101 narrows the type

        async def fetch() -> Token:
            headers, body = token_request(auth)
            url = parsed(auth.token_url)
            with _said_plainly():
                async with exchanges.answered(
                    Outgoing("POST", url, {**headers, "accept-encoding": ACCEPTED}, body, tls)
                ) as response:
                    data = await _read(response, TOKEN_BYTES_MAX)
            after = retry_after_s(response.headers.get("retry-after"), ctx.clock.now())
            return read_token(response.status, data, retryable=is_retryable(response.status), retry_after=after)

        key = cache_key(ctx.namespace, auth, identity(options.tls))
        return await self._tokens.get(key, fetch, now_s=ctx.clock.monotonic_s, unlike=unlike)


@contextlib.contextmanager
def _said_plainly() -> Iterator[None]:
    """Turn what the client raises into what a step can act on. Raises ActionError."""
    import aiohttp

    from hostd_builtin.http.client import AddressDenied, denied

    try:
        yield
    except (aiohttp.InvalidURL, UnicodeError) as error:  # a name longer than names can be is the latter
        raise ActionError(f"not an address that can be requested: {error}"[:500], code="URL_INVALID") from None
    except aiohttp.ClientError as error:
        cause = error.__cause__
        if isinstance(cause, AddressDenied) or isinstance(getattr(error, "os_error", None), AddressDenied):
            raise denied(getattr(error, "host", None) or str(cause)) from None
        if isinstance(error, aiohttp.ClientConnectorCertificateError):
            raise ActionError(f"the certificate is not trusted: {error}"[:500], code="TLS") from None
        raise ActionError(f"{type(error).__name__}: {error}"[:500], code="NETWORK", retryable=True) from None


async def _outgoing(
    ctx: ActionContext,
    options: RequestOptions,
    url: URL,
    tls: ssl.SSLContext | bool,
    token: str | None,
    *,
    at_home: bool,
) -> Outgoing:
    """Return the request; one that a page led to another host holds no credentials."""
    body, content_type = await body_of(ctx, options)
    headers = {"user-agent": "hostd", "accept": "*/*", "accept-encoding": ACCEPTED}
    headers |= ctx.trace
    if content_type:
        headers["content-type"] = content_type
    if options.method not in WITHOUT_KEY:
        headers["idempotency-key"] = ctx.idempotency_key
    auth = options.auth
    if isinstance(auth, BasicAuth):
        pair = base64.b64encode(f"{auth.username}:{auth.password}".encode()).decode("ascii")
        headers["authorization"] = f"Basic {pair}"
    elif isinstance(auth, BearerAuth):
        headers["authorization"] = f"Bearer {auth.token}"
    elif isinstance(auth, KeyAuth) and auth.query is None:
        headers[auth.header.lower()] = auth.key
    elif token is not None:
        headers["authorization"] = f"Bearer {token}"
    headers |= {name.lower(): value for name, value in options.headers.items()}
    if not at_home:
        headers = {name: value for name, value in headers.items() if name in FOR_ANY_HOST}
        tls = True
    elif isinstance(auth, KeyAuth) and auth.query is not None:
        url = url.update_query({auth.query: auth.key})
    return Outgoing(options.method, url, headers, body, tls, options.redirects, options.max_redirects)


async def _answer(ctx: ActionContext, options: RequestOptions, response: aiohttp.ClientResponse) -> JsonValue:
    output: dict[str, JsonValue] = {"status": response.status, "headers": _headers_of(response)}
    output["url"] = shown(response.url)
    most_bytes = options.max_response_bytes
    if options.to == "blob" and is_expected(response.status, list(options.expect_status)):
        kind = response.headers.get("content-type", "application/octet-stream")
        kind = kind if kind.isascii() and kind.isprintable() and len(kind) <= 200 else "application/octet-stream"
        ref = await ctx.blobs.put(_bounded(response, most_bytes), content_type=kind)
        return output | {"body": ref.to_json(), "encoding": "blob"}
    data = await _expected(ctx, options, response, most_bytes, all_bytes=most_bytes)
    if not data:
        return output | {"body": None, "encoding": "none"}
    content_type = response.headers.get("content-type", "")
    how = "base64" if options.parse == "bytes" else options.parse
    body, encoding = read_body(data, content_type=content_type, charset=response.charset, how=how)
    return output | {"body": body, "encoding": encoding}


async def _expected(
    ctx: ActionContext, options: RequestOptions, response: aiohttp.ClientResponse, room: int, *, all_bytes: int
) -> bytes:
    """Return the body of an answer with a status that is a success. Raises ActionError HTTP_<status>."""
    status = response.status
    if is_expected(status, list(options.expect_status)):
        return await _read(response, room, all_bytes=all_bytes)
    raise ActionError(
        f"{options.method} {shown(response.url)} answered {status} {response.reason or ''}".rstrip(),
        code=f"HTTP_{status}",
        retryable=is_retryable(status),
        retry_after=retry_after_s(response.headers.get("retry-after"), ctx.clock.now()),
        details={"status": status, "body": excerpt(await _beginning(response))},
    )


def _link(response: aiohttp.ClientResponse) -> URL | None:
    """Return where `Link: <...>; rel="next"` leads."""
    for relation, link in response.links.items():
        if relation == "next" and "url" in link:
            return parsed(str(link["url"]), response.url)
    return None


def _headers_of(response: aiohttp.ClientResponse) -> dict[str, JsonValue]:
    return {name.lower(): ", ".join(response.headers.getall(name)) for name in response.headers}


def _with_query(url: URL, query: dict[str, QueryValue | list[QueryValue] | None]) -> URL:
    pairs = [
        (name, text_of(item))
        for name, value in query.items()
        if value is not None
        for item in (value if isinstance(value, list) else [value])
    ]
    return url.extend_query(pairs) if pairs else url


async def _bounded(response: aiohttp.ClientResponse, most_bytes: int) -> AsyncIterator[bytes]:
    """Yield the body's pieces. Raises ActionError RESPONSE_TOO_LARGE."""
    announced = response.content_length
    if announced is not None and announced > most_bytes and response.method != "HEAD":
        raise too_large(most_bytes)
    size = 0
    async for piece in pieces(response, most_bytes):
        size += len(piece)
        if size > most_bytes:
            raise too_large(most_bytes)
        yield piece


async def _read(response: aiohttp.ClientResponse, most_bytes: int, *, all_bytes: int | None = None) -> bytes:
    """Return the body. Raises ActionError RESPONSE_TOO_LARGE naming `all_bytes`, where this is one part of it."""
    try:
        return b"".join([piece async for piece in _bounded(response, most_bytes)])
    except ActionError as error:
        if error.code == "RESPONSE_TOO_LARGE" and all_bytes is not None:
            raise too_large(all_bytes) from None
        raise


async def _beginning(response: aiohttp.ClientResponse) -> bytes:
    """Return the beginning of a body, as far as it can be read."""
    found = b""
    with contextlib.suppress(ActionError):
        async with contextlib.aclosing(pieces(response, EXCERPT_BYTES * 16)) as parts:
            async for piece in parts:
                found += piece
                if len(found) >= EXCERPT_BYTES:
                    break
    return found[:EXCERPT_BYTES]
