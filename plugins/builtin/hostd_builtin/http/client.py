"""The HTTP client: one session, and a resolver that hands out permitted addresses only.

What the resolver returns is what gets connected to, so a name that resolves differently a moment later (DNS
rebinding) gains nothing. Each redirect is a new request and passes the same gate.
"""

from __future__ import annotations

import ipaddress
import socket

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from hostd.plugin import ActionError
from hostd_builtin.http.addresses import AddressPolicy

CONNECTIONS_MAX = 256
CONNECT_TIMEOUT_S = 10.0
HEADER_BYTES_MAX = 32 * 1024


class AddressDenied(OSError):
    """No permitted address: raised inside the connector, which passes OSErrors on."""


class GuardedResolver(AbstractResolver):
    """Resolves as the system does, and keeps only what the policy permits."""

    def __init__(self, policy: AddressPolicy) -> None:
        self._policy = policy
        self._system = aiohttp.ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the permitted addresses. Raises AddressDenied when there are addresses and none is permitted."""
        found = await self._system.resolve(host, port, family)
        permitted = [one for one in found if self._policy.permits(host, one["host"])]
        if found and not permitted:
            raise AddressDenied(host)
        return permitted

    async def close(self) -> None:
        """Nothing to let go of."""
        await self._system.close()


def check_literal(policy: AddressPolicy, url: URL) -> None:
    """Refuse an address written as numbers, which never reaches a resolver. Raises ActionError."""
    host = url.host or ""
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return
    if not policy.permits(host, host):
        raise denied(host)


async def check_target(policy: AddressPolicy, url: URL) -> None:
    """Refuse an address that a proxy is to connect to, as far as this machine can resolve it. Raises ActionError.

    Every address of a name has to be permitted: nobody here knows which one the proxy takes.
    """
    check_literal(policy, url)
    host, resolver = url.host or "", aiohttp.ThreadedResolver()
    try:
        found = await resolver.resolve(host, url.port or 0, socket.AF_UNSPEC)
    except OSError:
        return  # only the proxy knows the name
    finally:
        await resolver.close()
    if not all(policy.permits(host, one["host"]) for one in found):
        raise denied(host)


def denied(host: str) -> ActionError:
    """Return the error for an address that may not be connected to."""
    return ActionError(
        f"{host} is a private or denied address; the operator can permit it: "
        f"`egress: {{allow: [{host!r}]}}` in hostd.yaml, or HOSTD_EGRESS__ALLOW={host}",
        code="ADDRESS_DENIED",
    )


def open_session(policy: AddressPolicy) -> aiohttp.ClientSession:
    """Return a session without cookies, proxies of the environment, and decompression of its own."""
    connector = aiohttp.TCPConnector(
        resolver=GuardedResolver(policy), limit=CONNECTIONS_MAX, limit_per_host=0, ttl_dns_cache=10
    )
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
        auto_decompress=False,
        raise_for_status=False,
        max_line_size=HEADER_BYTES_MAX,
        max_field_size=HEADER_BYTES_MAX,
    )
