"""Tiny plans for tests, without documents: expressions are Python text over a scope, templates are trees with `=text`.

In both texts: `succeeded() failed() none_failed() always() canceled()`, `output('a') state('a') result('a') error('a')
attempts('a')`, `root('input')`, `now()`, `seed('path')`, and Python's own operators.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from hostd.definition.plan import Plan, RetryPlan, StepKind, StepPlan
from hostd.errors.base import invalid

_STATUS = ("succeeded", "failed", "none_failed", "always", "canceled")
_FIELDS = ("output", "state", "result", "error", "attempts")
_KINDS = {
    "flow.wait": StepKind.WAIT,
    "flow.pass": StepKind.PASS,
    "flow.fail": StepKind.FAIL,
    "flow.end": StepKind.END,
}


class Formula:
    """An Expression: one line of Python over what a scope gives."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.uses_status = frozenset(name for name in _STATUS if re.search(rf"\b{name}\(\)", source))
        self.reads_steps: frozenset[str] = frozenset()
        self.reads_roots: frozenset[str] = frozenset()
        self._code = compile(source, "<formula>", "eval")

    def evaluate(self, scope: Any, budget: Any = None) -> Any:
        """Return the value; what is missing is EXPRESSION_FAILED naming the formula, as with real expressions."""
        names: dict[str, Any] = {name: lambda name=name: scope.status(name) for name in _STATUS}
        names |= {field: lambda step, field=field: scope.step(step, field) for field in _FIELDS}
        names |= {"root": scope.root, "now": lambda: scope.now_ms, "seed": scope.seed, "null": scope.why_null}
        try:
            return eval(self._code, {"__builtins__": {"len": len, "str": str}}, names)
        except (LookupError, NameError, TypeError) as error:
            raise invalid("EXPRESSION_FAILED", f"{self.source}: {error}") from None


class Tree:
    """A Template: a value in which texts that begin with `=` are formulas."""

    def __init__(self, value: Any) -> None:
        self._value = value
        self.literal = not _has_formula(value)
        self.reads_steps: frozenset[str] = frozenset()
        self.reads_roots: frozenset[str] = frozenset()
        self.secrets: frozenset[str] = frozenset()

    def render(self, scope: Any, budget: Any = None) -> Any:
        """Return the value with its formulas evaluated."""
        return self._value if self.literal else _render(self._value, scope, budget)


def _has_formula(value: Any) -> bool:
    if isinstance(value, str):
        return value.startswith("=")
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(_has_formula(item) for item in items)


def _render(value: Any, scope: Any, budget: Any) -> Any:
    if isinstance(value, str) and value.startswith("="):
        return Formula(value[1:]).evaluate(scope, budget)
    if isinstance(value, dict):
        return {key: _render(item, scope, budget) for key, item in value.items()}
    if isinstance(value, list):
        return [_render(item, scope, budget) for item in value]
    return value


def step(
    step_id: str,
    uses: str = "test.act",
    *,
    needs: str | Iterable[str] = (),
    when: str = "",
    options: Any = None,
    retry: RetryPlan | None = None,
    deadline_ms: int = 0,
    go_on: bool = False,
) -> dict[str, Any]:
    """Return what `plan` makes a step of. `needs` may be ids in one text; `go_on` is `on_error: continue`."""
    return {
        "id": step_id,
        "uses": uses,
        "kind": _KINDS.get(uses, StepKind.ACTION),
        "options": None if options is None else Tree(options),
        "needs": needs.split() if isinstance(needs, str) else list(needs),
        "condition": Formula(when) if when else None,
        "retry": retry,
        "deadline_ms": deadline_ms,
        "continue_on_error": go_on,
    }


def plan(
    *body: dict[str, Any],
    handlers: Mapping[str, dict[str, Any]] | None = None,
    variables: Mapping[str, Any] | None = None,
    output: Any = None,
    **settings: Any,
) -> Plan:
    """Return a compiled plan; handlers come as `{"failure": step("x", ...)}` and are named after their place."""
    index = {draft["id"]: at for at, draft in enumerate(body)}
    after: dict[int, list[int]] = {at: [] for at in index.values()}
    for at, draft in enumerate(body):
        draft["needs"] = tuple(index[need] for need in draft["needs"])
        for need in draft["needs"]:
            after[need].append(at)
    named = {
        name: (handlers or {})[name] for name in ("success", "failure", "cancel", "exit") if name in (handlers or {})
    }
    drafts = [*body, *({**draft, "id": name, "needs": (), "handler": name} for name, draft in named.items())]
    return Plan(
        workflow="test",
        version="1.0.0",
        digest=b"d" * 32,
        document=b"{}",
        steps=tuple(_step_plan(at, draft, tuple(after.get(at, ()))) for at, draft in enumerate(drafts)),
        body_count=len(body),
        index=index,
        handlers={name: len(body) + at for at, name in enumerate(named)},
        vars=tuple((name, Tree(value)) for name, value in (variables or {}).items()),
        output=None if output is None else Tree(output),
        **settings,
    )


def _step_plan(at: int, draft: dict[str, Any], after: tuple[int, ...]) -> StepPlan:
    condition = draft["condition"]
    after_cancel = condition is not None and bool(condition.uses_status & {"always", "canceled"})
    return StepPlan(index=at, dependents=after, after_cancel=after_cancel, **draft)


def chain(count: int, **settings: Any) -> Plan:
    """Return a plan of `count` actions `s0 s1 ...`, each needing the one before."""
    return plan(*(step(f"s{at}", needs=[f"s{at - 1}"] if at else ()) for at in range(count)), **settings)
