"""Values on their way out of an expression: JSON types under the number rule, within the size of a result."""

from __future__ import annotations

from typing import Any

from hostd.definition.expressions.limits import MAX_RESULT_BYTES
from hostd.definition.expressions.problems import TooMuch
from hostd.definition.expressions.times import Duration, Timestamp
from hostd.values.json_text import MAX_DEPTH, dump_json, rule_float


def leave(value: Any, limit_bytes: int = MAX_RESULT_BYTES) -> Any:
    """Return a value as JSON types. Lists and maps are new; timestamps and durations become text.

    Raises:
        TooMuch: the value is larger than the limit, or nested deeper than JSON may be here.
    """
    kind = type(value)
    if kind is int or kind is bool or value is None:
        return value
    if kind is float:
        return rule_float(value)
    return _Leaving(limit_bytes).copy(value, 0)


class _Leaving:
    """One walk. `left` counts bytes of JSON text, roughly: what matters is that it is bounded."""

    __slots__ = ("left", "limit")

    def __init__(self, limit: int) -> None:
        self.limit = self.left = limit

    def spend(self, size: int) -> None:
        self.left -= size
        if self.left < 0:
            raise TooMuch(
                f"its result is larger than {self.limit} bytes; a value that is passed on whole, as in "
                "steps.a.output, has no such limit"
            )

    def text(self, value: str) -> str:
        self.spend(len(value) if value.isascii() else len(value.encode("utf-8", "surrogatepass")))
        return value

    def copy(self, value: Any, depth: int) -> Any:
        kind = type(value)
        if kind is str:
            return self.text(value)
        if kind is dict or kind is list:
            if depth >= MAX_DEPTH:
                raise TooMuch(f"its result is nested deeper than {MAX_DEPTH}")
            self.spend(2)
            if kind is list:
                return [self.copy(item, depth + 1) for item in value]
            return {self.key(key): self.copy(item, depth + 1) for key, item in value.items()}
        self.spend(4)
        if kind is float:
            return rule_float(value)
        if kind is Timestamp or kind is Duration:
            return str(value)
        return value

    def key(self, key: Any) -> str:
        self.spend(4)
        if type(key) is str:
            return self.text(key)
        return ("true" if key else "false") if type(key) is bool else str(key)


def text_of(value: Any, limit_bytes: int = MAX_RESULT_BYTES) -> str:
    """Return a value as text: texts as they are, times as their text, everything else as JSON."""
    if type(value) is str:
        return _Leaving(limit_bytes).text(value)
    left = leave(value, limit_bytes)
    return left if type(left) is str else dump_json(left).decode("utf-8")
