"""What a list's filter means, once read: a small tree over indexed fields of a run.

Text becomes this tree at the door (api); the journal compiles it to SQL (journal/filters.py). Values are already of
the field's own type: `state` is the number of a RunState, `created_at` and `ended_at` are wall milliseconds (0 = not
ended), `parent` is a run id's text, everything else is text.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

FIELDS = frozenset({"workflow", "version", "state", "key", "trigger", "parent", "reason", "created_at", "ended_at"})
"""Plain fields; `labels.NAME` comes beside them. A label that a run does not have compares as empty text."""

LABELS = "labels."

Operator: TypeAlias = Literal["=", "!=", "<", "<=", ">", ">="]


class Compare(msgspec.Struct, frozen=True, gc=False):
    """`field op value`."""

    field: str
    op: Operator
    value: str | int


class In(msgspec.Struct, frozen=True, gc=False):
    """`field in [values]`; never true for no values."""

    field: str
    values: tuple[str | int, ...]


class StartsWith(msgspec.Struct, frozen=True, gc=False):
    """`field.startsWith(prefix)`, for text fields."""

    field: str
    prefix: str


class And(msgspec.Struct, frozen=True, gc=False):
    """All hold; true when empty."""

    terms: tuple[Filter, ...]


class Or(msgspec.Struct, frozen=True, gc=False):
    """One holds; false when empty."""

    terms: tuple[Filter, ...]


class Not(msgspec.Struct, frozen=True, gc=False):
    """It does not hold."""

    term: Filter


Filter: TypeAlias = Compare | In | StartsWith | And | Or | Not
