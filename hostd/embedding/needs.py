"""A step needs what it reads: needs that the program did not write, because its expressions say them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hostd.definition import roots
from hostd.definition.expressions.expression import compile_expression
from hostd.definition.expressions.template import compile_template
from hostd.errors.base import HostdError


def with_needs(document: dict[str, Any]) -> dict[str, Any]:
    """Return a copy of a document whose steps need every step they read, where they do not already by another way.

    What cannot be read is left alone: the compiler tells what is wrong with it.
    """
    steps = document.get("steps")
    if not isinstance(steps, dict):
        return dict(document)
    made = {step_id: dict(step) if isinstance(step, dict) else step for step_id, step in steps.items()}
    needs = {step_id: _written(step) for step_id, step in made.items()}
    for step_id, step in made.items():
        above = _above(step_id, needs)
        missing = [read for read in _reads(step) if read in made and read != step_id and read not in above]
        if missing and isinstance(step, dict):
            needs[step_id] = [*needs[step_id], *missing]
            step["needs"] = needs[step_id][0] if len(needs[step_id]) == 1 else list(needs[step_id])
    return {**document, "steps": made}


def _written(step: Any) -> list[str]:
    found = step.get("needs", []) if isinstance(step, dict) else []
    return [need for need in (found if isinstance(found, list) else [found]) if isinstance(need, str)]


def _above(step_id: str, needs: dict[str, list[str]]) -> set[str]:
    """Return the steps that have ended when a step begins."""
    above: set[str] = set()
    waiting = list(needs[step_id])
    while waiting:
        need = waiting.pop()
        if need not in above:
            above.add(need)
            waiting += needs.get(need, [])
    return above


def _reads(step: Any) -> Iterator[str]:
    """Yield the steps that a step's expressions read, each once, in order of their names."""
    if not isinstance(step, dict):
        return
    retry = step.get("retry")
    conditions = [step.get("if"), retry.get("if") if isinstance(retry, dict) else None]
    found: set[str] = set()
    for condition in conditions:
        if isinstance(condition, str):
            found |= _steps_in(condition, bare=True)
    for text in _texts(step.get("with")):
        found |= _steps_in(text, bare=False)
    yield from sorted(found)


def _texts(value: Any) -> Iterator[str]:
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            if "${{" in one and "steps" in one:
                yield one
        elif isinstance(one, dict):
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one


def _steps_in(text: str, *, bare: bool) -> frozenset[str]:
    try:
        if bare and "${{" not in text:
            return compile_expression(text, roots=roots.ALL).reads_steps
        return compile_template(text, roots=roots.ALL).reads_steps
    except HostdError:
        return frozenset()
