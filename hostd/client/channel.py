"""What both clients share: options, credentials and metadata of a channel."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING

from hostd.client.address import Door, Tls
from hostd.client.error_kinds import ClientError
from hostd.client.typed_errors import bad_argument, typed
from hostd.errors.base import HostdError, Kind

if TYPE_CHECKING:
    import grpc

RECEIVE_BYTES_MAX = 64 << 20  # a run with all its steps; larger values are blobs
CALL_TIMEOUT_S = 30.0
CUT = asyncio.CancelledError  # gRPC raises it in a call whose channel is closed, canceled or not


def channel_options(door: Door) -> list[tuple[str, int]]:
    """Return options: room for large answers, quick reconnects, and no proxy on the way to this machine."""
    options = [
        ("grpc.max_receive_message_length", RECEIVE_BYTES_MAX),
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", 1_000),
    ]
    return [*options, ("grpc.enable_http_proxy", 0)] if door.local else options


def metadata(door: Door) -> tuple[tuple[str, str], ...]:
    """Return what every call carries."""
    return (("authorization", f"Bearer {door.token}"),) if door.token else ()


def credentials(tls: Tls) -> grpc.ChannelCredentials:
    """Return the credentials of a channel. Raises ARGUMENT_INVALID when a file cannot be read or is no PEM."""
    import grpc

    return grpc.ssl_channel_credentials(
        root_certificates=_pem(tls.authority),
        private_key=_pem(tls.key) if tls.key else None,
        certificate_chain=_pem(tls.certificate) if tls.certificate else None,
    )


_PEM_NAMES = "--tls-ca, --tls-cert and --tls-key (HOSTD_TLS_CA, ...) name PEM files"


def _pem(path: Path | str) -> bytes:
    try:
        text = Path(path).expanduser().read_bytes()
    except OSError as error:
        raise bad_argument(f"{path} cannot be read: {error.strerror}; {_PEM_NAMES}") from None
    if b"-----BEGIN " not in text:
        raise bad_argument(f"{path} is no PEM file: it has no line with -----BEGIN; {_PEM_NAMES}")
    return text


def health_request(service: str) -> bytes:
    """Return a grpc.health.v1.HealthCheckRequest: one text field, so that no generated code is needed."""
    name = service.encode()
    if len(name) > 127:
        raise bad_argument(f"{service[:40]!r}... is not the name of a service")
    return b"\x0a" + bytes([len(name)]) + name if name else b""


def is_serving(answer: bytes) -> bool:
    """Say whether a grpc.health.v1.HealthCheckResponse is SERVING (field 1 is 1)."""
    return answer == b"\x08\x01"


class Life:
    """What all clients over one connection know of it."""

    def __init__(self) -> None:
        self.seen = False  # whether a daemon has answered
        self.closed = False
        self._process = os.getpid()

    def check(self) -> None:
        """Raise RuntimeError where the connection cannot be used: closed, or inherited through a fork."""
        if self.closed:
            raise RuntimeError("the client is closed")
        if os.getpid() != self._process:
            raise RuntimeError(
                "the client was made before a fork; gRPC does not survive one: make a client in the child"
            )

    def told(self, error: ClientError) -> ClientError:
        """Return how a call ended that gRPC ended so: by the client's own end, where that came first."""
        return _closed_meanwhile() if self.closed else error

    def cut(self) -> None:
        """Raise where gRPC cut a call off because the client was closed; nobody has canceled the task that waits."""
        task = asyncio.current_task()
        if self.closed and (task is None or not task.cancelling()):
            raise _closed_meanwhile() from None


def _closed_meanwhile() -> ClientError:
    return typed(HostdError(Kind.CANCELED, "CANCELED", "the client was closed before the answer came"))
