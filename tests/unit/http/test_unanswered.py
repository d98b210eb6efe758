"""Requests that a trigger does not answer: over real sockets, timed out and counted, while others are answered."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import aiohttp
import pytest

from hostd.aio import SystemClock
from hostd.config.rooms import Http
from hostd.errors.base import HostdError
from hostd.host.routes import RouteTable
from hostd.http import unanswered
from hostd.http.server import HttpServer
from hostd.http.unanswered import Unanswered
from hostd.plugin import WebhookRequest, WebhookResponse
from hostd.telemetry.meter import Meter


class Place(NamedTuple):
    """A route."""

    url_path: str
    timeout_s: float = 60.0


class Well:
    """A daemon that is well."""

    def problems(self) -> dict[str, str]:
        return {}


class Door:
    """A door with three paths: one hangs, one answers, one raises a TimeoutError of its own."""

    def __init__(self, **settings: Any) -> None:
        self.routes = RouteTable()
        self.hung = 0
        self.ended: list[str] = []
        meter = Meter()
        self.server = HttpServer(
            settings=Http(listen="127.0.0.1:0", **settings),
            routes=self.routes,
            events=self,  # type: ignore[arg-type]
            health=Well(),
            metrics=meter,
            check_token=lambda token: False,
            meter=meter,
            clock=SystemClock(),
        )

    async def hang(self, _: WebhookRequest) -> WebhookResponse:
        """Never answer; tell how it ended."""
        self.hung += 1
        try:
            await asyncio.Event().wait()
        finally:
            self.ended.append("canceled")
        raise AssertionError

    async def answer(self, _: WebhookRequest) -> WebhookResponse:
        """Answer at once."""
        return WebhookResponse()

    async def tired(self, _: WebhookRequest) -> WebhookResponse:
        """Raise what a client of the plugin's raised."""
        raise TimeoutError

    async def start(self, timeout_s: float) -> None:
        """Listen."""
        self.host, self.port = await self.server.start()
        self.routes.add("default", "hang/{id}", ["POST"], self.hang, owner="t", timeout_s=timeout_s)
        self.routes.add("default", "answer", ["POST"], self.answer, owner="t")
        self.routes.add("default", "tired", ["POST"], self.tired, owner="t")

    async def send(self, path: str) -> tuple[int, str]:
        """Return status and reason."""
        url = f"http://{self.host}:{self.port}/hooks/default/{path}"
        async with aiohttp.ClientSession() as session, session.post(url) as answer:
            text = await answer.read()
            return answer.status, json.loads(text)["reason"] if text else ""


@pytest.fixture
async def door(request: pytest.FixtureRequest) -> AsyncIterator[Door]:
    """A door for four requests at once."""
    opened = Door(connections_max=4)
    yield opened
    await opened.server.stop(grace_s=0)


async def test_a_handler_that_hangs_is_a_504_and_canceled(door: Door) -> None:
    """The sender hears why, the handler ends, nothing waits any more, and other paths are answered."""
    await door.start(timeout_s=0.05)
    assert await door.send("hang/1") == (504, "WEBHOOK_TIMEOUT")
    assert door.ended == ["canceled"]
    assert door.server._unanswered.count("/hooks/default/hang/{id}") == 0
    assert door.server._unanswered._since == {}
    assert await door.send("answer") == (204, "")


async def test_a_timeout_of_the_handlers_own_is_its_mistake(door: Door) -> None:
    """It is no WEBHOOK_TIMEOUT: the time was not over."""
    await door.start(timeout_s=60)
    assert (await door.send("tired"))[1] == "BUG"


async def test_one_path_never_takes_the_door_from_the_others(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of all requests may hang on a path, whatever the parameters; the next is 503, elsewhere one is answered."""
    monkeypatch.setattr(unanswered, "SLOW_S", 0.0)
    await door.start(timeout_s=600)
    hanging = [asyncio.ensure_future(door.send(f"hang/{n}")) for n in range(2)]
    while door.hung < 2:
        await asyncio.sleep(0.001)
    assert await door.send("hang/3") == (503, "HTTP_BUSY")
    assert await door.send("answer") == (204, "")
    await door.server.stop(grace_s=0)
    for one in hanging:
        one.cancel()
    await asyncio.gather(*hanging, return_exceptions=True)


async def test_what_is_answered_soon_may_take_all_places() -> None:
    """Only those that waited long count: a burst on one path is taken whole."""
    waiting = Unanswered(4)
    async with waiting.waiting(Place("/a")), waiting.waiting(Place("/a")), waiting.waiting(Place("/a")):
        assert waiting.count("/a") == 3
    assert waiting._since == {}


async def test_a_path_without_room_keeps_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is refused leaves no trace, whether others wait there or none does."""
    monkeypatch.setattr(unanswered, "SLOW_S", -1.0)
    waiting = Unanswered(2)
    async with waiting.waiting(Place("/a")):
        with pytest.raises(HostdError, match="HTTP_BUSY"):
            async with waiting.waiting(Place("/a")):
                pass
        assert waiting.count("/a") == 1
    assert waiting._since == {}
