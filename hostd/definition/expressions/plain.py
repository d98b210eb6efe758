"""Evaluating over a plain map of roots: `hostd expr EXPR --context FILE`, and tests of expressions."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from hostd.definition.expressions.expression import compile_expression
from hostd.errors.base import HostdError, Kind


class PlainScope:
    """A Scope (definition.plan) over a map of roots, with no run behind it.

    `steps` in the map is {id: {output, state, result, error, attempts}}. Without `status` in the map succeeded() holds.
    """

    __slots__ = ("_roots", "_seed", "now_ms")

    def __init__(self, roots: Mapping[str, Any], *, now_ms: int, seed: bytes = b"") -> None:
        self._roots = roots
        self._seed = seed
        self.now_ms = now_ms

    def root(self, name: str) -> Any:
        """Return a root. Raises LookupError."""
        if name in self._roots:
            return self._roots[name]
        raise LookupError(f"the context has no `{name[:80]}`")

    def step(self, step_id: str, field: str) -> Any:
        """Return a field of a step; fields that are not given are null. Raises LookupError."""
        steps = self._roots.get("steps")
        step = steps.get(step_id) if isinstance(steps, Mapping) else None
        if not isinstance(step, Mapping):
            raise LookupError(f"the context has no step `{step_id[:80]}`")
        return step.get(field)

    def why_null(self, step_id: str) -> str:
        """Return why a step's output is null."""
        state = self.step(step_id, "state")
        return f"{step_id} was {state}" if isinstance(state, str) else f"{step_id} has none in the context"

    def status(self, name: str) -> bool:
        """Return a status function's answer: that of a run in which everything succeeds."""
        return name in ("succeeded", "none_failed", "always")

    def seed(self, field_path: str) -> bytes:
        """Return 16 bytes for random functions."""
        return hashlib.blake2b(field_path.encode(), key=self._seed[:64], digest_size=16).digest()


def evaluate_plain(source: str, context: Any, *, now_ms: int, seed: bytes = b"") -> Any:
    """Return the value of an expression over a map of roots; `steps` is a plain map here.

    Raises:
        HostdError: EXPRESSION_INVALID, EXPRESSION_FAILED or EXPRESSION_LIMIT; PAYLOAD_INVALID for another context.
    """
    if not isinstance(context, dict):
        raise HostdError(Kind.INVALID, "PAYLOAD_INVALID", "the context is not a JSON object of names and their values")
    return compile_expression(source).evaluate(PlainScope(context, now_ms=now_ms, seed=seed))
