"""The fakes of the host's services hold to the same rules as the host."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from hostd.errors.base import HostdError
from hostd.plugin import ActionContext, ActionError, BlobRef, HttpAnswer, Published, TriggerContext
from hostd.plugin.testing import FakeActionContext, FakeHttp, FakeRequest, FakeTriggerContext


def _fit(action: ActionContext, trigger: TriggerContext) -> list[object]:
    return [action.kv, action.blobs, action.events, action.http, trigger.kv, trigger.events]


async def test_fakes_fit_the_protocols() -> None:
    """Both fake contexts have every part of what they stand for (mypy says whether the parts fit)."""
    assert None not in _fit(FakeActionContext(), FakeTriggerContext())


async def test_kv_counts_versions_and_expires_by_the_fake_clock() -> None:
    """A change made upon an old version is refused, a value is gone after its ttl, and a sum needs a whole number."""
    ctx = FakeActionContext()
    assert (await ctx.kv.put("a", 1)).version == 1
    assert (await ctx.kv.add("a", 4, ttl=timedelta(seconds=5))).value == 5
    with pytest.raises(HostdError, match="KV_CONFLICT"):
        await ctx.kv.put("a", 9, expected_version=1)
    await ctx.clock.advance(5)
    assert await ctx.kv.get("a") is None and (await ctx.kv.list()) == []
    await ctx.kv.put("a", "text", expected_version=0)
    with pytest.raises(HostdError, match="KV_NOT_A_NUMBER"):
        await ctx.kv.add("a")
    assert await ctx.kv.delete("a") and not await ctx.kv.delete("a")
    for key in ("", "x" * 513, "a\0"):
        with pytest.raises(HostdError, match="KV_KEY_INVALID"):
            await ctx.kv.put(key, 1)


async def test_blobs_are_named_by_what_they_hold() -> None:
    """Bytes and a stream of the same bytes have one digest; a reference travels as JSON."""

    async def stream() -> AsyncIterator[bytes]:
        yield b"ab"
        yield b"c"

    ctx = FakeActionContext()
    ref = await ctx.blobs.put(b"abc", content_type="text/plain")
    assert (await ctx.blobs.put(stream(), content_type="text/plain")) == ref
    assert BlobRef.from_json(ref.to_json()) == ref and await ctx.blobs.get(ref) == b"abc"
    with pytest.raises(HostdError, match="BLOB_MISSING"):
        await ctx.blobs.get("0" * 64)


async def test_subscribers_see_topics_in_order_and_a_repeated_id_once() -> None:
    """A subscription to a prefix sees what is published to it, old and new, and nothing else."""
    ctx = FakeTriggerContext()
    first = ctx.event({"n": 1}, id="one")
    assert await ctx.events.publish("orders.new", first, first) == [1, 1]
    seen: list[Published] = []

    async def watch() -> None:
        async for published in ctx.events.subscribe(["orders.*"], after=0):
            seen.append(published)

    task = asyncio.create_task(watch())
    await ctx.clock.advance(0)
    await ctx.events.publish("bills", ctx.event(None, id="two"))
    await ctx.events.publish("orders.paid", ctx.event(None, id="three"))
    await ctx.clock.advance(0)
    task.cancel()
    assert [(one.position, one.topic) for one in seen] == [(1, "orders.new"), (3, "orders.paid")]
    with pytest.raises(HostdError, match="TOPIC_INVALID"):
        await ctx.events.publish("orders.*", first)


async def test_http_answers_as_the_test_says() -> None:
    """Requests are kept; without an answer each fails as the network does."""

    def answer(request: FakeRequest) -> HttpAnswer:
        return HttpAnswer(200, {}, request.body)

    ctx = FakeActionContext(http=FakeHttp(answer))
    assert (await ctx.http.request("POST", "http://x/", body=b"[1]")).json() == [1]
    with pytest.raises(ActionError):
        await FakeHttp().request("GET", "http://x/")
