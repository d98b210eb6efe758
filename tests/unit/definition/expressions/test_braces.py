"""Texts with `{{ }}`: what stands between, and what a mistake says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostd.definition.expressions.braces import compile_braces
from hostd.definition.expressions.plain import PlainScope
from hostd.errors.base import HostdError

SCOPE = PlainScope({"x": {"a": [1, None, "t"]}}, now_ms=0)


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("", ""),
        ("{ } }} $", "{ } }} $"),
        ("{{ x.a[0] }}", "1"),
        ("a {{x.a[1]}} b {{ x.a[2] }} c", "a null b t c"),
        ("{{ {'k': {'n': x.a}} }}", '{"k":{"n":[1,null,"t"]}}'),
        ("{{ '}}' + '{{' }}", "}}{{"),
        ("${{ x.a[0] }}", "$1"),
    ],
)
def test_texts_are_filled_in(text: str, filled: str) -> None:
    """Braces and quotes inside an expression are its own; everything outside stays as it is."""
    assert compile_braces(text, roots=frozenset({"x"})).evaluate(SCOPE) == filled


@pytest.mark.parametrize("text", ["a {{ x", "a {{ }}", "a {{ y }}", "a {{ x + }} b"])
def test_mistakes_have_their_place(text: str) -> None:
    """The character is counted in the whole text."""
    with pytest.raises(HostdError, match="EXPRESSION_INVALID") as caught:
        compile_braces(text, roots=frozenset({"x"}))
    assert caught.value.violations[0].column >= 3


@given(st.text(alphabet="{} x$'\"a", max_size=30))
def test_any_text_compiles_or_is_refused(text: str) -> None:
    """No text is an accident; one without `{{` is itself."""
    refused, filled = "", None
    try:
        filled = compile_braces(text, roots=frozenset({"x"})).evaluate(SCOPE)
    except HostdError as error:
        refused = error.reason
    assert refused in ("", "EXPRESSION_INVALID", "EXPRESSION_FAILED")
    assert "{{" in text or filled == text
