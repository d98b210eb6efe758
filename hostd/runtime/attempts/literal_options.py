"""Options of attempts as their action takes them; those that are the same each time are parsed once."""

from __future__ import annotations

from copy import deepcopy
from datetime import date, timedelta
from enum import Enum
from typing import Any, NamedTuple

from pydantic import BaseModel

from hostd.runtime.attempts.attempt import Attempt
from hostd.runtime.ports import ActionEntry

LITERALS_MAX = 10_000
_FIXED = (str, bytes, int, float, type(None), timedelta, date, Enum)


class _Parsed(NamedTuple):
    """`loose`: fields that an action could change: a list, a map. Each attempt gets its own of these."""

    options: Any
    loose: tuple[str, ...]

    def fresh(self) -> Any:
        """Return the options for one attempt."""
        if not self.loose:
            return self.options
        copied = self.options.model_copy()
        for name in self.loose:
            copied.__dict__[name] = deepcopy(copied.__dict__[name])
        return copied


class LiteralOptions:
    """By plan, step and action, as far as a `with` holds no expression."""

    def __init__(self) -> None:
        self._parsed: dict[tuple[bytes, int, ActionEntry], _Parsed] = {}

    def parse(self, attempt: Attempt, entry: ActionEntry, rendered: Any) -> Any:
        """Return the parsed options. Raises HostdError OPTION_INVALID."""
        template = attempt.step.options
        if template is not None and not template.literal:
            return entry.parse(rendered)
        key = (attempt.plan.digest, attempt.step.index, entry)
        parsed = self._parsed.get(key)
        if parsed is None:
            if len(self._parsed) >= LITERALS_MAX:
                self._parsed.clear()
            options = entry.parse(rendered)
            parsed = self._parsed[key] = _Parsed(options, _loose(options))
        return parsed.fresh()


def _loose(options: Any) -> tuple[str, ...]:
    if not isinstance(options, BaseModel):
        return ()  # as a plugin's process gets them
    return tuple(name for name, value in options.__dict__.items() if not isinstance(value, _FIXED))
