"""The one table of functions: how each is called, what it takes, what it does, and an example that the tests run.

A family is a module; its functions are declared where they are written, with the summary as docstring. `catalogue.py`
puts the families together.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from hostd.definition.expressions.kinds import NOT_TAKEN, Takes, wrong_argument
from hostd.definition.expressions.limits import Evaluation

Work = TypeVar("Work", bound=Callable[..., Any])


class Function(msgspec.Struct, frozen=True):
    """A function. `f(x, y)` and `x.f(y)` are the same call; names with a dot are called only as they stand.

    Args:
        name: as it is called.
        usage: the call, as the reference prints it.
        summary: one sentence.
        example: (expression, its value as JSON text); the value is empty where it differs from run to run.
        takes: what each argument takes.
        least: how many arguments must be there; the rest of `takes` may be left out.
        more: what all further arguments take; None = there are none.
        work: called with the evaluation and the arguments; None = the compiler knows the form itself.
    """

    name: str
    usage: str
    summary: str
    example: tuple[str, str]
    takes: tuple[Takes, ...] = ()
    least: int = 0
    more: Takes | None = None
    work: Callable[..., Any] | None = None

    def accepts(self, count: int) -> bool:
        """Say whether a call may have so many arguments."""
        return self.least <= count and (self.more is not None or count <= len(self.takes))

    def counts(self) -> str:
        """Return how many arguments there may be, for a message: `1 or 2 arguments`."""
        if self.more is not None:
            return f"at least {self.least} argument{'s' if self.least != 1 else ''}"
        if self.least == len(self.takes):
            return f"{self.least or 'no'} argument{'s' if self.least != 1 else ''}"
        joint = "or" if len(self.takes) - self.least == 1 else "to"
        return f"{self.least} {joint} {len(self.takes)} arguments"

    def call(self, run: Evaluation, values: list[Any]) -> Any:
        """Check the arguments' kinds and call. Raises Problem."""
        takes = self.takes
        for place, value in enumerate(values):
            one = takes[place] if place < len(takes) else self.more
            read = one.read(value) if one else NOT_TAKEN
            if one and read is NOT_TAKEN:
                raise wrong_argument(self.name, place + 1, one, value)
            values[place] = read
        return self.work(run, *values) if self.work else None


class Family:
    """Functions of one kind, in the order of the reference."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.functions: list[Function] = []

    def function(
        self,
        name: str,
        usage: str,
        *,
        takes: tuple[Takes, ...],
        least: int | None = None,
        more: Takes | None = None,
        example: str,
        gives: str,
    ) -> Callable[[Work], Work]:
        """Declare the function below; the first line of its docstring is the summary. `least` is all of `takes`."""

        def declare(work: Work) -> Work:
            summary = (work.__doc__ or "").partition("\n")[0]
            count = len(takes) if least is None else least
            self.functions.append(Function(name, usage, summary, (example, gives), takes, count, more, work))
            return work

        return declare
