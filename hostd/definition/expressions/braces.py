"""Texts with `{{ expression }}` in them, for plugins that fill in texts of their own: `${{ }}` is the workflow's."""

from __future__ import annotations

from typing import Any

from hostd.definition.expressions.expression import CompiledExpression, compile_node, invalid_expression, violation
from hostd.definition.expressions.leaving import text_of
from hostd.definition.expressions.lexer import tokenize
from hostd.definition.expressions.limits import MAX_RESULT_BYTES
from hostd.definition.expressions.names import Names
from hostd.definition.expressions.parser import parse
from hostd.definition.expressions.problems import Mistake, TooMuch
from hostd.definition.plan import Budget, Scope
from hostd.errors.base import HostdError, Kind

_OPEN = "{{"


class BracedText:
    """A compiled text. Values are rendered as in `${{ }}` inside text: texts as they are, the rest as JSON."""

    __slots__ = ("_parts",)

    def __init__(self, parts: list[str | CompiledExpression]) -> None:
        self._parts = parts

    def evaluate(self, scope: Scope, budget: Budget | None = None) -> str:
        """Return the text. Raises HostdError EXPRESSION_FAILED, EXPRESSION_LIMIT (past 64 KiB of values)."""
        left, rendered = MAX_RESULT_BYTES, []
        for part in self._parts:
            text = part if isinstance(part, str) else _text(part.evaluate(scope, budget), left)
            left -= 0 if isinstance(part, str) else len(text)
            rendered.append(text)
        return "".join(rendered)


def compile_braces(text: str, *, roots: frozenset[str] | None = None) -> BracedText:
    """Return the compiled form of a text. Raises HostdError EXPRESSION_INVALID.

    Args:
        roots: names that have a value; None = any name.
    """
    try:
        return BracedText(_parts(text, Names(roots)))
    except Mistake as mistake:
        raise invalid_expression([violation(mistake, text, line=0, column=0, path="")]) from None


def _parts(text: str, names: Names) -> list[str | CompiledExpression]:
    parts: list[str | CompiledExpression] = []
    at = 0
    while (start := text.find(_OPEN, at)) >= 0:
        if start > at:
            parts.append(text[at:start])
        if text.find("}}", start) < 0:
            raise Mistake(start, "`{{` is not closed", "end it with }}")
        tokens = tokenize(text, start + len(_OPEN), in_template=True)
        parts.append(compile_node(text, parse(tokens), names=names, path="", place=len(parts)))
        at = tokens[-1].end
    return [*parts, text[at:]] if at < len(text) else parts


def _text(value: Any, left: int) -> str:
    try:
        return text_of(value, left)
    except TooMuch:
        message = f"the values put into the text are longer than {MAX_RESULT_BYTES} bytes"
        raise HostdError(Kind.EXHAUSTED, "EXPRESSION_LIMIT", message) from None
