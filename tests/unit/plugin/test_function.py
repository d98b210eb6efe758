"""Functions as actions: options from parameters, results as JSON, the same in every place that takes an action."""

from __future__ import annotations

import enum
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import pytest

from hostd.errors.base import HostdError
from hostd.plugin import Action, ActionContext, ActionError, Duration, Field, Registry, action
from hostd.plugin.component import description_of
from hostd.plugin.function import ActionFunction
from hostd.plugin.guard import fault_of
from hostd.plugin.option_reading import json_schema, option_names, parse_options
from hostd.plugin.testing import FakeActionContext, run_action


class Size(enum.StrEnum):
    """How large."""

    SMALL = "small"
    LARGE = "large"


@dataclass
class Price:
    """What something costs."""

    cents: int
    at: datetime
    size: Size = Size.SMALL


@action("shop.price", effects="none", max_in_flight=3, since="1.2", codes={"NO_ARTICLE": "There is no such article."})
async def price(ctx: ActionContext, sku: str, amount: int = 1, wait: Duration = timedelta(seconds=1)) -> dict[str, Any]:
    """Return what an article costs. It asks nobody.

    Args:
        sku: The article's number,
            as the shop writes it.
        amount (int): How many.

    Raises:
        ActionError: there is no such article.
    """
    if sku == "none":
        raise ActionError("there is no such article", code="NO_ARTICLE")
    return {"sku": sku, "total": 7 * amount, "attempt": ctx.attempt, "wait_s": wait.total_seconds()}


@action("shop.weigh")
def weigh(json: dict[str, int], copy: Annotated[int, Field(ge=1, description="How often.")] = 1) -> int:
    """Add things up, in a thread."""
    return sum(json.values()) * copy


@action("shop.quote")
async def quote(size: Size = Size.LARGE) -> list[Price]:
    """Return prices."""
    return [Price(5, datetime(2026, 1, 1, tzinfo=UTC), size)]


def registered(*actions: ActionFunction[..., Any]) -> Any:
    """Return the registration of the last of some functions."""
    registry = Registry()
    for each in actions:
        registry.action(each)
    return registry.registrations[-1]


async def test_a_function_is_an_action_with_its_parameters_as_options() -> None:
    """Its options are parsed as their types say, it gets the context, and what it returns is the output."""
    output = await run_action(
        price.component, {"sku": "a-1", "amount": 3, "wait": "2m"}, ctx=FakeActionContext(attempt=2)
    )

    assert output == {"sku": "a-1", "total": 21, "attempt": 2, "wait_s": 120}


async def test_it_is_still_the_function() -> None:
    """Tests and other code call it as before, without a host."""
    assert await price(FakeActionContext(), "a-1", amount=2) == {"sku": "a-1", "total": 14, "attempt": 1, "wait_s": 1}
    assert (price.__name__, weigh({"a": 2}, copy=2)) == ("price", 4)


def test_it_says_about_itself_what_a_class_would() -> None:
    """Id, facts, where it is defined, and the first sentence of its documentation."""
    found = registered(weigh, price)
    component = found.component

    assert (found.kind, found.id, found.origin) == ("action", "shop.price", f"{__name__}:price")
    assert (component.effects, component.max_in_flight, component.since) == ("none", 3, "1.2")
    assert component.codes == {"NO_ARTICLE": "There is no such article."}
    assert (component.executors, weigh.component.executors) == (("inline", "process"), ("thread", "process"))
    assert description_of(component) == "Return what an article costs."


def test_the_schema_of_its_options_has_types_defaults_and_descriptions() -> None:
    """From annotations and the docstring; `Annotated` fields say more."""
    schema = json_schema(registered(price).options)
    assert schema["required"] == ["sku"]
    assert schema["properties"]["sku"]["description"] == "The article's number, as the shop writes it."
    assert schema["properties"]["amount"]["description"] == "How many."
    assert (schema["properties"]["amount"]["default"], schema["additionalProperties"]) == (1, False)

    schema = json_schema(registered(weigh).options)
    assert schema["properties"]["copy"] | {"title": ""} == {
        "default": 1, "minimum": 1, "type": "integer", "description": "How often.", "title": "",
    }  # fmt: skip


async def test_a_parameter_may_have_any_name() -> None:
    """Also one that a model has for itself: documents write the parameter's name."""
    assert option_names(registered(weigh).options) == ["json", "copy"]
    assert await run_action(weigh, {"json": {"a": 1, "b": 2}, "copy": 2}) == 6


def test_wrong_options_are_told_by_name() -> None:
    """All at once, in the words of every action."""
    with pytest.raises(HostdError) as caught:
        parse_options(registered(weigh).options, {"copy": 0, "jsn": {}}, owner="shop.weigh")

    assert {fault.path for fault in caught.value.violations} == {"copy", "json", "jsn"}


async def test_dataclasses_times_and_enums_leave_as_json() -> None:
    """As pydantic writes them."""
    assert await run_action(quote, {"size": "small"}) == [{"cents": 5, "at": "2026-01-01T00:00:00Z", "size": "small"}]


@pytest.mark.parametrize("hint", [dict, dict[str, Any], Any, None])
async def test_what_it_returns_is_json_whatever_it_says_it_returns(hint: Any) -> None:
    """A dataclass or a time inside a dict, a set, keys that are numbers; no annotation at all."""

    async def found():  # type: ignore[no-untyped-def]
        return {"at": datetime(2026, 1, 1, tzinfo=UTC), 7: Price(5, datetime(2026, 1, 2, tzinfo=UTC)), "of": {"a"}}

    if hint is not None:
        found.__annotations__["return"] = hint
    assert await run_action(action("shop.found")(found), {}) == {
        "at": "2026-01-01T00:00:00Z",
        "7": {"cents": 5, "at": "2026-01-02T00:00:00Z", "size": "small"},
        "of": ["a"],
    }


async def test_what_json_cannot_say_is_refused_by_name() -> None:
    """The door of the host names the type."""

    @action("shop.odd")
    async def odd() -> Any:
        return {"it": object()}

    with pytest.raises(HostdError, match="object is not a JSON value"):
        await run_action(odd, {})


async def test_a_timedelta_is_read_from_duration_text() -> None:
    """As documents write it, also where it may be left out or stands in a list."""

    @action("shop.rest")
    async def rest(
        a: timedelta,
        b: timedelta | None = None,
        c: Annotated[list[timedelta], Field()] = Field(["1h"]),  # noqa: B008
    ) -> float:
        return (a + (b or timedelta()) + sum(c, timedelta())).total_seconds()

    assert await run_action(rest, {"a": "5s", "b": "1m"}) == 3665
    with pytest.raises(HostdError, match="a duration is a text with a unit"):
        parse_options(registered(rest).options, {"a": 5}, owner="shop.rest")


async def test_a_bound_method_and_private_parameters_will_do() -> None:
    """A method is an action of its object; a parameter may begin with `_`."""

    class Shop:
        rate = 7

        async def price(self, amount: int, _more: int = 0) -> int:
            return amount * self.rate + _more

    price = action("shop.price")(Shop().price)
    assert option_names(registered(price).options) == ["amount", "_more"]
    assert await run_action(price, {"amount": 2, "_more": 1}) == 15


async def test_it_fails_as_every_action_does() -> None:
    """In its own words by ActionError; what else it raises is retryable, its traceback begins in the function."""
    with pytest.raises(ActionError) as failed:
        await run_action(price, {"sku": "none"})
    assert (fault_of(failed.value).code, fault_of(failed.value).retryable) == ("NO_ARTICLE", False)

    @action("shop.broken")
    async def broken() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no") as raised:
        await run_action(broken, {})
    fault = fault_of(raised.value.with_traceback(_within_the_action(raised.value)))
    assert (fault.reason, fault.retryable) == ("ACTION_RAISED", True)
    assert "function.py" not in fault.traceback.replace("test_function.py", "")


def _within_the_action(error: BaseException) -> Any:
    """Return the traceback as a host has it: from the action's `run` on."""
    tb = error.__traceback__
    while tb is not None and not tb.tb_frame.f_code.co_filename.endswith("hostd/plugin/function.py"):
        tb = tb.tb_next
    return tb


def _no_type(sku) -> None:  # type: ignore[no-untyped-def]
    ...


def _many(*skus: str) -> None: ...


def _others(**skus: str) -> None: ...


async def _stream(sku: str) -> AsyncIterator[str]:
    yield sku


def _unknown(sku: Missing) -> None:  # type: ignore[name-defined]  # noqa: F821
    ...


def _foreign(sku: list[threading.Lock]) -> None: ...


class _Shop:
    def price(self, sku: str) -> None: ...


@pytest.mark.parametrize(
    "function, words",
    [
        (_foreign, "the parameter sku of _foreign has a type that is not read from a document"),
        (_Shop.price, r"_Shop.price is a method; make the action where there is an object"),
        (_no_type, "has no type"),
        (_many, "options have names"),
        (_others, "options have names"),
        (_stream, "no plain function"),
        (_unknown, "cannot be read"),
        (len, "no plain function"),
    ],
)
def test_what_cannot_be_an_action_is_refused_where_it_is_written(function: Callable[..., Any], words: str) -> None:
    """With what to write instead."""
    with pytest.raises(HostdError, match=words) as caught:
        action("shop.wrong")(function)
    assert caught.value.reason == "PLUGIN_FAILED"


def test_it_needs_an_id() -> None:
    """A decorator without its parentheses would pass for one that does nothing."""
    with pytest.raises(HostdError, match="@action needs an id"):
        action(_foreign)  # type: ignore[arg-type]


def test_a_wrong_id_is_refused_when_it_is_registered() -> None:
    """By the same words as for a class."""

    @action("Price")
    async def nameless() -> None: ...

    with pytest.raises(HostdError, match="an id is <domain>.<name>"):
        registered(nameless)


def test_a_step_is_made_of_it_by_name() -> None:
    """`step` says which action, with which options, and where that was written."""
    use = price.step(sku="a-1", amount=2)

    assert (use.action, dict(use.options)) == ("shop.price", {"sku": "a-1", "amount": 2})
    assert use.place[0] == __file__
    assert issubclass(price.component, Action)
