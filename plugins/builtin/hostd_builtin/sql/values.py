"""What a database gives as JSON, under the number rule; and the account of how much."""

from __future__ import annotations

import base64
import math
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from hostd.plugin import ActionError, JsonValue
from hostd_builtin.sql.options import Form

INT_MIN, INT_MAX = -(2**63), 2**63 - 1
DEPTH_MAX = 32


class Rows:
    """Rows as they come, up to the limits of the step."""

    def __init__(self, form: Form) -> None:
        self._form = form
        self._bytes = 0
        self.columns: list[str] = []
        self.rows: list[dict[str, JsonValue]] = []
        self.truncated = False

    def name(self, columns: Sequence[str]) -> None:
        """Take the columns' names. Raises ActionError COLUMN_TWICE."""
        twice = sorted({name for name in columns if list(columns).count(name) > 1})
        if twice:
            raise ActionError(f"two columns are called {twice[0]!r}; name them with AS", code="COLUMN_TWICE")
        self.columns = list(columns)

    def add(self, row: Sequence[Any]) -> bool:
        """Take a row; return whether there is room for more. Raises ActionError TOO_LARGE."""
        if len(self.rows) >= self._form.max_rows:
            return self._full(f"max_rows, {self._form.max_rows}")
        made: dict[str, JsonValue] = {}
        for name, value in zip(self.columns, row, strict=True):
            made[name], size = self.value(value)
            self._bytes += size + len(name) + 4
        if self._bytes > self._form.max_bytes:
            return self._full(f"max_bytes, {self._form.max_bytes}")
        self.rows.append(made)
        return True

    def value(self, value: Any) -> tuple[JsonValue, int]:
        """Return a column's value as JSON, and about how many bytes it has."""
        return json_value(value, numbers=self._form.decimals == "number")

    def _full(self, limit: str) -> bool:
        if self._form.on_limit == "fail":
            message = f"there is more than {limit}; ask for less, or say `on_limit: truncate`"
            raise ActionError(message, code="TOO_LARGE")
        self.truncated = True
        return False


def json_value(value: Any, *, numbers: bool, depth: int = 0) -> tuple[JsonValue, int]:
    """Return a value as JSON, and about how many bytes it has.

    Exact decimals are text unless `numbers`; what JSON has no number for (NaN, infinities, larger than int64) is text.
    """
    if value is None or isinstance(value, bool):
        return value, 5
    if isinstance(value, int):
        return (value, 8) if INT_MIN <= value <= INT_MAX else (str(value), len(str(value)))
    if isinstance(value, float):
        return (value, 8) if math.isfinite(value) else (str(value), 8)
    if isinstance(value, str):
        return value, len(value)
    if isinstance(value, Decimal):
        return _decimal(value, numbers)
    if isinstance(value, bytes | bytearray | memoryview):
        text = base64.b64encode(value).decode("ascii")
        return text, len(text)
    if depth < DEPTH_MAX and isinstance(value, list | tuple):
        pairs = [json_value(item, numbers=numbers, depth=depth + 1) for item in value]
        return [item for item, _ in pairs], sum(size + 1 for _, size in pairs)
    if depth < DEPTH_MAX and isinstance(value, dict):
        made = {str(key): json_value(item, numbers=numbers, depth=depth + 1) for key, item in value.items()}
        return {key: item for key, (item, _) in made.items()}, sum(len(key) + size for key, (_, size) in made.items())
    text = _moment(value)
    return text, len(text)


def _decimal(value: Decimal, numbers: bool) -> tuple[JsonValue, int]:
    if numbers and value.is_finite():
        if value == value.to_integral_value() and INT_MIN <= value <= INT_MAX:
            return int(value), 8
        number = float(value)
        if math.isfinite(number):
            return number, 8
    text = format(value, "f") if value.is_finite() and abs(value.adjusted()) < 1_000 else str(value)
    return text, len(text)


def _moment(value: Any) -> str:
    """Return dates and times as RFC 3339 writes them (without an offset where they have no zone), the rest as text."""
    if isinstance(value, datetime):
        text = value.isoformat()
        return text.removesuffix("+00:00") + "Z" if text.endswith("+00:00") else text
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return f"{value.total_seconds():.6f}".rstrip("0").rstrip(".") + "s"
    return str(value)
