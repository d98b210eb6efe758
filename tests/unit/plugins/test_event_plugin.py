"""`event.publish` and `event.subscribe`, against the fake topics."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from hostd.plugin import PermanentFailure
from hostd.plugin.testing import FakeActionContext, FakeTriggerContext, check_plugin, run_action, running_trigger
from hostd.plugin.testing.clock import settle
from hostd_builtin import event
from hostd_builtin.event.publish import Publish
from hostd_builtin.event.selection import Selection
from hostd_builtin.event.subscribe import UNMATCHED_MAX, Subscribe


async def test_the_plugin_conforms() -> None:
    """Everything is described, refuses unknown options and accepts its own examples."""
    assert await check_plugin(event) == []


async def test_a_repeated_attempt_publishes_once() -> None:
    """The id is the step's own: the second attempt is answered with the first one's position."""
    ctx = FakeActionContext(workflow="shop", idempotency_key="step-key")
    first = await run_action(Publish, {"topic": "orders.paid", "data": {"n": 1}}, ctx=ctx)
    assert await run_action(Publish, {"topic": "orders.paid", "data": {"n": 1}}, ctx=ctx.next_attempt()) == first
    assert first == {"id": "step-key", "topic": "orders.paid", "position": 1}
    [published] = ctx.events.published
    told = published.event
    assert (told.type, told.source, told.data) == ("orders.paid", "/hostd/default/shop", {"n": 1})


@pytest.mark.parametrize(
    "options", [{"topic": "a b"}, {"topic": "orders.*"}, {"topic": "t", "extensions": {"Not-One": 1}}]
)
async def test_what_cannot_be_published_is_refused_before_it_runs(options: dict[str, Any]) -> None:
    """Options say what topics and attributes are."""
    with pytest.raises(ValidationError):
        await run_action(Publish, options)


async def test_a_subscription_emits_what_it_selects_with_its_position_as_cursor() -> None:
    """Each event keeps its envelope but the id, and says its topic and the id its publisher gave."""
    ctx = FakeTriggerContext(component="event.subscribe")
    options = {"topics": ["orders.*"], "types": ["order.*"], "match": {"customer.kind": "private"}}
    async with running_trigger(Subscribe, options, ctx=ctx):
        for number, kind in enumerate(("private", "trade", "private")):
            data = {"customer": {"kind": kind}}
            await ctx.events.publish("orders.new", ctx.event(data, id=f"e{number}", type="order.new", source="/shop"))
        await ctx.events.publish("orders.new", ctx.event({}, type="other"))
        await ctx.events.publish("bills", ctx.event({"customer": {"kind": "private"}}, type="order.new"))
        await settle()
    assert [(one.id, one.extensions) for one in ctx.emitted] == [
        ("1", {"topic": "orders.new", "publishedid": "e0"}),
        ("3", {"topic": "orders.new", "publishedid": "e2"}),
    ]
    assert ctx.cursor == 4  # it has passed the one that was not selected, too


async def test_a_subscription_goes_on_behind_its_cursor() -> None:
    """What the cursor has passed does not come again."""
    ctx = FakeTriggerContext(component="event.subscribe", cursor=2)
    for number in range(4):
        await ctx.events.publish("t", ctx.event(number, id=f"e{number}"))
    async with running_trigger(Subscribe, {"topics": ["t"]}, ctx=ctx):
        await settle()
    assert [one.data for one in ctx.emitted] == [2, 3]


async def test_much_to_catch_up_with_comes_many_at_once() -> None:
    """A thousand events need far fewer appends, and what leads nowhere moves the cursor now and then."""
    ctx = FakeTriggerContext(component="event.subscribe")
    for number in range(UNMATCHED_MAX):
        await ctx.events.publish("t", ctx.event(number, id=f"e{number}", type="a" if number < 500 else "b"))
    async with running_trigger(Subscribe, {"topics": ["t"], "types": ["a"]}, ctx=ctx):
        for _ in range(100):
            await settle()
        assert [one.data for one in ctx.emitted] == list(range(500))
        assert len(ctx.cursors) < 50
        for number in range(UNMATCHED_MAX):
            await ctx.events.publish("t", ctx.event(None, id=f"late{number}", type="b"))
        for _ in range(100):
            await settle()
    assert ctx.cursor > UNMATCHED_MAX  # type: ignore[operator]


async def test_what_the_stream_raises_steers_the_host() -> None:
    """An error of the topics arrives as it is, not in a group."""

    class Broken(FakeTriggerContext):
        async def emit(self, *events: Any, cursor: Any = None) -> Any:
            raise PermanentFailure("no more")

    ctx = Broken(component="event.subscribe")
    async with running_trigger(Subscribe, {"topics": ["t"]}, ctx=ctx) as (_, task):
        await ctx.events.publish("t", ctx.event(1))
        await settle()
        assert isinstance(task.exception(), PermanentFailure)


@pytest.mark.parametrize(
    ("match", "data", "taken"),
    [
        ({}, None, True),
        ({"a": 1}, {"a": 1.0}, True),
        ({"a": 1}, {"a": True}, False),
        ({"a": ["x", "y"]}, {"a": "y"}, True),
        ({"a": ["x", "y"]}, {"a": ["x", "y"]}, True),
        ({"a": None}, {}, True),
        ({"a.b": 1}, {"a": "text"}, False),
        ({"a": 1, "b": 2}, {"a": 1}, False),
    ],
)
def test_match_compares_fields_as_json_does(match: dict[str, Any], data: Any, taken: bool) -> None:
    """Every field must equal what is wanted, or one of a list; what is not there is null."""
    assert Selection([], [], [], match).takes(FakeTriggerContext().event(data)) is taken


def test_names_are_exact_or_prefixes() -> None:
    """A `*` at the end takes every continuation; an empty list takes all."""
    one = FakeTriggerContext().event(None, type="order.paid", source="/shop/eu", subject="o-7")
    assert Selection(["order.*"], ["/shop/*"], ["o-7"], {}).takes(one)
    assert not Selection(["order"], [], [], {}).takes(one)
    assert not Selection([], [], ["o-*", "x"][1:], {}).takes(one)
