"""A lab with its HTTP door open: webhooks over a real socket into real runs."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from lab import Lab

from hostd.config.rooms import Http
from hostd.http.server import HttpServer


class Door:
    """Sends requests to the webhooks of a lab."""

    def __init__(self, lab: Lab, server: HttpServer, base: str, session: aiohttp.ClientSession) -> None:
        self._lab = lab
        self._server = server
        self.base = base
        self._session = session

    def waiting(self) -> int:
        """Return how many requests no trigger has answered yet."""
        return sum(len(waiting) for waiting in self._server._unanswered._since.values())

    async def send(
        self, path: str, body: Any = None, headers: dict[str, str] | None = None, *, method: str = "POST"
    ) -> tuple[int, Any, dict[str, str]]:
        """Return status, JSON body (else bytes) and headers of an answer, once some trigger answers the path."""
        await self._lab.until(lambda: self._lab.core.routes.methods(f"/hooks/default/{path}"))
        async with self._session.request(
            method, f"{self.base}/hooks/default/{path}", json=body, headers=headers
        ) as answer:
            data = await answer.read()
            value = json.loads(data) if data and answer.content_type == "application/json" else data
            return answer.status, value, {name.lower(): text for name, text in answer.headers.items()}


class _Well:
    """A daemon that is well."""

    def problems(self) -> dict[str, str]:
        return {}


@asynccontextmanager
async def open_door(lab: Lab) -> AsyncIterator[Door]:
    """Open the door of a lab whose triggers run."""
    await lab.core.triggers.start()
    server = HttpServer(
        settings=Http(listen="127.0.0.1:0"),
        routes=lab.core.routes,
        events=lab.core.front.events,
        health=_Well(),
        metrics=lab.core.meter,
        check_token=lambda token: False,
        meter=lab.core.meter,
        clock=lab.core.clock,
    )
    address = await server.start()
    try:
        async with aiohttp.ClientSession() as session:
            yield Door(lab, server, f"http://{address.host}:{address.port}", session)
    finally:
        await server.stop(grace_s=1)
