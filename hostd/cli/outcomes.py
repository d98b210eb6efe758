"""How a run's outcome becomes an exit code."""

from __future__ import annotations

from hostd.errors.base import Kind
from hostd.errors.codes import CODES

EXIT_FAILED = 1  # errors of commands begin at 2
OUTCOME_EXITS = {
    "SUCCEEDED": 0,
    "FAILED": EXIT_FAILED,
    "CANCELED": CODES[Kind.CANCELED].exit,
    "TIMED_OUT": CODES[Kind.TIMEOUT].exit,
}
