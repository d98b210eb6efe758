"""Against Google's implementation: random expressions have the same value, or fail in both.

Numbers are floats on both sides, because int and float mix here and not there; division is left to cases of its own.
"""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hostd.definition.expressions.plain import evaluate_plain
from hostd.errors.base import HostdError

cel = pytest.importorskip("cel_expr_python.cel")

CONTEXT: dict[str, Any] = {
    "n": 2.5,
    "s": "héllo",
    "e": "",
    "b": True,
    "z": None,
    "l": [1.5, -2.5, 0.25],
    "t": ["a", "héllo", ""],
    "mixed": [1.5, "a", None, True, [0.5], {"k": 1.5}],
    "m": {"k": 1.5, "s": "x", "deep": {"k": None}, "l": [0.5]},
}
FAILED = object()
ENVIRONMENT = cel.NewEnv(variables=dict.fromkeys(CONTEXT, cel.Type.DYN))

_ROOT = st.sampled_from(sorted(CONTEXT))
_NUMBERS = st.sampled_from(["0.0", "0.5", "1.5", "-2.5", "1e10", "3.25", "-0.125"])
_TEXTS = st.sampled_from(["'a'", "''", "'héllo'", '"k"', "'l\\u006c'", "r'\\n'", "'''x'''"])
_ATOMS = st.one_of(
    _ROOT, _NUMBERS, _TEXTS, st.sampled_from(["true", "false", "null", "v", "m.k", "m.deep.k", "m.no", "z.k"])
)


def _wider(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pairs = st.tuples(inner, inner)
    return st.one_of(
        st.tuples(inner, st.sampled_from("== != < <= > >= + - * && || in".split()), inner).map(
            lambda parts: f"({parts[0]} {parts[1]} {parts[2]})"
        ),
        st.tuples(inner, st.sampled_from(["&&", "||"]), inner, st.sampled_from(["&&", "||"]), inner)
        .map(" ".join)
        .map("({})".format),
        inner.map("!({})".format),
        inner.map("-({})".format),
        st.tuples(inner, inner, inner).map(lambda parts: f"({parts[0]} ? {parts[1]} : {parts[2]})"),
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]"),
        st.lists(inner, max_size=2).map(
            lambda items: "{" + ", ".join(f"'{'kl'[at]}': {item}" for at, item in enumerate(items)) + "}"
        ),
        pairs.map(
            lambda pair: f"{pair[0]}[{pair[1]}]" if pair[0][0] not in "-'\"r0123456789" else f"({pair[0]})[{pair[1]}]"
        ),
        inner.map("({}).k".format),
        inner.map("has(({}).k)".format),
        inner.map("(size({}) == 2)".format),
        st.tuples(inner, st.sampled_from(["contains", "startsWith", "endsWith"]), inner).map(
            lambda parts: f"({parts[0]}).{parts[1]}({parts[2]})"
        ),
        st.tuples(inner, st.sampled_from(["'l+'", "'^h'", "'(a|b)$'", "''"])).map(
            lambda parts: f"({parts[0]}).matches({parts[1]})"
        ),
        st.tuples(inner, st.sampled_from(["all", "exists", "exists_one", "filter", "map"]), inner).map(
            lambda parts: f"({parts[0]}).{parts[1]}(v, {parts[2]})"
        ),
        st.tuples(inner, inner, inner).map(lambda parts: f"({parts[0]}).map(v, {parts[1]}, {parts[2]})"),
        inner.map("string({})".format).filter(lambda text: "string(n" not in text),
        inner.map("double({})".format),
    )


EXPRESSIONS = st.recursive(_ATOMS, _wider, max_leaves=12)


def _theirs(source: str) -> Any:
    try:
        value = ENVIRONMENT.compile(source, disable_check=True).eval(data=CONTEXT)
    except RuntimeError:
        return FAILED
    return FAILED if value.type().name() in ("ERROR", "UNKNOWN") else _plain(value.plain_value())


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        items = [_plain(item) for item in value]
        return FAILED if FAILED in items else items
    if isinstance(value, dict):
        made = {key: _plain(item) for key, item in value.items()}
        return FAILED if FAILED in made.values() else made
    return FAILED if isinstance(value, float) and not math.isfinite(value) else value


def _ours(source: str) -> Any:
    try:
        return evaluate_plain(source, CONTEXT, now_ms=0)
    except HostdError as error:
        assert error.reason in ("EXPRESSION_FAILED", "EXPRESSION_INVALID")
        return FAILED


def _same(ours: Any, theirs: Any) -> bool:
    if isinstance(ours, bool) or isinstance(theirs, bool):
        return ours is theirs
    if isinstance(ours, list) and isinstance(theirs, list):
        return len(ours) == len(theirs) and all(map(_same, ours, theirs))
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return ours.keys() == theirs.keys() and all(_same(ours[key], theirs[key]) for key in ours)
    return bool(ours == theirs)


@settings(max_examples=600, deadline=None, suppress_health_check=list(HealthCheck))
@given(EXPRESSIONS)
def test_same_value_as_cel(source: str) -> None:
    """A random expression over floats has the value CEL gives it, and fails where CEL fails."""
    ours, theirs = _ours(source), _theirs(source)
    assert _same(ours, theirs), f"{source}: {ours!r} here, {theirs!r} there"


@pytest.mark.slow
@settings(max_examples=20_000, deadline=None, suppress_health_check=list(HealthCheck))
@given(EXPRESSIONS)
def test_same_value_as_cel_for_long(source: str) -> None:
    """The same, many times."""
    assert _same(_ours(source), _theirs(source)), source


_INTS = st.integers(-(2**63), 2**63 - 1) | st.integers(-9, 9)


@settings(max_examples=300, deadline=None)
@given(_INTS, st.sampled_from(["+", "-", "*", "%", "==", "<", ">="]), _INTS)
def test_same_int_arithmetic_as_cel(left: int, operator: str, right: int) -> None:
    """Whole numbers calculate as in CEL, overflow included."""
    source = f"{left} {operator} {right}"
    assert _same(_ours(source), _theirs(source))


@settings(max_examples=300, deadline=None)
@given(_INTS, _INTS)
def test_intdiv_is_division_of_cel(left: int, right: int) -> None:
    """intdiv is what `/` of whole numbers is in CEL."""
    assert _same(_ours(f"intdiv({left}, {right})"), _theirs(f"{left} / {right}"))


@settings(max_examples=300, deadline=None)
@given(
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["+", "-", "*", "/", "<", "=="]),
    st.floats(allow_nan=False, allow_infinity=False),
)
def test_same_float_arithmetic_as_cel(left: float, operator: str, right: float) -> None:
    """Floats calculate as in CEL, but for results that are no numbers."""
    source = f"double('{left!r}') {operator} double('{right!r}')"
    assert _same(_ours(source), _theirs(source))


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=12))
def test_text_literals_as_in_cel(text: str) -> None:
    """Every text survives being written as a literal with escapes, in both."""
    escaped = "".join(f"\\U{ord(char):08x}" for char in text)
    assert _ours(f"'{escaped}'") == _theirs(f"'{escaped}'") == text


@settings(max_examples=200, deadline=None)
@given(
    st.datetimes(timezones=st.just(__import__("datetime").UTC), min_value=__import__("datetime").datetime(1, 1, 2)),
    st.sampled_from(
        [
            "getFullYear",
            "getMonth",
            "getDate",
            "getDayOfMonth",
            "getDayOfWeek",
            "getDayOfYear",
            "getHours",
            "getMinutes",
            "getSeconds",
            "getMilliseconds",
        ]
    ),
    st.sampled_from(["", "'UTC'", "'Europe/Berlin'", "'-03:30'"]),
)
def test_calendar_as_in_cel(moment: Any, getter: str, zone: str) -> None:
    """The parts of a moment are those of CEL, in every zone."""
    source = f"timestamp('{moment.isoformat().replace('+00:00', 'Z')}').{getter}({zone})"
    assert _same(_ours(source), _theirs(source)), source
