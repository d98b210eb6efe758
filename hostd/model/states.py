"""Life cycles: integers in the journal and in memory, words everywhere else."""

from __future__ import annotations

import enum


class RunState(enum.IntEnum):
    """Passing states first, final ones from SUCCEEDED on; a final state is final."""

    PENDING = 1
    RUNNING = 2
    WAITING = 3
    PAUSED = 4
    CANCELING = 5
    COMPENSATING = 6
    HELD = 7
    SUCCEEDED = 10
    FAILED = 11
    CANCELED = 12
    TIMED_OUT = 13


class StepState(enum.IntEnum):
    """PENDING: needs open. READY: may start, has no slot or the run is paused. RETRYING: waits for its next attempt."""

    PENDING = 0
    READY = 1
    RUNNING = 2
    WAITING = 3
    RETRYING = 4
    SUCCEEDED = 10
    FAILED = 11
    SKIPPED = 12
    CANCELED = 13


FINAL_RUN = RunState.SUCCEEDED
FINAL_STEP = StepState.SUCCEEDED


def run_is_final(state: int) -> bool:
    """Say whether a run state is final."""
    return state >= FINAL_RUN


def step_is_final(state: int) -> bool:
    """Say whether a step has ended."""
    return state >= FINAL_STEP
