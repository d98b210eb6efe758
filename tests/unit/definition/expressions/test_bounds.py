"""Attacks: every one ends soon, small, and with a reason."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

from hostd.definition.expressions.expression import compile_expression
from hostd.definition.expressions.plain import PlainScope
from hostd.definition.plan import Budget
from hostd.errors.base import HostdError

BIG_TEXT = "x" * 1_000_000
BIG_LIST = list(range(200_000))

LIMITED = [
    "range(100000000)",
    "range(0, 9223372036854775807, 1)",
    "'x'.repeat(1000000000)",
    "'x'.repeat(100000).replace('x', 'y'.repeat(100000))",
    "'x'.repeat(10000).split('').map(c, 'y'.repeat(10000)).join()",
    "range(100).map(a, range(100).map(b, range(100).map(c, a * b * c)))",
    "range(1900).exists(a, range(1900).exists(b, false))",
    "[[0]]" + ".map(x, x + x)" * 60 + ".flatten()",
    "['x'.repeat(100)]" + ".map(x, x + x)" * 40,
    "[[1]]" + ".map(x, [x, x])" * 40,
    "json.format([1]" + ".map(x, [x, x])" * 40 + ")",
    "[[1]]" + ".map(x, [x, x])" * 40 + " == [[1]]" + ".map(x, [x, x])" * 40,
    "string([[1]]" + ".map(x, [x, x])" * 30 + ")",
    "big.text.replace('', big.text)",
    "big.text.split('')",
    "big.text + big.text",
    "big.text.upper()",
    "big.list.sort()",
    "big.list + big.list",
    "big.list.distinct()",
    "sum(big.list)",
    "1.5 in big.list",
    "big.list == big.list.map(x, x)",
    "big.text.matches('(x+x+)+y')",
    "big.text.matches('[a-x]{200}y')",
    "big.text.substring(0, 90000).matches('([ax]{1}|[ax]{2}|[ax]{30}|[ax]{40}|[ax]{50}|[ax]{60}|[ax]{70})*y')",
    "range(300).exists(i, 'a'.matches('(a?){1000}' + string(i)))",
    "range(300).exists(i, 'a'.matches('[\\\\pL]{200}' + string(i)))",
    "regex.extractAll(big.text, 'x')",
    "json.parse('[' + '1,'.repeat(300000) + '1]')",
    "'%s'.format([range(60000)])",
    "base64.encode(big.text)",
]


@pytest.mark.parametrize("source", LIMITED)
def test_bomb_is_defused(source: str) -> None:
    """A bomb ends as EXPRESSION_LIMIT with little memory and time spent."""
    expression = compile_expression(source)
    scope = PlainScope({"big": {"text": BIG_TEXT, "list": BIG_LIST}}, now_ms=0)
    tracemalloc.start()
    begun = time.process_time()
    with pytest.raises(HostdError) as caught:
        expression.evaluate(scope)
    spent_s, peak = time.process_time() - begun, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert caught.value.reason == "EXPRESSION_LIMIT"
    assert peak < 16_000_000
    assert spent_s < 5  # generous: a bomb that went off would run for hours


REFUSED = [
    "(" * 1000 + "1" + ")" * 1000,
    "[" * 1000 + "]" * 1000,
    "-(" * 500 + "1" + ")" * 500,
    "!" * 5000 + "true",
    "a" + ".b" * 5000,
    "a" + "[0]" * 5000,
    "1" + "+1" * 5000,
    "true" + "?true:true" * 1000,
    "[" + "1," * 5000 + "1]",
    "a" * 20_000,
    "'" + "a" * 20_000 + "'",
    "'a'.matches('" + "a" * 2_000 + "')",
    "{" * 500,
    "has(" * 500,
]


@pytest.mark.parametrize("source", REFUSED)
def test_deep_or_long_sources_are_refused(source: str) -> None:
    """Depth and length are bounded before anything is evaluated."""
    with pytest.raises(HostdError) as caught:
        compile_expression(source)
    assert caught.value.reason == "EXPRESSION_INVALID"


def test_long_sums_are_fine(value_of: Callable[..., Any]) -> None:
    """Two hundred terms, or clauses, are not deep."""
    assert value_of("1" + " + 1" * 199) == 200
    assert value_of("false" + " || false" * 500 + " || true") is True


@pytest.mark.parametrize(
    "name", ["__class__", "__dict__", "__init__", "format", "keys", "items", "ns", "real", "append"]
)
@pytest.mark.parametrize("value", ["'a'", "1", "1.5", "true", "[1]", "{'a': 1}", "null", "now()", "duration('1s')"])
def test_no_attribute_of_an_object_is_reachable(value_of: Callable[..., Any], value: str, name: str) -> None:
    """Members are keys of maps, nothing else, whatever the value is in Python."""
    for source in (f"{value}.{name}", f"{value}['{name}']", f"({value})[v.name]"):
        with pytest.raises(HostdError) as caught:
            value_of(source, v={"name": name})
        assert caught.value.reason == "EXPRESSION_FAILED"
    assert (
        value_of(f"default({value}.{name}, 'nothing')" if value in ("null", "{'a': 1}") else "'nothing'") == "nothing"
    )


def test_decision_budget_is_shared() -> None:
    """All expressions of a decision spend one budget, also those that fail."""
    budget, scope = Budget(100), PlainScope({"input": [0] * 20}, now_ms=0)
    expression = compile_expression("input.map(x, x + 1)")
    expression.evaluate(scope, budget)
    assert budget.nodes_left < 50
    with pytest.raises(HostdError, match="EXPRESSION_LIMIT"):
        expression.evaluate(scope, budget)
    assert budget.nodes_left == 0


def test_errors_of_limits_are_not_absorbed(value_of: Callable[..., Any]) -> None:
    """`||` and default() absorb failures, never a spent budget."""
    for source in ("range(99999999) == [] || true", "default(range(99999999), 1)"):
        with pytest.raises(HostdError, match="EXPRESSION_LIMIT"):
            value_of(source)


def test_result_is_bounded(value_of: Callable[..., Any]) -> None:
    """A result that an expression makes is at most 64 KiB."""
    assert len(value_of("'x'.repeat(65536)")) == 65_536
    with pytest.raises(HostdError, match="larger than 65536 bytes"):
        value_of("'x'.repeat(65537)")
    with pytest.raises(HostdError, match="larger than 65536 bytes"):
        value_of("'é'.repeat(40000)")
