"""Sockets that a service manager opened and hands over, by systemd's protocol (sd_listen_fds(3)).

Who connects while the daemon is away waits in the manager's queue instead of being refused. Only the HTTP port can be
had this way: gRPC's Python server opens its own and takes none that is open.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import MutableMapping

from hostd.config.types import HostPort
from hostd.errors.base import HostdError, invalid

FIRST_FD = 3
FDS_MAX = 64
HTTP_NAME = "http"
_UNNAMED = ("", "unknown", "stored")


def given_http_socket(environ: MutableMapping[str, str], *, pid: int | None = None) -> socket.socket | None:
    """Return the listening TCP socket for the HTTP port, None where none was handed over.

    Args:
        environ: loses the variables of the protocol, so that no process we start takes the sockets for its own.

    Raises:
        HostdError: CONFIG_INVALID for sockets that hostd cannot use.
    """
    count, owner = environ.pop("LISTEN_FDS", ""), environ.pop("LISTEN_PID", "")
    names = environ.pop("LISTEN_FDNAMES", "").split(":")
    if owner != str(os.getpid() if pid is None else pid) or not count.isdecimal() or not 0 < int(count) <= FDS_MAX:
        return None
    numbers = range(FIRST_FD, FIRST_FD + int(count))
    for number in numbers:
        with contextlib.suppress(OSError):  # one that is not open is named below
            os.set_inheritable(number, False)
    named = [(names[index] if index < len(names) else "", number) for index, number in enumerate(numbers)]
    if len(named) != 1 or named[0][0] not in (HTTP_NAME, *_UNNAMED, "hostd.socket"):
        told = ", ".join(name or "unnamed" for name, _ in named)
        message = f"sockets were handed over ({told}), but hostd takes one, called {HTTP_NAME}: gRPC opens its own port"
        raise invalid("CONFIG_INVALID", f"{message} (FileDescriptorName= of the socket unit)")
    return _listening(named[0][1])


def bound_to(given: socket.socket) -> HostPort:
    """Return the address that a socket listens on."""
    host, port, *_ = given.getsockname()
    return HostPort(host, port)


def check_exposed(given: socket.socket, *, protected: bool) -> None:
    """Raise INSECURE_LISTEN where others can reach the socket and neither TLS nor --insecure is set."""
    address = bound_to(given)
    if not address.loopback and not protected:
        message = (
            f"the socket that was handed over listens on {address}, reachable from other machines, and without TLS"
            " tokens travel in the clear; set `tls`, or `insecure: true`"
        )
        raise invalid("INSECURE_LISTEN", message)


def _listening(number: int) -> socket.socket:
    try:
        given = socket.socket(fileno=number)
        usable = (
            given.family in (socket.AF_INET, socket.AF_INET6)
            and given.type == socket.SOCK_STREAM
            and given.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) != 0
        )
    except OSError as error:
        raise _unusable(f"file descriptor {number} cannot be used: {error.strerror}") from None
    if not usable:
        raise _unusable("what was handed over is no listening TCP socket (ListenStream= of a port, Accept=no)")
    given.setblocking(False)
    return given


def _unusable(message: str) -> HostdError:
    return invalid("CONFIG_INVALID", message)
