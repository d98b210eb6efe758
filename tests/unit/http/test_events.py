"""`POST /events/<namespace>/<topic>`: the three forms of CloudEvents over HTTP, and who may post them."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

import aiohttp
import pytest

from hostd.aio import SystemClock
from hostd.config.rooms import Http
from hostd.host.routes import RouteTable
from hostd.http.server import HttpServer
from hostd.model.requests import Repeat
from hostd.model.topics import NewEvent, PublishedView
from hostd.telemetry.meter import Meter

TOKEN = "owner-token"
STRUCTURED, BATCH = "application/cloudevents+json", "application/cloudevents-batch+json"
ONE: dict[str, Any] = {"specversion": "1.0", "id": "1", "source": "/s", "type": "t", "data": {"n": 1}}


class Door:
    """An HTTP port that keeps what is posted."""

    url = ""

    def __init__(self) -> None:
        self.posted: list[tuple[str, NewEvent]] = []
        self.repeats: list[Repeat | None] = []
        meter = Meter()
        self.server = HttpServer(
            settings=Http(listen="127.0.0.1:0"),
            routes=RouteTable(),
            events=self,
            health=self,
            metrics=meter,
            check_token=lambda token: token == TOKEN,
            meter=meter,
            clock=SystemClock(),
        )

    def problems(self) -> dict[str, str]:
        return {}

    async def publish(
        self, namespace: str, events: Sequence[NewEvent], *, principal: str, repeat: Repeat | None
    ) -> Sequence[PublishedView]:
        self.repeats.append(repeat)
        self.posted += [(namespace, event) for event in events]
        return [PublishedView(f"e{n}", n + 1) for n in range(len(events))]

    async def post(self, path: str = "/events/default/orders.new", **more: Any) -> tuple[int, Any]:
        """Return status and JSON body of an answer; the token goes along unless `headers` say otherwise."""
        headers = {"authorization": f"Bearer {TOKEN}"} | more.pop("headers", {})
        async with (
            aiohttp.ClientSession() as session,
            session.request(more.pop("method", "POST"), self.url + path, headers=headers, **more) as answer,
        ):
            return answer.status, json.loads(await answer.read())


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    """A door that listens."""
    door = Door()
    address = await door.server.start()
    door.url = f"http://{address.host}:{address.port}"
    yield door
    await door.server.stop(grace_s=1)


async def test_a_structured_event(door: Door) -> None:
    """The body is the envelope; the answer says id and position."""
    status, answer = await door.post(data=json.dumps(ONE), headers={"content-type": f"{STRUCTURED}; charset=utf-8"})
    assert (status, answer) == (200, {"events": [{"event_id": "e0", "position": 1}]})
    assert door.posted == [("default", NewEvent("orders.new", ONE))]


async def test_a_batch(door: Door) -> None:
    """A list of envelopes goes in one piece; an empty one is refused."""
    status, answer = await door.post(data=json.dumps([ONE, ONE]), headers={"content-type": BATCH})
    assert (status, len(answer["events"]), len(door.posted)) == (200, 2, 2)
    assert (await door.post(data="[]", headers={"content-type": BATCH}))[1]["reason"] == "EVENT_INVALID"


@pytest.mark.parametrize(
    ("kind", "body", "data"),
    [
        ("application/json", b'{"n": 1}', {"data": {"n": 1}}),
        ("application/vnd.shop+json", b"[1]", {"data": [1]}),
        ("text/plain; charset=utf-8", "grüß".encode(), {"data": "grüß"}),
        ("image/png", b"\x89PNG", {"data_base64": "iVBORw==", "datacontenttype": "image/png"}),
        ("application/json", b"", {}),
    ],
)
async def test_a_binary_event(door: Door, kind: str, body: bytes, data: dict[str, Any]) -> None:
    """Attributes are headers, percent-encoded where they must be; the body is the data."""
    headers = {"ce-specversion": "1.0", "ce-id": "1", "Ce-Source": "/s", "ce-subject": "caf%C3%A9"}
    status, _ = await door.post(data=body, headers=headers | {"content-type": kind})
    assert status == 200
    [(_, event)] = door.posted
    assert event.envelope == {"specversion": "1.0", "id": "1", "source": "/s", "subject": "café"} | data


async def test_plain_data_is_an_event_that_has_nothing_else_to_say(door: Door) -> None:
    """Without attributes the body is the data: curl is enough."""
    assert (await door.post(data=b'{"n": 1}', headers={"content-type": "application/json"}))[0] == 200
    assert door.posted == [("default", NewEvent("orders.new", {"data": {"n": 1}}))]


@pytest.mark.parametrize(
    ("more", "status", "reason"),
    [
        ({"headers": {"authorization": ""}}, 401, "TOKEN_MISSING"),
        ({"headers": {"authorization": "Bearer wrong"}}, 401, "TOKEN_INVALID"),
        ({"headers": {"host": "evil.example"}}, 403, "HOST_REFUSED"),
        ({"headers": {"origin": "https://evil.example"}}, 403, "ORIGIN_REFUSED"),
        ({"method": "GET"}, 405, "METHOD_REFUSED"),
        ({"path": "/events/default"}, 404, "PATH_MISSING"),
        ({"path": "/events/Bad/t"}, 404, "PATH_MISSING"),
        ({"data": b"{", "headers": {"content-type": STRUCTURED}}, 400, "PAYLOAD_INVALID"),
        ({"data": b"{}", "headers": {"content-type": STRUCTURED}}, 400, "EVENT_INVALID"),
        ({"data": b"{}", "headers": {"content-type": STRUCTURED, "idempotency-key": "k" * 129}}, 400, "EVENT_INVALID"),
        ({"data": b"{}", "headers": {"idempotency-key": "k" * 129}}, 400, "ARGUMENT_INVALID"),
        ({"data": b"x", "headers": {"ce-data": "1"}}, 400, "EVENT_INVALID"),
        ({"data": {"n": "1"}}, 400, "EVENT_INVALID"),
        ({"data": "large", "headers": {"content-type": "text/plain"}}, 413, "PAYLOAD_TOO_LARGE"),
    ],
)
async def test_what_is_refused(door: Door, more: dict[str, Any], status: int, reason: str) -> None:
    """Nothing is published, and the answer says why: the token is asked from this machine, too."""
    if more.get("data") == "large":
        more = more | {"data": io.BytesIO(b"x" * (2 << 20))}
    answered, answer = await door.post(**more)
    assert (answered, answer["reason"]) == (status, reason)
    assert door.posted == []


@pytest.mark.parametrize("attribute", ["specversion", "id", "source", "type"])
@pytest.mark.parametrize("kind", [STRUCTURED, BATCH])
async def test_an_envelope_says_all_it_has_to(door: Door, kind: str, attribute: str) -> None:
    """An attribute that CloudEvents requires is missed by its name; nothing of a batch is published then."""
    short = {name: value for name, value in ONE.items() if name != attribute}
    body = json.dumps(short if kind == STRUCTURED else [ONE, short])
    status, answer = await door.post(data=body, headers={"content-type": kind})
    assert (status, answer["reason"], f"`{attribute}`" in answer["message"]) == (400, "EVENT_INVALID", True)
    assert door.posted == []


async def test_a_request_is_known_again_by_its_key(door: Door) -> None:
    """The same key and events are the same request; other data, another topic or another attribute make it another."""
    plain, key = {"content-type": "application/json"}, {"idempotency-key": "k1"}
    requests: list[dict[str, Any]] = [
        {"data": b"1", "headers": plain | key},
        {"data": b"1", "headers": plain | key},
        {"data": b"2", "headers": plain | key},
        {"data": b"1", "headers": plain | key, "path": "/events/default/bills"},
        {"data": b"1", "headers": plain | key | {"ce-id": "7"}},
        {"data": b"1", "headers": plain},
    ]
    for request in requests:
        assert (await door.post(**request))[0] == 200
    assert [repeat.request_id for repeat in door.repeats if repeat is not None] == ["k1"] * 5
    digests = [repeat.digest for repeat in door.repeats if repeat is not None]
    assert digests[0] == digests[1]
    assert len(set(digests)) == 4
    assert door.repeats[-1] is None
