"""What became of a run, as a trigger that waits for it is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from hostd.values.json_text import JsonValue

RESULT_WAIT_MAX: Final = timedelta(minutes=10)
"""The longest a trigger waits for a run; longer waits are cut to it."""


@dataclass(frozen=True, slots=True)
class RunFailure:
    """Why a run failed. `code` is a plugin's or author's own word; both may be empty."""

    reason: str
    message: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True)
class RunResult:
    """A run, ended or not.

    Attributes:
        state: SUCCEEDED, FAILED, CANCELED, TIMED_OUT; or what it is at now, such as RUNNING or HELD.
        output: null unless it succeeded.
        failure: None unless it ended otherwise.
    """

    run_id: str
    state: str
    output: JsonValue = None
    failure: RunFailure | None = field(default=None)

    @property
    def ended(self) -> bool:
        """Whether the state is final."""
        return self.state in ("SUCCEEDED", "FAILED", "CANCELED", "TIMED_OUT")
