"""Talk to a hostd daemon: `connect()` for asyncio, `connect_blocking()` without; see `Client` and `BlockingClient`.

Names are imported when they are first used, so that a program that wants little waits for little.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hostd.client import errors as errors
    from hostd.client.address import Door as Door
    from hostd.client.address import Tls as Tls
    from hostd.client.address import data_folder as data_folder
    from hostd.client.address import find_door as find_door
    from hostd.client.aio.client import Client as Client
    from hostd.client.aio.connection import Connection as Connection
    from hostd.client.aio.handle import RunHandle as RunHandle
    from hostd.client.aio.watch import Watch as Watch
    from hostd.client.blocking.client import BlockingClient as BlockingClient
    from hostd.client.blocking.connection import BlockingConnection as BlockingConnection
    from hostd.client.blocking.handle import BlockingRunHandle as BlockingRunHandle
    from hostd.client.blocking.watch import BlockingWatch as BlockingWatch
    from hostd.client.payloads import from_payload as from_payload
    from hostd.client.payloads import to_payload as to_payload
    from hostd.client.reconnect import NO_RETRY as NO_RETRY
    from hostd.client.reconnect import Retry as Retry
    from hostd.client.run_results import Run as Run
    from hostd.client.starts import Start as Start
    from hostd.errors.base import HostdError as HostdError

_HOMES = {
    "BlockingClient": "blocking.client",
    "BlockingConnection": "blocking.connection",
    "BlockingRunHandle": "blocking.handle",
    "BlockingWatch": "blocking.watch",
    "Client": "aio.client",
    "Connection": "aio.connection",
    "Door": "address",
    "NO_RETRY": "reconnect",
    "Retry": "reconnect",
    "Run": "run_results",
    "RunHandle": "aio.handle",
    "Start": "starts",
    "Tls": "address",
    "Watch": "aio.watch",
    "data_folder": "address",
    "find_door": "address",
    "from_payload": "payloads",
    "to_payload": "payloads",
}
__all__ = ["HostdError", "connect", "connect_blocking", "errors", *_HOMES]


def __getattr__(name: str) -> Any:
    if name == "errors":
        return importlib.import_module("hostd.client.errors")
    if name == "HostdError":
        return importlib.import_module("hostd.errors.base").HostdError
    if name not in _HOMES:
        raise AttributeError(f"module 'hostd.client' has no attribute {name!r}")
    found = getattr(importlib.import_module(f"hostd.client.{_HOMES[name]}"), name)
    globals()[name] = found
    return found


def connect(
    address: str | None = None,
    *,
    token: str | None = None,
    data: str | Path | None = None,
    tls: Tls | None = None,
    namespace: str | None = None,
    timeout_s: float | None = None,
    retry: Retry | None = None,
    metadata: Mapping[str, str] | None = None,
) -> Client:
    """Return a client for asyncio; call it in a running event loop. Nothing is sent yet.

    Args:
        address: `HOST:PORT` or `unix:PATH`; else HOSTD_ADDRESS, else the data folder's socket.
        token: else HOSTD_TOKEN, the file HOSTD_TOKEN_FILE, the data folder's token.
        data: the data folder; else HOSTD_DATA, else the default one.
        tls: PEM files; else those that HOSTD_TLS_CA, HOSTD_TLS_CERT and HOSTD_TLS_KEY name; else no TLS.
        namespace: else HOSTD_NAMESPACE, else `default`.
        timeout_s: deadline of a call, all its tries together; else 30. `math.inf` for none.
        retry: when a call is sent again; `NO_RETRY` for never.
        metadata: what every call carries besides, such as `traceparent`.

    Raises:
        HostdError: ARGUMENT_INVALID for an address, a token, a file or metadata that cannot be one.
    """
    from hostd.client.address import found_door, found_namespace
    from hostd.client.aio.client import Client

    client = Client(found_door(address=address, token=token, data=data, tls=tls))
    return client.with_options(
        namespace=found_namespace(namespace), timeout_s=timeout_s, retry=retry, metadata=metadata
    )


def connect_blocking(
    address: str | None = None,
    *,
    token: str | None = None,
    data: str | Path | None = None,
    tls: Tls | None = None,
    namespace: str | None = None,
    timeout_s: float | None = None,
    retry: Retry | None = None,
    metadata: Mapping[str, str] | None = None,
) -> BlockingClient:
    """Return a client for programs without an event loop. Arguments and errors are those of `connect`."""
    from hostd.client.address import found_door, found_namespace
    from hostd.client.blocking.client import BlockingClient

    client = BlockingClient(found_door(address=address, token=token, data=data, tls=tls))
    return client.with_options(
        namespace=found_namespace(namespace), timeout_s=timeout_s, retry=retry, metadata=metadata
    )
