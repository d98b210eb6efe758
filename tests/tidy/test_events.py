"""Events of the log are written so that programs find their fields."""

from __future__ import annotations

import ast
import re

from tree import parsed, relative, sources

from hostd.telemetry.logs import EVENT

LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}
FREE = {"hostd/journal/transactions.py"}  # its last words: the process ends


def test_every_event_has_a_name_and_fields() -> None:
    """`noun_verb key=%s key=%d`, perhaps with a text behind a line feed; anything else is one text in JSON."""
    wrong = [
        f"{relative(file)}:{node.lineno}: {template}"
        for file in sources("hostd")
        if relative(file) not in FREE
        for node in ast.walk(parsed(file))
        if (template := template_of(node)) is not None and not re.fullmatch(EVENT, template)
    ]
    assert wrong == []


def template_of(node: ast.AST) -> str | None:
    """Return what a call of `_log` writes, where it stands there."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or node.func.attr not in LEVELS:
        return None
    of = node.func.value
    first = node.args[0] if node.args else None
    named = isinstance(of, ast.Name) and of.id == "_log"
    return first.value if named and isinstance(first, ast.Constant) and isinstance(first.value, str) else None
