"""The sockets of the HTTP port. They listen before what speaks HTTP is imported: who comes meanwhile waits in line."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from collections.abc import Sequence
from typing import Any

from hostd.config.types import HostPort, parse_address
from hostd.errors.base import HostdError, Kind

BACKLOG = 512
# A name may stand for addresses of a family that this machine goes without: the others do.
_NOT_HERE = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)


async def listen(address: str) -> list[socket.socket]:
    """Return listening sockets for an address, one for each that its name stands for; the caller closes them.

    Raises:
        HostdError: ADDRESS_IN_USE or ADDRESS_REFUSED.
    """
    host, port = parse_address(address)
    listening: list[socket.socket] = []
    missing: OSError | None = None
    try:
        found = await asyncio.get_running_loop().getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        for family, kind, protocol, _, place in dict.fromkeys(found):
            try:
                listening.append(_bound(socket.socket(family, kind, protocol), place))
            except OSError as error:
                if error.errno not in _NOT_HERE:
                    raise
                missing = error
        if not listening and missing is not None:
            raise missing
    except OSError as error:
        close(listening)
        raise _cannot_listen(address, error) from None
    except UnicodeError:  # of a host that cannot be asked for: an empty label, or one past 63 characters
        raise HostdError(Kind.INVALID, "ADDRESS_REFUSED", f"cannot listen on {address}: that is no host") from None
    return listening


def address_of(listening: Sequence[socket.socket]) -> HostPort:
    """Return where sockets listen: the first one's address, with the port that the system chose where it was 0."""
    host, port, *_ = listening[0].getsockname()
    return HostPort(host, port)


def close(listening: Sequence[socket.socket]) -> None:
    """Close sockets that nobody serves."""
    for one in listening:
        one.close()


def _bound(one: socket.socket, place: Any) -> socket.socket:
    """Return a socket that listens at an address; one that cannot is closed. Raises OSError."""
    try:
        if os.name == "posix":  # elsewhere it would let another program take the port
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if one.family == socket.AF_INET6:
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)  # IPv4 has a socket of its own
        one.setblocking(False)
        one.bind(place)
        one.listen(BACKLOG)
    except OSError:
        one.close()
        raise
    return one


def _cannot_listen(address: str, error: OSError) -> HostdError:
    if error.errno == errno.EADDRINUSE:
        return HostdError(
            Kind.UNAVAILABLE, "ADDRESS_IN_USE", f"another program listens on {address}, our `http.listen`"
        )
    return HostdError(Kind.INVALID, "ADDRESS_REFUSED", f"cannot listen on {address}: {error.strerror or error}")
