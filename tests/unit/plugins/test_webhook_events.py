"""`http.webhook`: what requests become, and what is answered: bodies, schemas, CloudEvents, results of runs."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from cloudevents.core.bindings.http import to_binary, to_structured
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from hypothesis import given, settings
from hypothesis import strategies as st

from hostd.plugin import EmitOutcome, Emitted, RunFailure, RunResult
from hostd.plugin.testing import FakeTriggerContext, running_trigger
from hostd_builtin.http.webhook import Webhook

PATH = "/hooks/default/in"
JSON = {"content-type": "application/json"}


@asynccontextmanager
async def hook(**options: Any) -> AsyncIterator[FakeTriggerContext]:
    """A webhook that listens."""
    async with running_trigger(Webhook, {"path": "in"} | options) as (running, task):
        assert not task.done(), task.exception()
        yield running


async def send(
    ctx: FakeTriggerContext, body: bytes = b"1", headers: dict[str, str] = JSON, **more: Any
) -> tuple[int, Any]:
    """Return status and parsed body of a POST."""
    answer = await ctx.http.request(more.pop("method", "POST"), more.pop("path", PATH), body=body, headers=headers)
    return answer.status, json.loads(answer.body) if answer.body else None


async def test_parameters_methods_and_sender() -> None:
    """Parameters of the path, decoded, and the sender's address stand in `event.http`; only named methods answer."""
    async with hook(path="/shops/{shop}/orders/{id}", methods=["PUT", "DELETE"]) as ctx:
        path = "/hooks/default/shops/caf%C3%A9/orders/7"
        assert (await send(ctx, path=path, method="PUT"))[0] == 202
        assert (await send(ctx, b"", path=path, method="DELETE"))[0] == 202
        assert (await send(ctx, path=path))[0] == 404  # the fake door knows no 405
        http: Any = ctx.emitted[0].extensions["http"]
        assert (http["params"], http["remote"], http["method"]) == ({"shop": "café", "id": "7"}, "127.0.0.1", "PUT")


@pytest.mark.parametrize(
    "body_option, content_type, body, data",
    [
        ("json", "text/plain", b'{"a": 1}', {"a": 1}),
        ("form", "", b"a=1&b=%20", {"a": "1", "b": " "}),
        ("text", "application/json", b"[1", "[1"),
        ("base64", "image/png", b"\x00\xff", "AP8="),
        ("base64", "application/json", b"1", "MQ=="),
    ],
)
async def test_the_author_may_say_what_a_body_is(body_option: str, content_type: str, body: bytes, data: Any) -> None:
    """Whatever the content type says."""
    async with hook(body=body_option) as ctx:
        assert (await send(ctx, body, {"content-type": content_type}))[0] == 202
        assert ctx.emitted[0].data == data


async def test_data_that_does_not_fit_the_schema() -> None:
    """400 with each fault and its place; nothing is emitted. One bad event refuses its batch."""
    schema = {
        "type": "object",
        "required": ["id"],
        "properties": {"id": {"type": "integer"}, "lines": {"type": "array", "items": {"type": "string"}}},
    }
    async with hook(schema=schema) as ctx:
        status, answer = await send(ctx, b'{"id": "x", "lines": ["a", 2]}')
        assert (status, answer["reason"]) == (400, "SCHEMA_REFUSED")
        assert {fault["path"] for fault in answer["faults"]} == {"id", "lines[1]"}
        assert (await send(ctx, b""))[0] == 400
        batch = [envelope(id="1", data={"id": 1}), envelope(id="2", data={})]
        status, answer = await send(ctx, json.dumps(batch).encode(), {"content-type": BATCH})
        assert (status, answer["message"][:7]) == (400, "event 1")
        assert ctx.emitted == []
        assert (await send(ctx, b'{"id": 1}'))[0] == 202


async def test_an_id_of_the_senders_own() -> None:
    """`id_header` names the event before the usual headers; without it they hold."""
    async with hook(id_header="X-GitHub-Delivery") as ctx:
        await send(ctx, b"1", JSON | {"x-github-delivery": "d", "webhook-id": "w"})
        await send(ctx, b"1", JSON | {"webhook-id": "w"})
        assert [event.id for event in ctx.emitted] == ["d", "w"]


async def test_headers_that_are_no_text() -> None:
    """Bytes that are no UTF-8 are replaced, in headers as in ids; the event is one that can be kept."""
    async with hook() as ctx:
        assert (await send(ctx, b"1", JSON | {"x-odd": "a\udcff", "webhook-id": "\udcff"}))[0] == 202
        json.dumps(ctx.emitted[0].to_json(), ensure_ascii=False).encode()


# -- CloudEvents

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"


def envelope(**more: Any) -> dict[str, Any]:
    """Return a structured CloudEvent."""
    return {"specversion": "1.0", "id": "e1", "source": "/s", "type": "t"} | more


TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20)
EVENTS = st.fixed_dictionaries(
    {"id": TEXTS, "source": TEXTS.map(lambda text: "/" + text), "type": TEXTS},
    optional={"subject": TEXTS, "tenant": TEXTS, "time": st.datetimes(timezones=st.just(UTC))},
)
DATA = st.dictionaries(TEXTS, st.one_of(st.integers(-(2**53), 2**53), TEXTS, st.none(), st.booleans()), max_size=4)


@settings(deadline=None)
@given(attributes=EVENTS, data=DATA, structured=st.booleans())
async def test_events_of_the_cloudevents_sdk(attributes: dict[str, Any], data: Any, structured: bool) -> None:
    """What the SDK writes, structured or binary, arrives with every attribute and its data."""
    given = CloudEvent(
        attributes={**attributes, "specversion": "1.0", "datacontenttype": "application/json"}, data=data
    )
    message = (to_structured if structured else to_binary)(given, JSONFormat())
    headers = {name.lower(): value for name, value in message.headers.items()}
    async with hook(cloudevents="require") as ctx:
        status, answer = await send(ctx, message.body, headers)
        assert status == 202, answer
        (event,) = ctx.emitted
    # Surrounding white space of an id is no part of it where it comes as a header: HTTP strips it.
    assert (event.id, event.source, event.type) == (attributes["id"], attributes["source"], attributes["type"])
    assert event.data == data
    assert event.subject == attributes.get("subject", "")
    assert event.extensions.get("tenant") == attributes.get("tenant")
    assert "time" not in attributes or event.time == attributes["time"]


async def test_a_batch_does_not_multiply_its_headers() -> None:
    """Each event is kept with the headers, so many events with large ones are refused; with small ones they are not."""
    batch = json.dumps([envelope(id=str(number)) for number in range(1_000)]).encode()
    large = {f"x-{number}": "a" * 8_000 for number in range(2)}
    async with hook() as ctx:
        status, answer = await send(ctx, batch, {"content-type": BATCH} | large)
        assert (status, answer["reason"], ctx.emitted) == (413, "PAYLOAD_TOO_LARGE", [])
        assert (await send(ctx, batch, {"content-type": BATCH, "x-a": "a" * 4_000}))[0] == 202
        assert (await send(ctx, json.dumps([envelope(id="1")]).encode(), {"content-type": BATCH} | large))[0] == 202


async def test_batches() -> None:
    """Each event of a batch is one, answered in order; repeated it is DUPLICATE; an empty batch is fine."""
    events = [envelope(id="a", data=1), envelope(id="b", data_base64="AP8=", datacontenttype="image/png")]
    async with hook() as ctx:
        for outcome in ("STARTED", "DUPLICATE"):
            status, answer = await send(ctx, json.dumps(events).encode(), {"content-type": BATCH})
            assert status == 202
            assert [(one["event_id"], one["outcome"], one["run_id"]) for one in answer["events"]] == [
                ("a", outcome, "run-1"),
                ("b", outcome, "run-2"),
            ]
        assert ctx.emitted[1].data == {"base64": "AP8=", "content_type": "image/png"}
        assert await send(ctx, b"[]", {"content-type": BATCH}) == (202, {"events": []})
        assert (await send(ctx, b"{}", {"content-type": BATCH}))[0] == 400
        assert (await send(ctx, b"[1]", {"content-type": BATCH}))[0] == 400
        many = json.dumps([envelope()] * 1_001).encode()
        assert (await send(ctx, many, {"content-type": BATCH}))[0] == 413
        assert len(ctx.emitted) == 2


@pytest.mark.parametrize(
    "headers, body",
    [
        ({"content-type": STRUCTURED}, b'{"id": "1", "source": "/", "type": "t"}'),
        ({"content-type": STRUCTURED}, json.dumps(envelope(specversion="0.3")).encode()),
        ({"content-type": STRUCTURED}, json.dumps(envelope(type="")).encode()),
        ({"content-type": STRUCTURED}, json.dumps(envelope(time="now")).encode()),
        ({"content-type": STRUCTURED}, json.dumps(envelope(Big=1)).encode()),
        ({"content-type": STRUCTURED}, b"[]"),
        ({"content-type": STRUCTURED}, b"{"),
        ({"ce-specversion": "1.0", "ce-id": "1", "ce-source": "/"}, b""),
        ({"ce-specversion": "1.0", "ce-id": "%ff", "ce-source": "/", "ce-type": "t"}, b""),
        ({"ce-specversion": "1.0", "ce-id": "1", "ce-source": "/", "ce-type": "t", "ce-data": "1"}, b""),
    ],
)
async def test_events_that_are_none(headers: dict[str, str], body: bytes) -> None:
    """400, and the reason."""
    async with hook() as ctx:
        status, answer = await send(ctx, body, headers)
        assert (status, ctx.emitted) == (400, [])
        assert answer["reason"] in ("EVENT_INVALID", "PAYLOAD_INVALID")


async def test_cloudevents_may_be_required_or_left_alone() -> None:
    """Required: anything else is 415. Off: the envelope is plain data. Bytes of a binary event keep their type."""
    async with hook(cloudevents="require") as ctx:
        assert (await send(ctx))[0] == 415
    async with hook(cloudevents="off") as ctx:
        await send(ctx, json.dumps(envelope()).encode(), {"content-type": STRUCTURED})
        assert ctx.emitted[0].data == envelope()
    headers = {"ce-specversion": "1.0", "ce-id": "a%20b", "ce-source": "/", "ce-type": "t", "webhook-id": "w"}
    async with hook() as ctx:
        assert (await send(ctx, b"\x00", headers | {"content-type": "image/png"}))[0] == 202
        assert ctx.emitted[0].data == {"base64": "AA==", "content_type": "image/png"}
        assert ctx.emitted[0].id == "w"


# -- answers


async def test_an_answer_of_ones_own() -> None:
    """Status, headers and body as written: text as it is, other values as JSON, or no body at all."""
    async with hook(respond={"status": 200, "headers": {"X-A": "b"}, "body": "<Response/>"}) as ctx:
        answer = await ctx.http.request("POST", PATH)
        assert (answer.status, answer.body, answer.headers["x-a"]) == (200, b"<Response/>", "b")
    async with hook(respond={"body": {"ok": True}, "headers": {"content-type": "application/x+json"}}) as ctx:
        answer = await ctx.http.request("POST", PATH)
        assert (answer.status, answer.body, answer.headers["content-type"]) == (
            200,
            b'{"ok":true}',
            "application/x+json",
        )
    async with hook(respond={"status": 204}) as ctx:
        assert await ctx.http.request("POST", PATH) is not None
        answer = await ctx.http.request("POST", PATH)
        assert (answer.status, answer.body) == (204, b"")


RESULTS = {
    "output": (RunResult("run-1", "SUCCEEDED", {"n": 1}), 200, {"n": 1}),
    "null": (RunResult("run-1", "SUCCEEDED"), 200, None),
    "failed": (RunResult("run-1", "FAILED", None, RunFailure("STEP_FAILED", "no", "CARD")), 500, "CARD"),
    "canceled": (RunResult("run-1", "CANCELED", None, RunFailure("CANCELED")), 409, ""),
    "late run": (RunResult("run-1", "TIMED_OUT", None, RunFailure("RUN_TIMEOUT")), 504, ""),
    "held": (RunResult("run-1", "HELD"), 202, "HELD"),
}


@pytest.mark.parametrize("name", RESULTS)
async def test_the_runs_result_is_the_answer(name: str) -> None:
    """200 with the output; a run that did not succeed has a status of its own, its reason and code; else 202."""
    result, status, said = RESULTS[name]
    async with hook(respond="wait") as ctx:
        ctx.results["run-1"] = result
        answer = await ctx.http.request("POST", PATH, headers={"webhook-id": "1"})
        value = json.loads(answer.body)
        assert (answer.status, answer.headers["hostd-run-id"]) == (status, "run-1")
        assert said in (value, *([] if not isinstance(value, dict) else [value.get("code"), value.get("state")]))
        again = await ctx.http.request("POST", PATH, headers={"webhook-id": "1"})
        assert again.status == status
        assert len(ctx.emitted) == 1


async def test_the_runs_output_may_be_the_whole_answer() -> None:
    """`{status, headers, body}`; an output that is no answer is a 500 that says so."""
    async with hook(respond={"when": "wait", "output": "response"}) as ctx:
        said: Any = {"status": 404, "headers": {"X-A": "b"}, "body": "gone"}
        ctx.results["run-1"] = RunResult("run-1", "SUCCEEDED", said)
        answer = await ctx.http.request("POST", PATH, headers={"webhook-id": "1"})
        assert (answer.status, answer.headers["x-a"], answer.body) == (404, "b", b"gone")
        for odd in (None, 7, {"status": 99}, {"status": "200"}, {"headers": {"a": "b\nc"}}, {"headers": {"a b": "c"}}):
            ctx.results["run-1"] = RunResult("run-1", "SUCCEEDED", odd)
            assert (await send(ctx, b"", {"webhook-id": "1"}))[0] == 500


async def test_waits_end() -> None:
    """With the time, with the trigger's end, and at once for more than may wait: 202, and the run goes on."""
    async with hook(respond={"when": "wait", "timeout": "10s", "waiting_max": 2}) as ctx:
        late = [asyncio.ensure_future(send(ctx)) for _ in range(2)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        status, answer = await send(ctx)
        assert (status, answer["state"], answer["run_id"]) == (202, "RUNNING", "run-3")
        await ctx.clock.advance(10)
        assert [status for status, _ in await asyncio.gather(*late)] == [202, 202]
        last = asyncio.ensure_future(send(ctx))
        await asyncio.sleep(0)
    assert (await last)[0] == 202


async def test_waiting_for_what_started_nothing() -> None:
    """No match is 202, what could not be used 422; nothing is waited for."""
    async with hook(respond="wait") as ctx:
        for outcome, status in ((EmitOutcome.NO_MATCH, 202), (EmitOutcome.DEAD_LETTERED, 422)):

            async def emit(*events: Any, outcome: EmitOutcome = outcome, **_: Any) -> list[Emitted]:
                return [Emitted(events[0].id, outcome)]

            ctx.emit = emit  # type: ignore[method-assign]
            assert (await send(ctx))[0] == status


def test_the_sdk_is_an_oracle() -> None:
    """The SDK's structured form is what the tests above write by hand."""
    event = CloudEvent(attributes={"id": "e1", "source": "/s", "type": "t", "time": datetime(2026, 1, 1, tzinfo=UTC)})
    written = json.loads(to_structured(event, JSONFormat()).body)
    assert envelope().items() <= written.items()
    assert base64.b64decode("AP8=") == b"\x00\xff"
