"""A web application with a host in its lifespan: `uvicorn asgi_program:app`. `FOLDER` names the data folder."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from hostd.embedding import Host, HostdError, Workflow, action
from hostd.embedding.uses import flow


@action("shop.price")
async def price(sku: str) -> int:
    """Return a price in cents."""
    return len(sku) * 100


order = Workflow("order", inputs={"type": "object", "properties": {"sku": {"type": "string"}}, "required": ["sku"]})
pause = order.step("pause", flow.wait(duration="5ms"))
priced = order.step("price", price.step(sku=order.input.sku), needs=pause)
order.output({"sku": order.input.sku, "cents": priced.output})


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    """Open the host beside the application."""
    async with Host.open(os.environ["FOLDER"], actions=[price]) as host:
        await host.register(order)
        app.state.host = host
        yield


async def place(request: Request) -> JSONResponse:
    """Run an order to its end."""
    host: Host = request.app.state.host
    try:
        return JSONResponse(await host.execute("order", await request.json(), timeout="30s"))
    except HostdError as error:
        return JSONResponse({"reason": error.reason}, status_code=400)


async def runs(request: Request) -> JSONResponse:
    """List what was run."""
    host: Host = request.app.state.host
    return JSONResponse([run.state for run in await host.list_runs()])


app = Starlette(routes=[Route("/orders", place, methods=["POST"]), Route("/runs", runs)], lifespan=lifespan)
