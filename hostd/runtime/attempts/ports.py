"""What attempts need of who makes contexts and runs scripts; core.py hands in what fits."""

from __future__ import annotations

from typing import Any, Protocol

from hostd.model.records import Failure
from hostd.runtime.attempts.attempt import Attempt


class Contexts(Protocol):
    """Makes what actions are given, and understands what they raise."""

    def action(self, attempt: Attempt) -> Any:
        """Return an ActionContext with `lines` (what was logged) and `request_cancel()`."""
        ...

    def failure(self, error: BaseException, attempt: Attempt) -> tuple[Failure, int | None]:
        """Return what an action raised as a failure, and its retry_after in milliseconds."""
        ...


class Scripts(Protocol):
    """Runs `lua.script` steps."""

    async def run_step(self, attempt: Attempt, options: Any) -> Any:
        """Return the script's result as JSON text. Raises what `Contexts.failure` understands."""
        ...
