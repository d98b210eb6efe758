"""Talk to a hostd daemon: `connect()` for asyncio, `connect_blocking()` without; see `Client` and `BlockingClient`."""

from __future__ import annotations

from pathlib import Path

from hostd.client.address import Door, Tls, data_folder, find_door
from hostd.client.blocking import BlockingClient
from hostd.client.client import Client
from hostd.client.payloads import from_payload, to_payload

__all__ = [
    "BlockingClient",
    "Client",
    "Door",
    "Tls",
    "connect",
    "connect_blocking",
    "data_folder",
    "find_door",
    "from_payload",
    "to_payload",
]


def connect(
    address: str | None = None, *, token: str | None = None, data: str | Path | None = None, tls: Tls | None = None
) -> Client:
    """Return a client for asyncio; call it in a running event loop. Nothing is sent yet.

    Args:
        address: `HOST:PORT` or `unix:PATH`; else HOSTD_ADDRESS, else the data folder's socket.
        token: else HOSTD_TOKEN, the file HOSTD_TOKEN_FILE, the data folder's token.
        data: the data folder; else HOSTD_DATA, else the default one.

    Raises:
        HostdError: ARGUMENT_INVALID for an address or a token that cannot be one.
    """
    return Client(find_door(address=address, token=token, data=data, tls=tls))


def connect_blocking(
    address: str | None = None, *, token: str | None = None, data: str | Path | None = None, tls: Tls | None = None
) -> BlockingClient:
    """Return a client for programs without an event loop. Arguments and errors are those of `connect`."""
    return BlockingClient(find_door(address=address, token=token, data=data, tls=tls))
