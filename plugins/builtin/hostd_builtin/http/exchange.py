"""One request and its redirects. Each hop is a request of its own and passes the gate of addresses anew."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Literal, NamedTuple

from hostd.plugin import ActionError
from hostd_builtin.http.addresses import AddressPolicy

if TYPE_CHECKING:
    import aiohttp
    from yarl import URL

REDIRECTS = frozenset({301, 302, 303, 307, 308})
FOR_ANY_HOST = frozenset({"accept", "accept-encoding", "accept-language", "content-type", "user-agent"})
"""What another host gets to see after a redirect: any other header may be a credential."""


class Outgoing(NamedTuple):
    """A request that is ready to be sent; header names in lower case."""

    method: str
    url: URL
    headers: dict[str, str]
    body: bytes | None = None
    tls: ssl.SSLContext | bool = True
    redirects: Literal["follow", "same_origin", "refuse"] = "refuse"
    max_redirects: int = 0


class Exchanges:
    """Sends requests through one session.

    Args:
        proxy: the operator's; then `session` may connect to it wherever it is.
    """

    def __init__(self, session: aiohttp.ClientSession, policy: AddressPolicy, proxy: str | None) -> None:
        self._session = session
        self._policy = policy
        self._proxy = proxy

    async def close(self) -> None:
        """Close every connection."""
        await self._session.close()

    @asynccontextmanager
    async def answered(self, outgoing: Outgoing) -> AsyncIterator[aiohttp.ClientResponse]:
        """Give the answer, behind the redirects that are followed; it is let go of afterwards.

        Raises:
            ActionError: URL_INVALID, ADDRESS_DENIED, TOO_MANY_REDIRECTS, REDIRECT_REFUSED.
        """
        for _ in range(outgoing.max_redirects + 1):
            response = await self._send(outgoing)
            try:
                target = response.headers.get("location", "")
                if response.status not in REDIRECTS or not target or outgoing.max_redirects == 0:
                    yield response
                    return
            finally:
                response.release()
            outgoing = _following(outgoing, response.status, parsed(target, outgoing.url))
        message = f"more than {outgoing.max_redirects} redirects, the last to {shown(outgoing.url)}"
        raise ActionError(message, code="TOO_MANY_REDIRECTS")

    async def _send(self, outgoing: Outgoing) -> aiohttp.ClientResponse:
        import aiohttp

        from hostd_builtin.http.client import CONNECT_TIMEOUT_S, check_literal, check_target

        if self._proxy is None:
            check_literal(self._policy, outgoing.url)
        else:
            await check_target(self._policy, outgoing.url)
        return await self._session.request(
            outgoing.method,
            outgoing.url,
            headers=outgoing.headers,
            data=outgoing.body,
            allow_redirects=False,
            ssl=outgoing.tls,
            proxy=self._proxy,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT_S),
        )


def _following(outgoing: Outgoing, status: int, url: URL) -> Outgoing:
    """Return the request that a redirect leads to. Raises ActionError REDIRECT_REFUSED."""
    here, same = outgoing.url, url.origin() == outgoing.url.origin()
    if outgoing.redirects == "refuse" or (outgoing.redirects == "same_origin" and not same):
        message = f"{shown(here)} leads on to {shown(url)}, which `redirects: {outgoing.redirects}` does not follow"
        raise ActionError(message, code="REDIRECT_REFUSED")
    if here.scheme == "https" and url.scheme == "http":
        raise ActionError(f"{shown(here)} leads on to {shown(url)}, without TLS", code="REDIRECT_REFUSED")
    method, body, headers = outgoing.method, outgoing.body, outgoing.headers
    if not same:
        headers = {name: value for name, value in headers.items() if name in FOR_ANY_HOST}
        outgoing = outgoing._replace(tls=True)  # what was trusted, and who we are, is for the first host
    if status == 303 or (status in (301, 302) and method == "POST"):
        method, body = ("HEAD" if method == "HEAD" else "GET"), None
        headers = {name: value for name, value in headers.items() if not name.startswith("content-")}
    return outgoing._replace(method=method, url=url, headers=headers, body=body)


def parsed(text: str, base: URL | None = None) -> URL:
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


def shown(url: URL) -> str:
    """Return an address for people, without what stands in its query: secrets do at times."""
    return str(url.with_query(None).with_fragment(None))
