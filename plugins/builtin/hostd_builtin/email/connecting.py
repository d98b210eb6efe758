"""Connecting to a mail server, to a permitted address only: what was looked at is what is connected to."""

from __future__ import annotations

import asyncio
import socket
import ssl

from hostd.plugin import ActionError
from hostd_builtin.email.options import Server
from hostd_builtin.http.addresses import AddressPolicy


async def connect(server: Server, policy: AddressPolicy | None) -> socket.socket:
    """Return a connected socket.

    Args:
        policy: which addresses are permitted; None = all, for the operator's own server.

    Raises:
        ActionError: ADDRESS_DENIED, NETWORK.
    """
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(server.host, server.the_port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise ActionError(f"{server.host} is not known: {error}", code="NETWORK", retryable=True) from None
    permitted = [one for one in found if policy is None or policy.permits(server.host, str(one[4][0]))]
    if not permitted:
        message = (
            f"{server.host} is a private or denied address; the operator can permit it: "
            f"`egress: {{allow: [{server.host!r}]}}` in hostd.yaml, or HOSTD_EGRESS__ALLOW={server.host}"
        )
        raise ActionError(message, code="ADDRESS_DENIED")
    why = "no address"
    for family, kind, protocol, _, address in permitted:
        sock = socket.socket(family, kind, protocol)
        sock.setblocking(False)
        try:
            await loop.sock_connect(sock, address)
            return sock
        except OSError as error:
            sock.close()
            why = error.strerror or str(error)
        except asyncio.CancelledError:
            sock.close()
            raise
    message = f"{server.host}:{server.the_port} cannot be reached: {why}"
    raise ActionError(message, code="NETWORK", retryable=True)


def trust(ca_file: str) -> ssl.SSLContext:
    """Return what certificates are checked against. Blocks. Raises OSError, ssl.SSLError for a file that is none."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_file:
        context.load_verify_locations(cafile=ca_file)
    return context


def is_untrusted(error: BaseException | None) -> bool:
    """Say whether an error comes from TLS."""
    seen = 0
    while error is not None and seen < 8:
        if isinstance(error, ssl.SSLError):
            return True
        error, seen = error.__cause__ or error.__context__, seen + 1
    return False
