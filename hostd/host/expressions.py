"""The expression language as attempts are given it (`ctx.expressions`), and as options are checked with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

from hostd.definition.expressions.braces import BracedText, compile_braces
from hostd.definition.expressions.expression import CompiledExpression, compile_expression
from hostd.definition.expressions.plain import PlainScope
from hostd.definition.plan import Budget
from hostd.errors.base import invalid
from hostd.plugin.expressions import CONTEXT_KEY, EVALUATE_NODES_MAX, EVALUATE_SCOPES_MAX, ExpressionBudget
from hostd.values.json_text import JsonValue

_KEPT = 1_024  # compiled sources: an attempt compiles what its registration compiled


class BoundExpression:
    """An Expression of hostd.plugin, of one attempt."""

    __slots__ = ("_compiled", "_now_ms", "_seed")

    def __init__(self, compiled: CompiledExpression | BracedText, now_ms: int, seed: bytes) -> None:
        self._compiled = compiled
        self._now_ms = now_ms
        self._seed = seed

    def __call__(self, scope: Mapping[str, JsonValue], budget: ExpressionBudget | None = None) -> JsonValue:
        """Return the value. Raises HostdError EXPRESSION_FAILED, EXPRESSION_LIMIT."""
        allowed = None
        if budget is not None:
            allowed = Budget(budget.nodes_left)
        try:
            value: JsonValue = self._compiled.evaluate(PlainScope(scope, now_ms=self._now_ms, seed=self._seed), allowed)
        finally:
            if budget is not None and allowed is not None:
                budget.nodes_left = allowed.nodes_left
        return value


class AttemptExpressions:
    """An Expressions of hostd.plugin. `now()` is fixed, random values depend on the seed and the place only."""

    __slots__ = ("_now_ms", "_seed")

    def __init__(self, *, now_ms: int = 0, seed: bytes = b"") -> None:
        self._now_ms = now_ms
        self._seed = seed

    def compile(self, source: str, *names: str) -> BoundExpression:
        """Return a compiled expression. Raises HostdError EXPRESSION_INVALID."""
        return BoundExpression(_expression(source, names), self._now_ms, self._seed)

    def compile_text(self, text: str, *names: str) -> BoundExpression:
        """Return a compiled text with `{{ }}`. Raises HostdError EXPRESSION_INVALID."""
        return BoundExpression(_text(text, names), self._now_ms, self._seed)

    async def evaluate(self, source: str, scopes: Sequence[Mapping[str, JsonValue]]) -> list[JsonValue]:
        """Return a value for each scope. Raises HostdError EXPRESSION_INVALID, EXPRESSION_FAILED, EXPRESSION_LIMIT."""
        if len(scopes) > EVALUATE_SCOPES_MAX:
            raise invalid("ARGUMENT_INVALID", f"an expression is evaluated for at most {EVALUATE_SCOPES_MAX} scopes")
        if not scopes:
            return []
        names = sorted(set().union(*scopes))
        compiled, budget = self.compile(source, *names), ExpressionBudget(EVALUATE_NODES_MAX)
        return [compiled(scope, budget) for scope in scopes]


@lru_cache(maxsize=_KEPT)
def _expression(source: str, names: tuple[str, ...]) -> CompiledExpression:
    return compile_expression(source, roots=frozenset(names))


@lru_cache(maxsize=_KEPT)
def _text(text: str, names: tuple[str, ...]) -> BracedText:
    return compile_braces(text, roots=frozenset(names))


OPTION_CONTEXT: Mapping[str, AttemptExpressions] = {CONTEXT_KEY: AttemptExpressions()}
"""What options are validated with, so that those that hold expressions are checked."""
