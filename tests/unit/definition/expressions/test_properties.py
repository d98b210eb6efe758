"""Whatever is written, compiling and evaluating end with a value of JSON or an error of hostd."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hostd.definition.expressions.expression import compile_expression
from hostd.definition.expressions.functions.catalogue import FUNCTIONS
from hostd.definition.expressions.plain import PlainScope, evaluate_plain
from hostd.definition.expressions.template import compile_template
from hostd.definition.expressions.times import parse_duration, parse_timestamp
from hostd.definition.plan import Budget
from hostd.errors.base import HostdError
from hostd.values.json_text import dump_json, normalize, parse_json

CONTEXT: dict[str, Any] = {"a": 1, "b": [1, "x", None, 2.5], "c": {"k": {"d": True}}, "steps": {}}
REASONS = ("EXPRESSION_INVALID", "EXPRESSION_FAILED", "EXPRESSION_LIMIT")

_WORDS = re.split(
    r"\s+",
    r"""a b c steps secrets k d true false null in x . , ( ) [ ] { } : ? && || ! + - * / % == < 1 -1 2.5 1e300 't' "u"
    r'\d' '2026-01-31T12:00:00Z' '1h' 'Europe/Berlin' 9223372036854775807 -0.0""",
)
SOUP = st.lists(st.sampled_from([*FUNCTIONS, *_WORDS]), max_size=25).map(" ".join)
_VALUES = st.sampled_from(
    re.split(
        r"\s+",
        r"""a b c c.k null true 1 -1 0 2.5 1e300 9223372036854775807 '' 'x' '1h' '%s%d' [] [1,2] ['a','b'] [[1],[2]] {}
    {'k':1} now() timestamp('2026-01-31T12:00:00Z') duration('90s') '(a' 'Mars/X' '\U0001F600'""",
    )
)
CALLS = st.recursive(
    _VALUES,
    lambda inner: st.builds(
        lambda name, args: f"{name}({', '.join(args)})", st.sampled_from(sorted(FUNCTIONS)), st.lists(inner, max_size=4)
    ),
    max_leaves=8,
)


def _evaluate(source: str) -> Any:
    try:
        return evaluate_plain(source, CONTEXT, now_ms=1_769_860_800_000)
    except HostdError as error:
        assert error.reason in REASONS, error  # noqa: PT017
        return None


@settings(max_examples=1_500, deadline=None, suppress_health_check=list(HealthCheck))
@given(SOUP | CALLS | st.text(max_size=40))
def test_nothing_but_values_and_named_errors(source: str) -> None:
    """No source makes anything but a value under the number rule, or an error with a reason of its own."""
    value = _evaluate(source)
    assert normalize(value) == value
    assert parse_json(dump_json(value)) == value


@settings(max_examples=500, deadline=None)
@given(
    st.lists(
        st.sampled_from(["${{", "}}", "$", "$${{", " a ", "'", "{", "}", "b[0]", "//", "\n", "x", "secrets.k"]),
        max_size=12,
    ).map("".join)
)
def test_templates_of_any_text(text: str) -> None:
    """Any text compiles and renders, or is refused with a place."""
    try:
        template = compile_template({"f": text}, roots=frozenset({"a", "b", "secrets"}))
    except HostdError as error:
        assert all(fault.path == "f" and fault.column for fault in error.violations)  # noqa: PT017
        return
    if "${{" not in text:
        assert template.literal
        assert template.render(PlainScope(CONTEXT, now_ms=0)) == {"f": text}


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(CALLS, st.integers(0, 200))
def test_budget_never_grows_and_never_goes_below_zero(source: str, nodes: int) -> None:
    """An evaluation only spends, at most what there is."""
    budget = Budget(nodes)
    try:
        compile_expression(source).evaluate(PlainScope(CONTEXT, now_ms=0), budget)
    except HostdError as error:
        assert error.reason in REASONS  # noqa: PT017
    assert 0 <= budget.nodes_left <= nodes


@given(st.integers(-(2**62), 2**62))
def test_durations_read_back(ns: int) -> None:
    """The text of a duration is the duration."""
    duration = parse_duration(f"{'-' if ns < 0 else ''}{abs(ns)}ns") if abs(ns) < 2**62 else parse_duration("1h")
    assert parse_duration(str(duration)) == duration


@given(st.datetimes(), st.integers(0, 999_999_999))
def test_timestamps_read_back(moment: Any, ns: int) -> None:
    """The text of a timestamp is the timestamp, to the nanosecond."""
    stamp = parse_timestamp(f"{moment.replace(microsecond=0).isoformat()}.{ns:09d}Z")
    assert parse_timestamp(str(stamp)) == stamp
    assert stamp.ns % 1_000_000_000 == ns
