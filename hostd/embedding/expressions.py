"""Expressions as Python objects: `wf.input.name`, `fetch.output.status == 200`, `fn.default(x, 0)`.

They only write text: `str(wf.input.name)` is `${{ input.name }}`, and that is what stands in the document.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, NoReturn

_INT = 2**63
_WORDS = "write `&`, `|` and `~` instead of and, or and not, and either(test, this, that) instead of if"


class Expr:
    """An expression of hostd's language. Reading, indexing, calling and the operators of Python make new ones.

    `&`, `|` and `~` stand for `&&`, `||` and `!`: Python lets nobody else have a say in `and`, `or` and `not`. A key
    that Python cannot write is indexed: `wf.input["first-name"]`.
    """

    __slots__ = ("_simple", "_text")

    def __init__(self, text: str, *, simple: bool = False) -> None:
        """Take an expression without `${{ }}`.

        Args:
            simple: it binds tighter than any operator, and needs no parentheses.
        """
        self._text = text
        self._simple = simple

    def __str__(self) -> str:
        return "${{ " + self._text + " }}"

    def __repr__(self) -> str:
        return f"expr({self._text!r})"

    def __format__(self, form: str) -> str:
        if form:
            raise TypeError(f"an expression is written into text as it is; {form!r} cannot format it")
        return str(self)

    def __getattr__(self, name: str) -> Expr:
        if name.startswith("__"):
            raise AttributeError(name)
        return Expr(f"{_tight(self)}.{name}", simple=True)

    def __getitem__(self, key: Any) -> Expr:
        return Expr(f"{_tight(self)}[{text_of(key)}]", simple=True)

    def __call__(self, *arguments: Any) -> Expr:
        """Call a function of the language: `wf.input.name.startsWith("a")`."""
        return Expr(f"{self._text}({', '.join(map(text_of, arguments))})", simple=True)

    def _with(self, sign: str, other: Any, *, turned: bool = False) -> Expr:
        left, right = (other, self) if turned else (self, other)
        return Expr(f"{_tight(left)} {sign} {_tight(right)}")

    def __eq__(self, other: object) -> Expr:  # type: ignore[override]
        return self._with("==", other)

    def __ne__(self, other: object) -> Expr:  # type: ignore[override]
        return self._with("!=", other)

    __hash__ = None  # type: ignore[assignment]

    def __lt__(self, other: Any) -> Expr:
        return self._with("<", other)

    def __le__(self, other: Any) -> Expr:
        return self._with("<=", other)

    def __gt__(self, other: Any) -> Expr:
        return self._with(">", other)

    def __ge__(self, other: Any) -> Expr:
        return self._with(">=", other)

    def __and__(self, other: Any) -> Expr:
        return self._with("&&", other)

    def __rand__(self, other: Any) -> Expr:
        return self._with("&&", other, turned=True)

    def __or__(self, other: Any) -> Expr:
        return self._with("||", other)

    def __ror__(self, other: Any) -> Expr:
        return self._with("||", other, turned=True)

    def __invert__(self) -> Expr:
        return Expr(f"!{_tight(self)}", simple=False)

    def __neg__(self) -> Expr:
        return Expr(f"-{_tight(self)}", simple=False)

    def __add__(self, other: Any) -> Expr:
        return self._with("+", other)

    def __radd__(self, other: Any) -> Expr:
        return self._with("+", other, turned=True)

    def __sub__(self, other: Any) -> Expr:
        return self._with("-", other)

    def __rsub__(self, other: Any) -> Expr:
        return self._with("-", other, turned=True)

    def __mul__(self, other: Any) -> Expr:
        return self._with("*", other)

    def __rmul__(self, other: Any) -> Expr:
        return self._with("*", other, turned=True)

    def __truediv__(self, other: Any) -> Expr:
        return self._with("/", other)

    def __rtruediv__(self, other: Any) -> Expr:
        return self._with("/", other, turned=True)

    def __mod__(self, other: Any) -> Expr:
        return self._with("%", other)

    def __rmod__(self, other: Any) -> Expr:
        return self._with("%", other, turned=True)

    def __bool__(self) -> NoReturn:
        raise TypeError(f"{self!r} has no value before the workflow runs: {_WORDS}")

    def __iter__(self) -> NoReturn:
        raise TypeError(f"{self!r} has no value before the workflow runs: it cannot be gone through here")

    def __contains__(self, item: object) -> NoReturn:
        raise TypeError("`in` has an answer at once in Python; write is_in(item, these)")


class Functions:
    """The functions of the language, as attributes: `fn.default(x, 0)`, `fn.size(wf.input.items)`."""

    def __getattr__(self, name: str) -> Expr:
        if name.startswith("__"):
            raise AttributeError(name)
        return Expr(name, simple=True)


fn = Functions()


def expr(text: str) -> Expr:
    """Return an expression from its text: `expr("steps.fetch.output.items.filter(x, x.price > 3)")`."""
    return Expr(text)


def either(test: Any, this: Any, that: Any) -> Expr:
    """Return `test ? this : that`."""
    return Expr(f"{_tight(test)} ? {_tight(this)} : {_tight(that)}")


def is_in(item: Any, these: Any) -> Expr:
    """Return `item in these`."""
    return Expr(f"{_tight(item)} in {_tight(these)}")


def _tight(value: Any) -> str:
    """Return a value's text as an operand."""
    text = text_of(value)
    if isinstance(value, Expr) and not value._simple:
        return f"({text})"
    return f"({text})" if text.startswith("-") else text


def text_of(value: Any) -> str:
    """Return a value as it stands in an expression: an expression's own text, a literal for JSON's types.

    Raises:
        TypeError: no literal says it.
        ValueError: a number that no document holds.
    """
    if isinstance(value, Expr):
        return value._text
    if value is None or isinstance(value, bool | str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, int | float):
        if not (math.isfinite(value) and (isinstance(value, float) or -_INT <= value < _INT)):
            raise ValueError(f"{value!r:.40} is no number of a document: it is not finite, or not within 64 bits")
        return repr(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(text_of, value))}]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{text_of(key)}: {text_of(item)}" for key, item in value.items()) + "}"
    raise TypeError(f"{type(value).__name__} cannot stand in an expression; JSON's types and other expressions can")
