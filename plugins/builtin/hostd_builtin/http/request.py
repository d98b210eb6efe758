"""`http.request`: one HTTP request per attempt. It never retries by itself; it says what may be tried again."""

from __future__ import annotations

import asyncio
import base64
import importlib
from typing import TYPE_CHECKING, Any

from hostd.plugin import Action, ActionContext, ActionError, JsonValue, ProvisionContext, dump_json
from hostd_builtin.http.addresses import AddressPolicy
from hostd_builtin.http.answer import excerpt, is_expected, is_retryable, read_body, retry_after_s
from hostd_builtin.http.options import QueryValue, RequestOptions, RequestSettings

if TYPE_CHECKING:
    import aiohttp
    from yarl import URL

REDIRECTS = frozenset({301, 302, 303, 307, 308})
WITHOUT_KEY = frozenset({"GET", "HEAD"})
FOR_ANY_HOST = frozenset({"accept", "accept-language", "content-type", "user-agent"})
"""What another host gets to see after a redirect: any other header may be a credential."""


class Request(Action[RequestOptions]):
    """Sends a request and returns `{status, headers, body, encoding, url}`."""

    id, since, stability, effects, executors = "http.request", "0.1", "stable", "idempotent", ("inline",)
    Settings = RequestSettings
    _session: aiohttp.ClientSession | None = None

    async def provision(self, ctx: ProvisionContext) -> None:
        """Open the session."""
        # aiohttp takes a quarter of a second to import: not on the loop.
        client = await asyncio.to_thread(importlib.import_module, "hostd_builtin.http.client")
        settings: RequestSettings = self.settings
        self._policy = AddressPolicy(private=settings.private, allow=settings.allow, deny=settings.deny)
        self._session = client.open_session(self._policy)

    async def close(self) -> None:
        """Close the session."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def run(self, ctx: ActionContext, options: RequestOptions) -> JsonValue:
        """Send the request, following redirects.

        Raises:
            ActionError: HTTP_<status>, TIMEOUT, NETWORK, TLS, URL_INVALID, ADDRESS_DENIED, TOO_MANY_REDIRECTS,
                RESPONSE_TOO_LARGE or BODY_INVALID.
        """
        import aiohttp

        from hostd_builtin.http.client import AddressDenied, denied

        timeout_s = options.timeout.total_seconds()
        try:
            async with asyncio.timeout(timeout_s):
                return await self._exchange(ctx, options)
        except TimeoutError:
            raise ActionError(f"no complete answer within {timeout_s:g} s", code="TIMEOUT", retryable=True) from None
        except (aiohttp.InvalidURL, UnicodeError) as error:  # a name longer than names can be is the latter
            raise ActionError(f"not an address that can be requested: {error}"[:500], code="URL_INVALID") from None
        except aiohttp.ClientError as error:
            cause = error.__cause__
            if isinstance(cause, AddressDenied) or isinstance(getattr(error, "os_error", None), AddressDenied):
                raise denied(getattr(error, "host", None) or str(cause)) from None
            if isinstance(error, aiohttp.ClientConnectorCertificateError):
                raise ActionError(f"the certificate is not trusted: {error}"[:500], code="TLS") from None
            raise ActionError(f"{type(error).__name__}: {error}"[:500], code="NETWORK", retryable=True) from None

    async def _exchange(self, ctx: ActionContext, options: RequestOptions) -> JsonValue:
        url = _with_query(_parsed(options.url), options.query)
        method: str = options.method
        headers, body = _headers(ctx, options), _body(options)
        for _ in range(options.max_redirects + 1):
            response = await self._send(method, url, headers, body)
            try:
                target = response.headers.get("location", "")
                if response.status not in REDIRECTS or not target or options.max_redirects == 0:
                    return await self._answer(ctx, options, response)
            finally:
                response.release()
            following = _parsed(target, url)
            if following.origin() != url.origin():
                headers = {name: value for name, value in headers.items() if name in FOR_ANY_HOST}
            if response.status == 303 or (response.status in (301, 302) and method == "POST"):
                method, body = ("HEAD" if method == "HEAD" else "GET"), None
                headers = {name: value for name, value in headers.items() if not name.startswith("content-")}
            url = following
        raise ActionError(f"more than {options.max_redirects} redirects, the last to {url}", code="TOO_MANY_REDIRECTS")

    async def _send(self, method: str, url: URL, headers: dict[str, str], body: bytes | None) -> aiohttp.ClientResponse:
        import aiohttp

        from hostd_builtin.http.client import CONNECT_TIMEOUT_S, check_literal

        assert self._session is not None, "provisioned before use"  # noqa: S101 narrows the type
        check_literal(self._policy, url)
        return await self._session.request(
            method,
            url,
            headers=headers,
            data=body,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT_S),
        )

    async def _answer(self, ctx: ActionContext, options: RequestOptions, response: aiohttp.ClientResponse) -> JsonValue:
        status = response.status
        expected = is_expected(status, list(options.expect_status))
        data = await _read(response, options.max_response_bytes, whole=expected)
        if not expected:
            raise ActionError(
                f"{options.method} {_shown(response.url)} answered {status} {response.reason or ''}".rstrip(),
                code=f"HTTP_{status}",
                retryable=is_retryable(status),
                retry_after=retry_after_s(response.headers.get("retry-after"), ctx.clock.now()),
                details={"status": status, "body": excerpt(data)},
            )
        headers: dict[str, JsonValue] = {
            name.lower(): ", ".join(response.headers.getall(name)) for name in response.headers
        }
        if not data:
            body, encoding = None, "none"
        else:
            content_type = response.headers.get("content-type", "")
            body, encoding = read_body(data, content_type=content_type, charset=response.charset, how=options.parse)
        return {"status": status, "headers": headers, "body": body, "encoding": encoding, "url": _shown(response.url)}


def _parsed(text: str, base: URL | None = None) -> URL:
    """Return an absolute http address. Raises ActionError."""
    from yarl import URL

    try:
        url = URL(text) if base is None else base.join(URL(text))
        usable = url.scheme in ("http", "https") and bool(url.host) and url.port is not None
    except ValueError:
        usable = False
    if not usable:
        raise ActionError(f"{text[:200]!r} is no http address", code="URL_INVALID")
    return url.with_user(None)


def _shown(url: URL) -> str:
    """Return an address for people, without what stands in its query: secrets do at times."""
    return str(url.with_query(None).with_fragment(None))


def _with_query(url: URL, query: dict[str, QueryValue | list[QueryValue] | None]) -> URL:
    pairs = [
        (name, _text(item))
        for name, value in query.items()
        if value is not None
        for item in (value if isinstance(value, list) else [value])
    ]
    return url.extend_query(pairs) if pairs else url


def _text(value: QueryValue) -> str:
    return dump_json(value).decode() if not isinstance(value, str) else value


def _headers(ctx: ActionContext, options: RequestOptions) -> dict[str, str]:
    """Return the headers to send, names in lower case; what the author wrote wins."""
    headers = {"user-agent": "hostd", "accept": "*/*"}
    if options.has_json:
        headers["content-type"] = "application/json"
    elif options.form is not None:
        headers["content-type"] = "application/x-www-form-urlencoded"
    elif options.body is not None:
        headers["content-type"] = "text/plain; charset=utf-8"
    elif options.body_base64 is not None:
        headers["content-type"] = "application/octet-stream"
    if options.method not in WITHOUT_KEY:
        headers["idempotency-key"] = ctx.idempotency_key
    auth: Any = options.auth
    if auth is not None and auth.type == "basic":
        pair = base64.b64encode(f"{auth.username}:{auth.password}".encode()).decode("ascii")
        headers["authorization"] = f"Basic {pair}"
    elif auth is not None:
        headers["authorization"] = f"Bearer {auth.token}"
    return headers | {name.lower(): value for name, value in options.headers.items()}


def _body(options: RequestOptions) -> bytes | None:
    if options.has_json:
        return dump_json(options.json_body)
    if options.form is not None:
        from urllib.parse import urlencode

        return urlencode({name: _text(value) for name, value in options.form.items()}).encode()
    if options.body_base64 is not None:
        return base64.b64decode(options.body_base64)
    return None if options.body is None else options.body.encode()


async def _read(response: aiohttp.ClientResponse, most_bytes: int, *, whole: bool) -> bytes:
    """Return the body; past the bound it is an error, or cut where only a beginning is wanted."""
    announced = response.content_length
    if whole and announced is not None and announced > most_bytes and response.method != "HEAD":
        raise _too_large(most_bytes)
    parts: list[bytes] = []
    size = 0
    async for part in response.content.iter_chunked(64 * 1024):
        size += len(part)
        if size > most_bytes:
            if whole:
                raise _too_large(most_bytes)
            break
        parts.append(part)
    return b"".join(parts)


def _too_large(most_bytes: int) -> ActionError:
    return ActionError(
        f"the answer is larger than {most_bytes} bytes; raise `max_response_bytes` or ask for less",
        code="RESPONSE_TOO_LARGE",
    )
