"""Evaluating over plain contexts, and a scope whose steps are made up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hostd.definition.expressions.plain import evaluate_plain
from hostd.definition.plan import BlobNeeded

NOW_MS = 1_769_860_800_000  # 2026-01-31T12:00:00Z


class MadeUpScope:
    """A scope that tells which steps were read."""

    def __init__(self, roots: dict[str, Any] | None = None, steps: dict[str, dict[str, Any]] | None = None) -> None:
        self.now_ms = NOW_MS
        self.roots = roots or {}
        self.steps = steps or {}
        self.asked: list[tuple[str, str]] = []

    def root(self, name: str) -> Any:
        if name not in self.roots:
            raise LookupError(f"`{name}` has no value here")
        return self.roots[name]

    def step(self, step_id: str, field: str) -> Any:
        self.asked.append((step_id, field))
        if step_id not in self.steps:
            raise LookupError(f"step `{step_id}` has not ended; add it to `needs`")
        value = self.steps[step_id].get(field)
        if isinstance(value, bytes):
            raise BlobNeeded(value)
        return value

    def why_null(self, step_id: str) -> str:
        return f"{step_id} was {self.steps[step_id]['state']}"

    def status(self, name: str) -> bool:
        return name in ("failed", "always")

    def seed(self, field_path: str) -> bytes:
        return field_path.encode().ljust(16, b".")[:16]


@pytest.fixture
def made_up_scope() -> type[MadeUpScope]:
    """The class of made-up scopes."""
    return MadeUpScope


@pytest.fixture
def value_of() -> Callable[..., Any]:
    """Evaluate a source over roots given by keyword."""
    return lambda source, **roots: evaluate_plain(source, roots, now_ms=NOW_MS)
