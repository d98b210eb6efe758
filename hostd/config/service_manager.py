"""What a service manager is told: that the daemon is ready, reads its configuration, stops, lives; and how it does.

The protocol is systemd's sd_notify(3): lines of `NAME=value` in one datagram to the socket that NOTIFY_SOCKET names.
Other supervisors speak it too. Where nobody gave a socket, nothing is sent.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import MutableMapping

_log = logging.getLogger("hostd.config")

STATUS_CHARS_MAX = 300


class ServiceManager:
    """Tells the service manager that started us, if one did.

    Args:
        environ: loses the variables of the protocol, so that no process we start speaks for us.
    """

    def __init__(self, environ: MutableMapping[str, str], *, pid: int | None = None) -> None:
        self._address = environ.pop("NOTIFY_SOCKET", "")
        self.watchdog_s = _watchdog_s(environ, os.getpid() if pid is None else pid)
        self._failed = False

    def ready(self, status: str) -> None:
        """We serve; also after a reload."""
        self._send("READY=1", _status(status))

    def reloading(self, monotonic_us: int) -> None:
        """The configuration is read anew; `ready` ends it.

        Args:
            monotonic_us: CLOCK_MONOTONIC, by which a manager knows that it is the reload it asked for.
        """
        self._send("RELOADING=1", f"MONOTONIC_USEC={monotonic_us}")

    def stopping(self, status: str, *, within_s: float) -> None:
        """We stop, and need at most so long: the manager is to wait, whatever its own limit says."""
        self._send("STOPPING=1", f"EXTEND_TIMEOUT_USEC={round(within_s * 1e6)}", _status(status))

    def status(self, text: str) -> None:
        """Say in a sentence how we do."""
        self._send(_status(text))

    def alive(self) -> None:
        """Say that the event loop turns; due every `watchdog_s`."""
        self._send("WATCHDOG=1")

    def _send(self, *lines: str) -> None:
        """Send, or lose: a manager that does not listen must not hold up the daemon."""
        if not self._address:
            return
        address = f"\0{self._address[1:]}" if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                sender.setblocking(False)
                sender.sendto("\n".join(lines).encode(), address)
        except OSError as error:
            if not self._failed:
                _log.warning("service_manager_unreachable address=%s error=%s", self._address, error)
            self._failed = True


def _status(text: str) -> str:
    return f"STATUS={' '.join(text.split())[:STATUS_CHARS_MAX]}"


def _watchdog_s(environ: MutableMapping[str, str], pid: int) -> float | None:
    """Return how often to say that we live: twice in the time after which we are taken for dead; None: nobody asks."""
    microseconds, asked = environ.pop("WATCHDOG_USEC", ""), environ.pop("WATCHDOG_PID", "")
    if not microseconds.isdecimal() or int(microseconds) == 0 or asked not in ("", str(pid)):
        return None
    return int(microseconds) / 2e6
