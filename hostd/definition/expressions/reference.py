"""The function reference, generated from the table: `docs/reference/expressions.md` holds what this returns."""

from __future__ import annotations

from hostd.definition.expressions.functions.catalogue import ALIASES, FAMILIES
from hostd.definition.expressions.functions.registry import Function


def function_reference() -> str:
    """Return the functions as Markdown: a heading and a table for each family."""
    parts: list[str] = []
    for family in FAMILIES:
        rows = "\n".join(_row(function) for function in family.functions)
        parts.append(f"### {family.title}\n\n| call | what it gives | example |\n|---|---|---|\n{rows}\n")
    return "\n".join(parts)


def _row(function: Function) -> str:
    also = [alias for alias, name in ALIASES.items() if name == function.name]
    summary = function.summary + (f" Also called {', '.join(f'`{name}`' for name in also)}." if also else "")
    expression, value = function.example
    example = f"{_code(expression)} is {_code(value)}" if value else _code(expression)
    return f"| {_code(function.usage)} | {_cell(summary)} | {example} |"


def _code(text: str) -> str:
    return f"`{_cell(text)}`" if "`" not in text else f"`` {_cell(text)} ``"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
