"""Calls that the compiler itself knows, because they do not simply evaluate their arguments first."""

from __future__ import annotations

from hostd.definition.expressions.functions.registry import Family, Function
from hostd.definition.expressions.kinds import ANY

FORMS = Family("Forms and macros")
STATUS_FUNCTIONS = Family("Status of the run, in `if`")


def _form(usage: str, summary: str, counts: tuple[int, int], example: str, gives: str) -> None:
    name = usage.partition("(")[0].rpartition(".")[2]
    FORMS.functions.append(Function(name, usage, summary, (example, gives), (ANY,) * counts[1], counts[0]))


_form(
    "default(x, y)",
    "x, or y where a key, an item or a step on x's path is missing, or x is null.",
    (2, 2),
    "default(input.missing, 0)",
    "0",
)
_form("has(x.key)", "Whether a map has a key; x itself must be there.", (1, 1), "has({'a': null}.a)", "true")
_form(
    "list.all(x, test)",
    "Whether the test holds for every item of a list, or key of a map.",
    (3, 3),
    "[1, 2].all(x, x > 0)",
    "true",
)
_form("list.exists(x, test)", "Whether the test holds for some item or key.", (3, 3), "[1, 2].exists(x, x > 1)", "true")
_form(
    "list.exists_one(x, test)",
    "Whether the test holds for exactly one item or key.",
    (3, 3),
    "[1, 2].exists_one(x, x > 0)",
    "false",
)
_form(
    "list.filter(x, test)",
    "The items or keys for which the test holds.",
    (3, 3),
    "[1, 2, 3].filter(x, x != 2)",
    "[1,3]",
)
_form(
    "list.map(x[, test], value)",
    "The value for each item or key; with a test, only for those where it holds.",
    (3, 4),
    "[1, 2].map(x, x * 10)",
    "[10,20]",
)

MACROS = frozenset({"all", "exists", "exists_one", "filter", "map"})

_STATUS = {
    "succeeded": "Whether every need has succeeded: what holds when a step has no condition.",
    "failed": "Whether some step before this one has failed.",
    "none_failed": "Whether no step before this one has failed, and at least one need has succeeded.",
    "always": "True; the step runs after a cancel too.",
    "canceled": "Whether the run was canceled or timed out; the step runs after a cancel too.",
}
STATUS_FUNCTIONS.functions.extend(
    Function(name, f"{name}()", what, (f"{name}()", "")) for name, what in _STATUS.items()
)
STATUS = frozenset(_STATUS)
