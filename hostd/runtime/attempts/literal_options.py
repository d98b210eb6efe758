"""Options of attempts as their action takes them, each attempt's own; what nobody can change is parsed once."""

from __future__ import annotations

from datetime import date, timedelta
from enum import Enum
from typing import Any

from pydantic import BaseModel

from hostd.runtime.attempts.attempt import Attempt
from hostd.runtime.ports import ActionEntry

LITERALS_MAX = 10_000
_FIXED = (str, bytes, int, float, type(None), timedelta, date, Enum)


class LiteralOptions:
    """By plan, step and action, as far as a `with` holds no expression and its options no list or map."""

    def __init__(self) -> None:
        self._parsed: dict[tuple[bytes, int, ActionEntry], Any] = {}

    def parse(self, attempt: Attempt, entry: ActionEntry, rendered: Any) -> Any:
        """Return the parsed options. Raises HostdError OPTION_INVALID."""
        template = attempt.step.options
        if template is not None and not template.literal:
            return entry.parse(own(rendered))
        key = (attempt.plan.digest, attempt.step.index, entry)
        options = self._parsed.get(key)
        if options is None:
            options = entry.parse(own(rendered))
            if _is_fixed(options):
                self._keep(key, options)
        return options

    def _keep(self, key: tuple[bytes, int, ActionEntry], options: Any) -> None:
        if len(self._parsed) >= LITERALS_MAX:
            self._parsed.clear()
        self._parsed[key] = options


def own(rendered: Any) -> Any:
    """Return JSON with lists and maps of its own: those of a document, or of a run's values, are others' too.

    An option of any type holds what it is given, and the action may change it.
    """
    if type(rendered) is dict:
        return {key: own(value) for key, value in rendered.items()}
    if type(rendered) is list:
        return [own(value) for value in rendered]
    return rendered


def _is_fixed(options: Any) -> bool:
    """Say whether no action can change options by changing what they hold. For a process they are JSON text."""
    if isinstance(options, bytes):
        return True
    return isinstance(options, BaseModel) and all(isinstance(value, _FIXED) for value in options.__dict__.values())
