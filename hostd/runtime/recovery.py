"""After a start: what became of attempts that ran when the last daemon ended. The same path as normal life.

Every lost attempt is decided about first, in as few appends as possible, while nothing may start; then suspects go one
after another, then the others in order. Runs that only wait are not even loaded: their timers are rows.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from hostd.errors.base import HostdError
from hostd.journal.port import Journal, RunRow
from hostd.model.messages import AttemptGone
from hostd.model.states import RunState, StepState
from hostd.runtime.engine_loop import EngineLoop
from hostd.runtime.ports import Actions
from hostd.runtime.readers import Readers
from hostd.runtime.slots import IN_DAEMON
from hostd.runtime.turn import Resident

_log = logging.getLogger("hostd.runtime")

PAGE = 1_000
MOVING = (RunState.PENDING, RunState.RUNNING, RunState.PAUSED, RunState.CANCELING, RunState.COMPENSATING)


async def recover(*, loop: EngineLoop, journal: Journal, readers: Readers, actions: Callable[[], Actions]) -> int:
    """Load the runs that moved and tell them what was lost; return how many attempts were."""
    loop.slots.hold()
    lost = after = 0
    while True:
        rows = await readers.call(lambda after=after: journal.live_runs(after=after, limit=PAGE, states=MOVING))
        for row in rows:
            lost += await _recover_run(loop, row, actions())
        if len(rows) < PAGE:
            break
        after = rows[-1].run
    await loop.quiet()
    loop.slots.release()
    if lost:
        _log.info("attempts_lost count=%d", lost)
    return lost


async def _recover_run(loop: EngineLoop, row: RunRow, actions: Actions) -> int:
    if loop.residence.get(row.run) is not None:
        return 0
    try:
        resident = await loop.residence.load(row.run)
    except HostdError as error:
        loop.hold(row.run, error)
        return 0
    if resident is None:
        return 0
    loop.residence.add(resident)
    return _tell(loop, resident, actions)


def _tell(loop: EngineLoop, resident: Resident, actions: Actions) -> int:
    run = resident.run
    lost = 0
    for index, active in run.active.items():
        action = run.plan.steps[index].uses
        if run.states[index] == StepState.READY:
            loop.slots.ask(resident.key, index, action, alone=active.alone)
        elif run.states[index] == StepState.RUNNING:
            entry = actions.action(action)
            effects = entry.effects if entry is not None else "idempotent"
            suspect = entry is None or entry.executors[0] in IN_DAEMON
            loop.tell(resident.key, AttemptGone(index, active.attempt, effects, suspect))
            lost += 1
    return lost
