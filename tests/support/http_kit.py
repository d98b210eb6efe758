"""Real HTTP servers, and attempts of `http.request` against them."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from hostd.plugin import ActionError
from hostd.plugin.testing import run_action
from hostd_builtin.http.request import Request

LOCAL = {"allow": ["127.0.0.0/8"]}
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def serving(tls: ssl.SSLContext | None = None, **handlers: Handler) -> AsyncIterator[str]:
    """Serve each handler under its name; gives the base address, by number."""
    application = web.Application(client_max_size=32 * 1024 * 1024)
    for name, handler in handlers.items():
        application.router.add_route("*", f"/{name}", handler)
    server = TestServer(application, host="127.0.0.1")
    await server.start_server(ssl=tls)
    try:
        yield f"{'http' if tls is None else 'https'}://127.0.0.1:{server.port}"
    finally:
        await server.close()


async def fetch(options: dict[str, Any], *, settings: Any = LOCAL, ctx: Any = None) -> Any:
    """Return the output of one attempt."""
    return await run_action(Request, options, settings=settings, ctx=ctx)


async def failure(options: dict[str, Any], *, settings: Any = LOCAL) -> ActionError:
    """Return the error of one attempt."""
    with pytest.raises(ActionError) as caught:
        await fetch(options, settings=settings)
    return caught.value


@asynccontextmanager
async def provisioned(**settings: Any) -> AsyncIterator[Request]:
    """Give an action for many attempts."""
    from hostd.plugin.testing import FakeProvisionContext

    action = Request()
    action.settings = Request.Settings(**(settings or LOCAL))
    await action.provision(FakeProvisionContext(component="http.request"))
    try:
        yield action
    finally:
        await action.close()
