"""Expressions as objects: what they write is what they would mean in Python."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hostd.definition.expressions.plain import evaluate_plain
from hostd.embedding import Expr, either, expr, fn, is_in
from hostd.embedding.expressions import text_of

INPUT = Expr("input", simple=True)


def value(expression: Any, **roots: Any) -> Any:
    """Return what an expression evaluates to."""
    return evaluate_plain(text_of(expression), roots, now_ms=0, seed=b"0" * 16)


@pytest.mark.parametrize(
    "made, text",
    [
        (INPUT.name, "input.name"),
        (INPUT["first-name"][0], 'input["first-name"][0]'),
        (INPUT.name.startsWith("a"), 'input.name.startsWith("a")'),
        (fn.default(INPUT.n, 0), "default(input.n, 0)"),
        ((INPUT.n + 1) * 2, "(input.n + 1) * 2"),
        (2 - INPUT.n, "2 - input.n"),
        (-INPUT.n, "-input.n"),
        (INPUT.n - -1, "input.n - (-1)"),
        (~(INPUT.a & (INPUT.b | True)), "!(input.a && (input.b || true))"),
        (either(INPUT.n > 3, "many", None), '(input.n > 3) ? "many" : null'),
        (is_in(INPUT.n, [1, 2.5]), "input.n in [1, 2.5]"),
        (expr("input.list.map(x, x + 1)")[0], "(input.list.map(x, x + 1))[0]"),
        (INPUT.x == {"a": [INPUT.y, 'é\n"']}, 'input.x == {"a": [input.y, "é\\n\\""]}'),
    ],
)
def test_an_expression_writes_text(made: Expr, text: str) -> None:
    """Parentheses where they are needed; literals as the language writes them."""
    assert text_of(made) == text
    assert str(made) == f"${{{{ {text} }}}}"
    assert f"x {made}" == f"x ${{{{ {text} }}}}"


NUMBERS = st.integers(-50, 50)
ARITHMETIC: list[Callable[[Any, Any], Any]] = [operator.add, operator.sub, operator.mul]
COMPARISONS: list[Callable[[Any, Any], Any]] = [
    operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne,
]  # fmt: skip


class Both:
    """The same calculation by Python and by an expression."""

    def __init__(self, plain: Any, made: Any) -> None:
        self.plain = plain
        self.made = made


@st.composite
def sums(draw: Any, depth: int = 3) -> Both:
    """Return a number, or a calculation of some."""
    if depth == 0 or draw(st.booleans()):
        number = draw(NUMBERS)
        return Both(number, draw(st.sampled_from([number, Expr(f"input.n{number}".replace("-", "m"), simple=True)])))
    left, right = draw(sums(depth=depth - 1)), draw(sums(depth=depth - 1))
    apply = draw(st.sampled_from(ARITHMETIC))
    return Both(apply(left.plain, right.plain), apply(left.made, right.made))


@st.composite
def comparisons(draw: Any, depth: int = 2) -> Both:
    """Return a comparison, or several joined."""
    if depth == 0 or draw(st.booleans()):
        compare = draw(st.sampled_from(COMPARISONS))
        left, right = draw(sums()), draw(sums())
        made = left.made if isinstance(left.made, Expr) else expr(text_of(left.made))
        return Both(compare(left.plain, right.plain), compare(made, right.made))
    left, right = draw(comparisons(depth=depth - 1)), draw(comparisons(depth=depth - 1))
    kind = draw(st.sampled_from(["and", "or", "not", "either"]))
    if kind == "and":
        return Both(left.plain and right.plain, left.made & right.made)
    if kind == "or":
        return Both(left.plain or right.plain, left.made | right.made)
    if kind == "not":
        return Both(not left.plain, ~left.made)
    return Both(left.plain if right.plain else right.plain, either(right.made, left.made, right.made))


@given(comparisons())
@settings(max_examples=100, deadline=None)
def test_operators_mean_what_they_mean_in_python(both: Both) -> None:
    """Whatever is joined with whatever: nothing binds tighter in the text than it did in Python."""
    roots = {f"n{number}".replace("-", "m"): number for number in range(-50, 51)}
    assert value(both.made, input=roots) == both.plain


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
PLAIN = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | TEXTS
PLAIN |= st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3), max_leaves=6
)


@given(VALUES)
@settings(max_examples=100, deadline=None)
def test_values_of_json_are_literals(plain: Any) -> None:
    """Any value compares equal to itself read from the input."""
    assert value(INPUT.value == plain, input={"value": plain}) is True


def test_what_python_would_answer_at_once_is_refused() -> None:
    """With what to write instead: and, or, not, if, in, loops have no value before the workflow runs."""
    test = INPUT.n > 1
    with pytest.raises(TypeError, match="write `&`, `|`"):
        bool(test and test)
    with pytest.raises(TypeError, match="is_in"):
        1 in INPUT.list  # noqa: B015
    with pytest.raises(TypeError, match="cannot be gone through"):
        list(INPUT.list)
    with pytest.raises(TypeError, match="cannot format it"):
        f"{INPUT.n:>5}"
    with pytest.raises(TypeError, match="object cannot stand in an expression"):
        INPUT.n == object()  # noqa: B015
    with pytest.raises(ValueError, match="no number of a document"):
        INPUT.n + float("nan")
    with pytest.raises(ValueError, match="no number of a document"):
        INPUT.n + 2**63
