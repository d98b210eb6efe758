"""Filters over runs: to SQL for SQLite, and straight over a row for the memory store. Both mean the same."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, TypeAlias

from hostd.errors.base import HostdError, Kind
from hostd.journal.port import RunRow
from hostd.model.filters import FIELDS, LABELS, And, Compare, Filter, In, Not, Or, StartsWith

Sql: TypeAlias = tuple[str, list[str | int]]
"""A condition and the values of its question marks, in order."""

TERMS_MAX = 200

_COLUMNS = {"created_at": "created_at_ms", "ended_at": "ended_at_ms"}
_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def filter_sql(tree: Filter | None, namespace: str) -> Sql:
    """Return a condition over the columns of `runs` (true for no filter). Raises HostdError INVALID_FILTER."""
    if tree is None:
        return "1", []
    _check(tree)
    return _sql(tree, namespace)


def _sql(tree: Filter, namespace: str) -> Sql:
    if isinstance(tree, And | Or):
        return _joined(tree, namespace)
    if isinstance(tree, Not):
        text, values = _sql(tree.term, namespace)
        return f"NOT ({text})", values
    if isinstance(tree, Compare) and tree.op == "=" and tree.field.startswith(LABELS) and tree.value != "":
        text = "run IN (SELECT run FROM labels WHERE namespace = ? AND name = ? AND value = ?)"
        return text, [namespace, tree.field[len(LABELS) :], tree.value]
    column, values = _column(tree.field)
    if isinstance(tree, Compare):
        return f"{column} {tree.op} ?", [*values, tree.value]
    if isinstance(tree, StartsWith):
        return f"substr({column}, 1, {len(tree.prefix)}) = ?", [*values, tree.prefix]
    marks = ", ".join("?" * len(tree.values))
    return f"{column} IN ({marks})", [*values, *tree.values]


def _joined(tree: And | Or, namespace: str) -> Sql:
    if not tree.terms:
        return ("1" if isinstance(tree, And) else "0"), []
    parts = [_sql(term, namespace) for term in tree.terms]
    word = " AND " if isinstance(tree, And) else " OR "
    return "(" + word.join(text for text, _ in parts) + ")", [value for _, values in parts for value in values]


def _column(field: str) -> Sql:
    if field.startswith(LABELS):
        return "coalesce((SELECT value FROM json_each(nullif(runs.labels, '')) WHERE key = ?), '')", [
            field[len(LABELS) :]
        ]
    return _COLUMNS.get(field, field), []


def matches(tree: Filter | None, row: RunRow) -> bool:
    """Say whether a run's row passes a filter. Raises HostdError INVALID_FILTER."""
    return predicate(tree)(row)


def predicate(tree: Filter | None) -> Callable[[RunRow], bool]:
    """Return what says of many rows whether they pass a filter: checked and taken apart once. Raises INVALID_FILTER."""
    if tree is None:
        return lambda row: True
    _check(tree)
    return _closure(tree)


def _closure(tree: Filter) -> Callable[[RunRow], bool]:
    if isinstance(tree, And | Or):
        terms = [_closure(term) for term in tree.terms]
        if isinstance(tree, And):
            return lambda row: all(term(row) for term in terms)
        return lambda row: any(term(row) for term in terms)
    if isinstance(tree, Not):
        inner = _closure(tree.term)
        return lambda row: not inner(row)
    value_of = _reader(tree.field)
    if isinstance(tree, Compare):
        compare, value = _OPERATORS[tree.op], tree.value
        return lambda row: bool(compare(value_of(row), value))
    if isinstance(tree, StartsWith):
        prefix = tree.prefix
        return lambda row: bool(value_of(row).startswith(prefix))
    values = tree.values
    return lambda row: value_of(row) in values


def _reader(field: str) -> Callable[[RunRow], Any]:
    if field.startswith(LABELS):
        name = field[len(LABELS) :]
        return lambda row: row.labels.get(name, "")
    return operator.attrgetter(_COLUMNS.get(field, field))


def holds(tree: Filter, value_of: Callable[[str], Any]) -> bool:
    """Say whether something passes a filter, by the values of its fields."""
    if isinstance(tree, And):
        return all(holds(term, value_of) for term in tree.terms)
    if isinstance(tree, Or):
        return any(holds(term, value_of) for term in tree.terms)
    if isinstance(tree, Not):
        return not holds(tree.term, value_of)
    value = value_of(tree.field)
    if isinstance(tree, Compare):
        return _OPERATORS[tree.op](value, tree.value)
    if isinstance(tree, StartsWith):
        return bool(value.startswith(tree.prefix))
    return value in tree.values


def _check(tree: Filter) -> None:
    """Refuse what is not indexed and what is too large; names go into SQL only after this."""
    waiting: list[Filter] = [tree]
    seen = 0
    while waiting:
        node = waiting.pop()
        seen += 1 + (len(node.values) if isinstance(node, In) else 0)
        if seen > TERMS_MAX:
            raise _invalid(f"A filter has more than {TERMS_MAX} terms.")
        if isinstance(node, And | Or):
            waiting.extend(node.terms)
        elif isinstance(node, Not):
            waiting.append(node.term)
        else:
            _check_field(node)


def _check_field(node: Compare | In | StartsWith) -> None:
    if node.field not in FIELDS and not node.field.startswith(LABELS):
        names = ", ".join(sorted(FIELDS))
        raise _invalid(f"{node.field} is not an indexed field; filters know {names} and labels.NAME.")
    if isinstance(node, Compare) and node.op not in _OPERATORS:
        raise _invalid(f"{node.op} is not an operator of filters.")


def _invalid(message: str) -> HostdError:
    return HostdError(Kind.INVALID, "INVALID_FILTER", message)
