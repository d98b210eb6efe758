"""What can go wrong inside the language, before it becomes an error of hostd."""

from __future__ import annotations


class Mistake(Exception):
    """The source cannot be compiled. `offset` counts characters from the start of the source.

    `reason` is a reason of hostd; `EXPRESSION_INVALID` unless another says it better.
    """

    def __init__(self, offset: int, message: str, suggestion: str = "", reason: str = "EXPRESSION_INVALID") -> None:
        super().__init__(message)
        self.offset = offset
        self.message = message
        self.suggestion = suggestion
        self.reason = reason


class Problem(Exception):
    """An evaluation failed. `where` is the part of the source that failed; whoever knows it first puts it in.

    `&&` and `||` absorb it when the other side decides.
    """

    def __init__(self, message: str, where: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.where = where


class Missing(Problem):
    """A key, an item or a value is not there, or null stands on the path: what `default(x, y)` turns into y."""


class TooMuch(Exception):
    """A budget is spent. Nothing absorbs it."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
