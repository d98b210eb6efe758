"""Options of attempts as their action takes them; those that are the same each time are parsed once."""

from __future__ import annotations

from typing import Any

from hostd.runtime.attempts.attempt import Attempt
from hostd.runtime.ports import ActionEntry

LITERALS_MAX = 10_000


class LiteralOptions:
    """By plan, step and action, as far as a `with` holds no expression."""

    def __init__(self) -> None:
        self._parsed: dict[tuple[bytes, int, ActionEntry], Any] = {}

    def parse(self, attempt: Attempt, entry: ActionEntry, rendered: Any) -> Any:
        """Return the parsed options. Raises HostdError OPTION_INVALID."""
        template = attempt.step.options
        if template is not None and not template.literal:
            return entry.parse(rendered)
        key = (attempt.plan.digest, attempt.step.index, entry)
        options = self._parsed.get(key)
        if options is None:
            if len(self._parsed) >= LITERALS_MAX:
                self._parsed.clear()
            options = self._parsed[key] = entry.parse(rendered)
        return options
