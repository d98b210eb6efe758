"""The expression language as plugins get it: the names they allow, the budgets they share, texts with `{{ }}`."""

from __future__ import annotations

from typing import Annotated, Any

import pytest

from hostd.errors.base import HostdError
from hostd.host.expressions import OPTION_CONTEXT, AttemptExpressions
from hostd.plugin import ExpressionBudget, Field, Options, expression_of, text_of_expressions, tree_of_expressions
from hostd.plugin.option_reading import parse_options

LANGUAGE = AttemptExpressions(now_ms=1_767_225_600_000, seed=b"key")


class Sample(Options):
    """Options with every kind of expression."""

    where: Annotated[str, expression_of("item")] = Field("true", description="A condition.")
    text: Annotated[str, text_of_expressions("item")] = Field("", description="A text.")
    tree: Annotated[Any, tree_of_expressions("item")] = Field(None, description="A tree.")


def test_only_the_names_that_are_allowed_have_a_value() -> None:
    """Another name is refused when it is compiled, with those that there are."""
    assert LANGUAGE.compile("item.a + 1", "item")({"item": {"a": 1}}) == 2
    for source in ("other", "steps.a.output", "secrets.x", "item +"):
        with pytest.raises(HostdError, match="EXPRESSION_INVALID"):
            LANGUAGE.compile(source, "item")


def test_texts_are_filled_in() -> None:
    """Values are rendered, braces and quotes inside an expression are its own, and `{{` without an end is a mistake."""
    text = LANGUAGE.compile_text("{{ item }}: {{ {'a': {'b': item}} }}${{ '}}' }} }}", "item")
    assert text({"item": 1}) == '1: {"a":{"b":1}}$}} }}'
    assert LANGUAGE.compile_text("plain {x} $", "item")({}) == "plain {x} $"
    for wrong in ("{{ item", "{{ }}", "{{ other }}"):
        with pytest.raises(HostdError, match="EXPRESSION_INVALID"):
            LANGUAGE.compile_text(wrong, "item")
    with pytest.raises(HostdError, match="EXPRESSION_LIMIT"):
        LANGUAGE.compile_text("{{ item }}{{ item }}", "item")({"item": "x" * 40_000})


def test_a_budget_is_shared() -> None:
    """What is spent by one evaluation is gone for the next; one alone stays within its own bound."""
    budget, wide = ExpressionBudget(100), LANGUAGE.compile("item.map(x, x + 1).size()", "item")
    assert wide({"item": [1] * 10}, budget) == 10
    left = budget.nodes_left
    assert 0 < left < 100
    while budget.nodes_left > 50:
        wide({"item": [1] * 10}, budget)
    with pytest.raises(HostdError, match="EXPRESSION_LIMIT"):
        wide({"item": [1] * 60}, budget)
    assert budget.nodes_left <= 0
    with pytest.raises(HostdError, match="EXPRESSION_LIMIT"):
        wide({"item": [1] * 5_000}, ExpressionBudget(1_000_000))


async def test_evaluation_for_many_scopes_is_bounded() -> None:
    """Values come in order; all scopes together have a budget, and there are only so many."""
    assert await LANGUAGE.evaluate("a * 2", [{"a": 1}, {"a": 2}]) == [2, 4]
    assert await LANGUAGE.evaluate("a * 2", []) == []
    with pytest.raises(HostdError, match="EXPRESSION_LIMIT"):
        await LANGUAGE.evaluate("a.map(x, x).size()", [{"a": [1] * 400}] * 1_000)
    with pytest.raises(HostdError, match="ARGUMENT_INVALID"):
        await LANGUAGE.evaluate("1", [{}] * 1_001)


def test_time_and_chance_are_the_attempts() -> None:
    """`now()` is fixed, and another attempt of the step draws the same."""
    assert LANGUAGE.compile("now()")({}) == "2026-01-01T00:00:00Z"
    again = AttemptExpressions(now_ms=0, seed=b"key")
    assert LANGUAGE.compile("uuid()")({}) == again.compile("uuid()")({})
    assert LANGUAGE.compile("uuid()")({}) != AttemptExpressions(seed=b"other").compile("uuid()")({})


def test_options_are_checked_where_the_language_is() -> None:
    """The host refuses wrong expressions with the options; a plugin's own process takes them as text."""
    wrong = {"where": "item >", "text": "{{ nope }}", "tree": {"a": ["item.x", "item +", 5]}}
    with pytest.raises(HostdError) as caught:
        parse_options(Sample, wrong, owner="x.y", context=OPTION_CONTEXT)
    assert {fault.path for fault in caught.value.violations} == {"where", "text", "tree"}
    assert parse_options(Sample, wrong, owner="x.y").where == "item >"
