"""Life cycle states as plain integers: reading an enum's member takes 90 ns, a name 5, and a decision reads thirty."""

from __future__ import annotations

from typing import Final

from hostd.definition.plan import StepKind
from hostd.model.states import RunState, StepState

ACTION: Final = StepKind.ACTION

STEP_PENDING: Final = int(StepState.PENDING)
STEP_READY: Final = int(StepState.READY)
STEP_RUNNING: Final = int(StepState.RUNNING)
STEP_WAITING: Final = int(StepState.WAITING)
STEP_RETRYING: Final = int(StepState.RETRYING)
STEP_SUCCEEDED: Final = int(StepState.SUCCEEDED)
STEP_FAILED: Final = int(StepState.FAILED)
STEP_SKIPPED: Final = int(StepState.SKIPPED)
STEP_CANCELED: Final = int(StepState.CANCELED)
STEP_FINAL: Final = STEP_SUCCEEDED  # from here on a step has ended

RUN_PENDING: Final = int(RunState.PENDING)
RUN_RUNNING: Final = int(RunState.RUNNING)
RUN_WAITING: Final = int(RunState.WAITING)
RUN_PAUSED: Final = int(RunState.PAUSED)
RUN_CANCELING: Final = int(RunState.CANCELING)
RUN_SUCCEEDED: Final = int(RunState.SUCCEEDED)
RUN_FAILED: Final = int(RunState.FAILED)
RUN_CANCELED: Final = int(RunState.CANCELED)
RUN_TIMED_OUT: Final = int(RunState.TIMED_OUT)
RUN_FINAL: Final = RUN_SUCCEEDED  # from here on a run has ended
