"""As much of PromQL as says which metrics and labels an expression asks for."""

from __future__ import annotations

import re
from typing import NamedTuple

_TEXT = re.compile(r"'[^']*'|\"[^\"]*\"")
_METRIC = re.compile(r"\b((?:hostd|process|up)\w*)\b\s*(?:\{([^}]*)\})?")
_MATCHER = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)")
_BY = re.compile(r"\b(?:by|without)\s*\(([^)]*)\)")
OF_EACH = frozenset({"instance", "job", "le"})  # that Prometheus or the format adds


class Asked(NamedTuple):
    """What an expression asks for: metrics, and labels of each or of all of them."""

    metrics: dict[str, set[str]]
    grouped: set[str]


def asked_by(expression: str) -> Asked:
    """Return it. Raises ValueError for brackets that do not match."""
    plain = _TEXT.sub('""', expression)
    _check_brackets(plain)
    metrics: dict[str, set[str]] = {}
    for name, matchers in _METRIC.findall(_BY.sub("", plain)):
        metrics.setdefault(name, set()).update(_MATCHER.findall(matchers))
    grouped = {label.strip() for group in _BY.findall(plain) for label in group.split(",")}
    return Asked(metrics, grouped)


def _check_brackets(text: str) -> None:
    pairs, still_open = {")": "(", "]": "[", "}": "{"}, []
    for char in text:
        if char in "([{":
            still_open.append(char)
        elif char in pairs and (not still_open or still_open.pop() != pairs[char]):
            raise ValueError(f"brackets do not match in {text}")
    if still_open:
        raise ValueError(f"brackets do not match in {text}")
