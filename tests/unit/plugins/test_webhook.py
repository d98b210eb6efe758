"""`http.webhook`: requests become events, bad ones get an answer that helps."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from hostd.plugin import HostdError, WebhookResponse
from hostd.plugin.testing import FakeTriggerContext, running_trigger
from hostd_builtin.http.webhook import Webhook

PATH = "/hooks/default/orders/new"
JSON = {"content-type": "application/json"}


@pytest.fixture
async def context() -> AsyncIterator[FakeTriggerContext]:
    """A webhook that listens."""
    async with running_trigger(Webhook, {"path": "orders/new", "max_body_bytes": 100}) as (running, _):
        yield running


async def post(context: FakeTriggerContext, body: bytes, headers: dict[str, str] = JSON) -> tuple[int, Any]:
    """Return status and parsed body of a POST."""
    response: WebhookResponse = await context.http.request("POST", PATH, body=body, headers=headers, query={"q": "1"})
    return response.status, json.loads(response.body) if response.body else None


async def test_a_request_is_an_event(context: FakeTriggerContext) -> None:
    """202 with the run; the body is the data; headers without credentials and the query stand beside it."""
    headers = JSON | {"Authorization": "Bearer hunter2", "Cookie": "a=b", "X-Kind": "new"}
    status, answer = await post(context, b'{"n": 1.0}', headers)
    assert (status, answer["outcome"], answer["run_ids"], answer["run_id"]) == (202, "STARTED", ["run-1"], "run-1")
    (event,) = context.emitted
    assert event.data == {"n": 1}
    assert event.id == answer["event_id"]
    http: Any = event.extensions["http"]
    assert http["headers"] == {"content-type": "application/json", "x-kind": "new"}
    assert (http["query"], http["method"], http["path"]) == ({"q": "1"}, "POST", PATH)


@pytest.mark.parametrize("name", ["webhook-id", "ce-id", "Idempotency-Key"])
async def test_the_same_id_starts_one_run(context: FakeTriggerContext, name: str) -> None:
    """Each of the three headers names the event; a second delivery answers with the first run."""
    await post(context, b"1", JSON | {name: "abc"})
    status, answer = await post(context, b"1", JSON | {name: "abc"})
    assert (status, answer["outcome"], answer["run_ids"], answer["event_id"]) == (202, "DUPLICATE", ["run-1"], "abc")
    assert len(context.emitted) == 1


async def test_the_ids_have_an_order(context: FakeTriggerContext) -> None:
    """`webhook-id` beats `ce-id` beats `idempotency-key`; the other CloudEvents headers are taken too."""
    more = {"webhook-id": "a", "ce-id": "b", "idempotency-key": "c", "ce-type": "order.new", "ce-subject": "7"}
    await post(context, b"1", JSON | more)
    (event,) = context.emitted
    assert (event.id, event.type, event.subject) == ("a", "order.new", "7")


@pytest.mark.parametrize(
    "content_type, body, data",
    [
        ("application/json; charset=utf-8", b"[1]", [1]),
        ("application/vnd.github+json", b'{"a":null}', {"a": None}),
        ("application/x-www-form-urlencoded", b"a=1&b=x+y&a=2", {"a": "2", "b": "x y"}),
        ("text/plain", "grüß".encode(), "grüß"),
        ("application/json", b"", None),
        ("", b"", None),
    ],
)
async def test_bodies_are_what_their_type_says(
    context: FakeTriggerContext, content_type: str, body: bytes, data: Any
) -> None:
    """JSON in any dialect, forms and text; no body is null."""
    status, _ = await post(context, body, {"content-type": content_type})
    assert status == 202
    assert context.emitted[0].data == data


@pytest.mark.parametrize(
    "content_type, body, status, reason",
    [
        ("application/json", b"{", 400, "PAYLOAD_INVALID"),
        ("application/json", b'{"a":1,"a":2}', 400, "PAYLOAD_INVALID"),
        ("application/json", b"\xff", 400, "PAYLOAD_INVALID"),
        ("application/json", b"1e999", 400, "NUMBER_OUT_OF_RANGE"),
        ("application/json", b"[" * 90, 400, "PAYLOAD_INVALID"),
        ("text/plain", b"\xff", 400, "PAYLOAD_INVALID"),
        ("application/x-www-form-urlencoded", b"a=%ff", 400, "PAYLOAD_INVALID"),
        ("image/png", b"x", 415, "PAYLOAD_INVALID"),
        ("", b"x", 415, "PAYLOAD_INVALID"),
    ],
)
async def test_bad_bodies_get_a_reason(
    context: FakeTriggerContext, content_type: str, body: bytes, status: int, reason: str
) -> None:
    """Nothing is emitted; the answer says why."""
    got, answer = await post(context, body, {"content-type": content_type})
    assert (got, answer["reason"]) == (status, reason)
    assert len(answer["message"]) > 10
    assert context.emitted == []


async def test_sizes_are_bounded(context: FakeTriggerContext) -> None:
    """A body past the bound is 413, an id past 256 bytes 400."""
    assert (await post(context, b"x" * 101))[0] == 413
    assert (await post(context, b"1", JSON | {"webhook-id": "x" * 257}))[0] == 400
    assert context.emitted == []


async def test_a_stopped_webhook_answers_no_more() -> None:
    """When the trigger ends its path is free; a second one on the same path fails for good."""
    async with running_trigger(Webhook, {"path": "orders/new"}) as (first, _):
        second = FakeTriggerContext()
        second.http = first.http
        async with running_trigger(Webhook, {"path": "orders/new"}, ctx=second) as (_, task):
            error = task.exception()
            assert isinstance(error, HostdError)
            assert error.reason == "PATH_TAKEN"
    assert (await first.http.request("POST", PATH)).status == 404
