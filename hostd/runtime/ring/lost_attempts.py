"""What a run that was just read lost: attempts nobody answers for any more, and READY steps nobody remembers."""

from __future__ import annotations

from collections.abc import Callable, Container

from hostd.model.messages import AttemptGone
from hostd.model.states import StepState
from hostd.runtime.ports import Actions
from hostd.runtime.ring.engine_loop import EngineLoop
from hostd.runtime.ring.gates import IN_DAEMON
from hostd.runtime.ring.turn import Resident

Lost = tuple[int, AttemptGone]
"""Run and message."""


def look_at_steps(
    loop: EngineLoop, resident: Resident, actions: Actions, lost: list[Lost], *, only: Container[str] | None = None
) -> None:
    """Collect what a run lost, and let its READY steps ask again.

    An attempt of an action that is not loaded, where steps wait for such actions, is left as it is: whether it may be
    issued again, only its action can say. Once that has arrived the run is looked at again, for it only.
    """
    run = resident.run
    for index, active in run.active.items():
        action = run.plan.steps[index].uses
        if only is not None and action not in only:
            continue
        if run.states[index] == StepState.READY:
            share = (resident.namespace, run.plan.workflow)
            since_ms = active.ready_at_ms
            loop.slots.ask(resident.key, index, action, alone=active.alone, share=share, since_ms=since_ms)
        elif run.states[index] == StepState.RUNNING and not _offered_back(loop, resident, index, active.attempt):
            entry = actions.action(action)
            if entry is None and loop.slots.gates.is_absent(action):
                continue
            effects = entry.effects if entry is not None else "idempotent"
            suspect = entry is None or entry.executors[0] in IN_DAEMON
            lost.append((resident.key, AttemptGone(index, active.attempt, effects, suspect)))


def look_again(loop: EngineLoop, actions: Callable[[], Actions], changed: set[str]) -> None:
    """Let steps whose action was awaited start, or fail where nobody brings it, and decide about attempts they lost."""
    lost: list[Lost] = []
    for resident in loop.residence.all():
        look_at_steps(loop, resident, actions(), lost, only=changed)
    for entry in lost:
        loop.tell(*entry)
    loop.slots.arrived(changed)


def _offered_back(loop: EngineLoop, resident: Resident, index: int, number: int) -> bool:
    """A plugin's process may have outlived the daemon that began the attempt, and hold it still."""
    return loop.ends.effects.adopt(resident, index, number)
