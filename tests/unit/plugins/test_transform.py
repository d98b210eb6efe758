"""`transform.apply`: each operation, what it refuses, what it may cost; and what older systems call a transform."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hostd.errors.base import HostdError
from hostd.host.discover import find_built_in
from hostd.host.expressions import AttemptExpressions
from hostd.host.host import PluginHost
from hostd.plugin import ActionError
from hostd.plugin.testing import FakeActionContext, run_action
from hostd_builtin.transform.apply import Apply
from hostd_builtin.transform.paths import Missing, parse_path, read_path

ORDERS: list[Any] = [
    {"id": 1, "country": "de", "price": 3, "count": 2},
    {"id": 2, "country": "fr", "price": 10, "count": 1},
    {"id": 3, "country": "de", "price": 1.5, "count": 4},
]


async def apply(value: Any, *operations: dict[str, Any], **given_vars: Any) -> Any:
    """Return what operations make of a value."""
    ctx = FakeActionContext(expressions=AttemptExpressions(now_ms=0))
    return await run_action(Apply, {"input": value, "operations": list(operations), "vars": given_vars}, ctx=ctx)


async def failing(value: Any, *operations: dict[str, Any], **given_vars: Any) -> ActionError:
    """Return how operations fail."""
    with pytest.raises(ActionError) as caught:
        await apply(value, *operations, **given_vars)
    return caught.value


CASES: list[tuple[Any, dict[str, Any], Any]] = [
    ({"a": {"b": [{"n": 1}, {"n": 2}]}}, {"extract": "a.b[-1].n"}, 2),
    ({"a": [{"n": 1}, {}, {"n": 2}]}, {"extract": "a[*].n"}, [1, 2]),
    ({"a": [[{"n": 1}], [{"n": 2}]]}, {"extract": "a[*][*].n"}, [1, 2]),
    ({"odd key.x": 1, "b": 2}, {"extract": {"x": '["odd key.x"]', "y": "b"}}, {"x": 1, "y": 2}),
    ({}, {"extract": "a", "default": None}, None),
    ([1, 2], {"map": "item * 2 + index"}, [2, 5]),
    ({"a": 1}, {"map": {"x": ["item.a", 5], "y": {"z": "'t'"}}}, {"x": [1, 5], "y": {"z": "t"}}),
    ([1, 2, 3], {"filter": "item > vars.least && size(value) == 3"}, [3]),
    ({"a": 1, "b": 2}, {"filter": "item.key == 'b' || item.value == 9"}, {"b": 2}),
    (["1", " 2.0 ", True, 3.0], {"convert": "int"}, [1, 2, 1, 3]),
    ([{"p": "1.5", "q": "x"}, {"q": "y"}], {"convert": {"p": "float"}}, [{"p": 1.5, "q": "x"}, {"q": "y"}]),
    (["x", "1"], {"convert": "int", "default": 0}, [0, 1]),
    (["yes", "0", False], {"convert": "bool"}, [True, False, False]),
    ([1, {"a": 2}, None, "t"], {"convert": "string"}, ["1", '{"a":2}', "null", "t"]),
    (["{x", "[1]", "12", "1e3", "true", "text", "9" * 30], {"convert": "auto"},
     ["{x", [1], 12, 1000, True, "text", 1e30]),
    ('{"a": 1}', {"convert": "json"}, {"a": 1}),
    (5, {"convert": "list"}, [5]),
    ({"a": 1, "b": 2}, {"rename": {"a": "c"}}, {"c": 1, "b": 2}),
    ([{"a": 1, "b": 2}], {"pick": ["b", "none"]}, [{"b": 2}]),
    ({"a": 1, "b": 2}, {"drop": ["b"]}, {"a": 1}),
    ([{"a": 1}], {"set": {"b.c": "item.a + 1", "d": "item.b.c"}}, [{"a": 1, "b": {"c": 2}, "d": 2}]),
    ({"a": {"x": 1}, "b": 1}, {"merge": {"with": "{'a': {'y': 2}, 'b': 9}", "deep": True}},
     {"a": {"x": 1, "y": 2}, "b": 9}),
    ({"a": 1}, {"merge": {"with": "{'a': 2, 'b': 3}", "prefer": "item"}}, {"a": 1, "b": 3}),
    ([{"n": "Ada", "x": {"b": 1}}], {"template": "Hi {{ item.n }}, {{ item.x }} $5 {{ '}}' }}"},
     ['Hi Ada, {"b":1} $5 }}']),
    ([{"c": "de"}, {"c": "xx"}], {"lookup": {"table": "vars.names", "key": "item.c", "into": "name"}, "default": "?"},
     [{"c": "de", "name": "Germany"}, {"c": "xx", "name": "?"}]),
    (["24.12.2026 18:00"], {"parse_date": {"format": "%d.%m.%Y %H:%M", "timezone": "Europe/Berlin"}},
     ["2026-12-24T18:00:00+01:00"]),
    (0, {"parse_date": {"format": "unix"}}, "1970-01-01T00:00:00Z"),
    ("2026-12-24T18:00:00+01:00", {"format_date": {"format": "unix_ms"}}, 1798131600000),
    ("2026-12-24T18:00:00+01:00", {"format_date": {"format": "%Y-%m-%d %H:%M", "timezone": "Asia/Tokyo"}},
     "2026-12-25 02:00"),
    ({"l": [{"at": 0}]}, {"at": "l[*].at", "parse_date": {"format": "unix"}}, {"l": [{"at": "1970-01-01T00:00:00Z"}]}),
    (["a,b", "c"], {"split": ","}, [["a", "b"], ["c"]]),
    ([3, None, 1, 2], {"sort": "item"}, [1, 2, 3, None]),
    ([{"a": 1, "b": 1}, {"a": 2, "b": 9}, {"a": 1, "b": 3}],
     {"sort": [{"by": "item.a", "descending": True}, {"by": "item.b", "descending": True}]},
     [{"a": 2, "b": 9}, {"a": 1, "b": 3}, {"a": 1, "b": 1}]),
    ([{"a": 1, "b": 2}, {"b": 2, "a": 1}, {"a": 2}], {"unique": "item"}, [{"a": 1, "b": 2}, {"a": 2}]),
    ([1, [2, [3, [4]]]], {"flatten": 2}, [1, 2, 3, [4]]),
    ([1, 2, 3], {"limit": 2}, [1, 2]),
    ([1, 2, 3], {"limit": -2}, [2, 3]),
    (["a", None, 1, {"x": 1}], {"join": "-"}, 'a--1-{"x":1}'),
    ({"a": 1}, {"entries": "to"}, [{"key": "a", "value": 1}]),
    ([{"key": "a", "value": 1}], {"entries": "from"}, {"a": 1}),
    ([1, "a"], {"if": "false", "join": ""}, [1, "a"]),
    (ORDERS, {"group_by": "item.country"}, {"de": [ORDERS[0], ORDERS[2]], "fr": [ORDERS[1]]}),
    (ORDERS, {"group_by": {"by": "item.country", "figures": {"n": {"count": "true"}, "sum": {"sum": "item.price"}}}},
     [{"key": "de", "n": 2, "sum": 4.5}, {"key": "fr", "n": 1, "sum": 10}]),
    (ORDERS, {"aggregate": {"sum": {"sum": "item.price * item.count"}, "min": {"min": "item.price"},
                            "max": {"max": "item.country"}, "avg": {"avg": "item.count"},
                            "dear": {"count": "item.price > 2"}, "first": {"first": "item.id"},
                            "last": {"last": "item.id"}, "ids": {"collect": "item.id"}}},
     {"sum": 22, "min": 1.5, "max": "fr", "avg": 7 / 3, "dear": 2, "first": 1, "last": 3, "ids": [1, 2, 3]}),
    ([], {"aggregate": {"sum": {"sum": "item"}, "avg": {"avg": "item"}, "max": {"max": "item"},
                        "first": {"first": "item"}}},
     {"sum": 0, "avg": None, "max": None, "first": None}),
]  # fmt: skip


@pytest.mark.parametrize("value, operation, wanted", CASES, ids=lambda part: json.dumps(part)[:60])
async def test_operations(value: Any, operation: dict[str, Any], wanted: Any) -> None:
    """Each operation gives what its page says, and leaves what it was given as it was."""
    before = json.dumps(value)
    assert await apply(value, operation, least=2, names={"de": "Germany"}) == wanted
    assert json.dumps(value) == before


@pytest.mark.parametrize(
    "value, operation, code",
    [
        ({}, {"extract": "a.b"}, "MISSING"),
        ([1.5], {"convert": "int"}, "CONVERSION"),
        (["1" * 30], {"convert": "int"}, "CONVERSION"),
        (["maybe"], {"convert": "bool"}, "CONVERSION"),
        ({"a": 1}, {"sort": "item"}, "WRONG_KIND"),
        ([1, "a"], {"sort": "item"}, "WRONG_KIND"),
        ([1], {"filter": "item"}, "WRONG_KIND"),
        ([1], {"pick": ["a"]}, "WRONG_KIND"),
        ([{"a": [1]}], {"group_by": "item.a"}, "WRONG_KIND"),
        ([1, "1"], {"group_by": "item"}, "WRONG_KIND"),
        ([2**62, 2**62], {"aggregate": {"s": {"sum": "item"}}}, "OUT_OF_RANGE"),
        ([{"a": 1}], {"map": "item.b"}, "EXPRESSION_FAILED"),
        (["x"], {"parse_date": {}}, "DATE_INVALID"),
        (["2026-01-01"], {"parse_date": {"timezone": "Mars/Base"}}, "ZONE_UNKNOWN"),
        ([{}], {"lookup": {"table": "{'a': 1}", "key": "'b'"}}, "MISSING"),
        (list(range(200_000)), {"limit": 1}, "TOO_LARGE"),
    ],
)
async def test_what_fails_says_where(value: Any, operation: dict[str, Any], code: str) -> None:
    """A failure names the operation, is not retryable, and never guesses."""
    error = await failing(value, {"limit": 1_000_000} if code == "TOO_LARGE" else {"at": "", "map": "item"}, operation)
    assert error.code == code and not error.retryable
    assert str(error.details["operation"]).startswith("operations[")


async def test_large_lists_are_worked_on_beside_the_loop() -> None:
    """What is too much for the loop is done in a thread, with the same result."""
    found = await apply(list(range(60_000)), {"filter": "item % 2 == 0"}, {"aggregate": {"n": {"count": "true"}}})
    assert found == {"n": 30_000}


async def test_work_and_memory_are_bounded() -> None:
    """Neither long lists under costly expressions nor texts made again and again get far."""
    costly = {"map": " + ".join(["value.map(x, x + 1).size()"] * 4)}
    error = await failing(list(range(100)), *([costly] * 100))
    assert error.code == "TOO_MUCH_WORK"
    error = await failing(["x" * 30_000] * 5_000, {"map": "item + item"})
    assert error.code in ("TOO_LARGE", "TOO_MUCH_WORK")


async def test_a_cancel_stops_it() -> None:
    """The thread sees that a stop is asked for."""
    ctx = FakeActionContext(expressions=AttemptExpressions())
    ctx.cancel.set()
    with pytest.raises(ActionError, match="stopped"):
        await run_action(Apply, {"input": [1], "operations": [{"map": "item"}]}, ctx=ctx)


def test_mistakes_are_found_when_the_document_is_registered() -> None:
    """Wrong expressions, paths and unclear operations are refused before anything runs, each with its place."""
    entry = PluginHost().load(find_built_in()).actions["transform.apply"]
    operations = [
        {"map": {"x": "item.a +"}},
        {"filter": "steps.a.output > 1"},
        {"template": "a {{ item. }}"},
        {"sort": "item", "limit": 1},
        {"extract": "a..b"},
        {"set": {"a[*]": "1"}},
        {"group_by": {"by": "item", "figures": {"n": {}}}},
        {},
    ]
    with pytest.raises(HostdError) as caught:
        entry.parse({"operations": operations})
    found = " ".join(fault.path for fault in caught.value.violations)
    assert caught.value.reason == "OPTION_INVALID"
    assert all(f"operations[{place}]" in found for place in range(len(operations))), found
    assert {path for path, _ in entry.check_literals({"operations": operations}, frozenset())}


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet='ab.[]*"-01 ', max_size=12), st.recursive(
    st.none() | st.integers(-3, 3), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["a", "b", "0"]), inner, max_size=3), max_leaves=6))  # fmt: skip
def test_paths_lead_somewhere_or_nowhere(path: str, value: Any) -> None:
    """Any text is a path or none, and a path into any value gives something or Missing."""
    try:
        read_path(value, parse_path(path))
    except (ValueError, Missing):
        pass


async def test_the_transforms_of_older_systems() -> None:
    """What templates, JSONata, lists of operations and functions in code did, in operations."""
    quote = {"code": 200, "body": {"close": "61234.5", "pairs": [{"s": "BTC"}, {"s": "ETH"}, {"s": "BTC"}]}}
    # A template whose text is read as what it looks like (`{{ .step_results.fetch.close }}`, coerced).
    assert await apply(quote, {"template": "{{ item.body.close }}"}, {"convert": "auto"}) == 61234.5
    # JSONata: `$.body.close ? {...} : {...}`, `$count($distinct(pairs.s))`, `$sort`, `$map`.
    assert await apply(quote, {"map": {"ok": "has(item.body.close) ? 'yes' : 'no'"}}) == {"ok": "yes"}
    symbols = [{"extract": "body.pairs[*].s"}, {"unique": "item"}, {"sort": {"by": "item", "descending": True}}]
    assert await apply(quote, *symbols) == ["ETH", "BTC"]
    assert await apply(quote, *symbols, {"aggregate": {"n": {"count": "true"}}}, {"extract": "n"}) == 2
    # A list of extract, map (renames), filter (fields) and convert.
    old = {"data": {"user_name": "ada", "age": "36", "secret": "x"}}
    found = await apply(
        old,
        {"extract": "data"},
        {"rename": {"user_name": "name"}},
        {"pick": ["name", "age"]},
        {"convert": {"age": "int"}},
    )
    assert found == {"name": "ada", "age": 36}
    # A function over a data object: copy, enrich, sum up.
    rows = [{"id": n, "value": 10 * n} for n in range(100)]
    found = await apply(rows, {"set": {"double": "item.value * 2"}}, {"aggregate": {"sum": {"sum": "item.double"}}})
    assert found == {"sum": 99_000}
    # A decision's input: the branch's name from a table.
    assert (
        await apply({"tier": "gold"}, {"lookup": {"table": "vars.t", "key": "item.tier"}}, t={"gold": "fast"}) == "fast"
    )
