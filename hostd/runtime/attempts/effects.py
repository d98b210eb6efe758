"""Doing what was decided: the only caller of actions, scripts and workers. Each answer returns by the inside lane.

An action that does not wait is driven to its end in place; only one that waits becomes a task, takes a slot, and gets
its timeout. Attempts are at least once: what runs here when the daemon dies is lost and decided about by recovery.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from random import Random

from hostd.aio import Clock
from hostd.errors.base import HostdError
from hostd.model.commands import AskSlot, CancelAttempt, Command, StartAttempt
from hostd.model.messages import Message
from hostd.model.records import Failure
from hostd.runtime.attempts.answers import Answers, refused
from hostd.runtime.attempts.attempt import Attempt
from hostd.runtime.attempts.in_flight import CANCEL_GRACE_S, InFlight
from hostd.runtime.attempts.inherited_secrets import InheritedSecrets
from hostd.runtime.attempts.ports import Contexts, Scripts
from hostd.runtime.attempts.secret_values import SecretReader
from hostd.runtime.attempts.work import AttemptWork
from hostd.runtime.ports import ActionEntry, AttemptLog, Faults, Loaded
from hostd.runtime.ring.slots import Slots
from hostd.runtime.ring.turn import Resident
from hostd.telemetry.logs import log_bearer


class Effects(InFlight):
    """Does the engine's commands: starts attempts, cancels them, asks for slots."""

    def __init__(
        self,
        *,
        actions: Callable[[], Loaded],
        contexts: Contexts,
        scripts: Scripts,
        read_secret: SecretReader,
        secret_names: Callable[[str], Awaitable[Sequence[str]]] | None = None,
        slots: Slots,
        logs: AttemptLog,
        clock: Clock,
        random: Random,
        tell: Callable[[int, Message], None],
        ask: Callable[[int, Message], asyncio.Future[bool]] | None = None,
        faults: Faults | None = None,
        threads_max: int = 32,
        cancel_grace_s: float = CANCEL_GRACE_S,
    ) -> None:
        super().__init__(
            work=AttemptWork(contexts=contexts, scripts=scripts, read_secret=read_secret, threads_max=threads_max),
            answers=Answers(contexts=contexts, random=random),
            slots=slots,
            logs=logs,
            clock=clock,
            tell=tell,
            ask=ask,
            faults=faults,
            cancel_grace_s=cancel_grace_s,
        )
        self._actions = actions
        self._inherited = InheritedSecrets(read_secret, secret_names)
        self.stand_in: Callable[[Attempt, ActionEntry], ActionEntry] | None = None  # tests: a fake for the action

    def stuck(self) -> Counter[str]:
        """Return how many calls of each action have outlived their attempt and hold a thread."""
        return self._work.stuck()

    def change_limits(self, *, threads_max: int, cancel_grace_s: float) -> None:
        """Take other limits; attempts that were told to stop keep the time they were given."""
        self._work.threads.threads_max = threads_max
        self._cancel_grace_s = cancel_grace_s

    def perform(self, resident: Resident, commands: list[Command]) -> None:
        """Do commands of one decision, in order. Never raises for what an action does."""
        for command in commands:
            kind = type(command)
            if kind is StartAttempt:
                self._start(resident, command)  # type: ignore[arg-type]
            elif kind is CancelAttempt:
                self._cancel(resident.key, command)  # type: ignore[arg-type]
            else:
                self._ask(resident, command)  # type: ignore[arg-type]

    def _ask(self, resident: Resident, command: AskSlot) -> None:
        plan = resident.run.plan
        action, share = plan.steps[command.step].uses, (resident.namespace, plan.workflow)
        since_ms = resident.run.last_at_ms
        self._slots.ask(resident.key, command.step, action, alone=command.alone, share=share, since_ms=since_ms)

    def _cancel(self, key: int, command: CancelAttempt) -> None:
        attempt = self._running.get((key, command.step))
        if attempt is not None and attempt.number == command.attempt:
            self._stop(attempt, "canceled")

    # -- starting

    def _start(self, resident: Resident, command: StartAttempt) -> None:
        attempt = _attempt_of(resident, command.step, command.attempt, alone=command.alone)
        if self._stopped:
            self._cut_off(attempt)
            return
        entry = self._actions().action(attempt.action)
        if entry is None:
            self._refuse(attempt, _unknown(attempt.action, self._actions().absence(attempt.action)))
            return
        if self.stand_in is not None:
            entry = self.stand_in(attempt, entry)
        attempt.executor = entry.executors[0]
        attempt.plugin = entry.plugin
        if entry.filled:
            attempt.effects = entry.effects
        bearer = log_bearer.set(attempt)
        try:
            work = self._work.of(attempt, entry, command.options)
        except HostdError as error:
            self._refuse(attempt, refused(error))
        except Exception as error:  # noqa: BLE001 the fence: a `run` that raises where it should return a coroutine
            self._ended(attempt, None, error)
        else:
            self._begin(attempt, work)
        finally:
            log_bearer.reset(bearer)

    async def before_adoption(self, resident: Resident) -> None:
        """Learn what a run's attempts that outlived the last daemon may show: any secret of the namespace.

        Which of them a plugin asked for at work, nobody remembers. An action that is not loaded may come later.
        """
        actions, plan = self._actions(), resident.run.plan
        entries = (actions.action(plan.steps[index].uses) for index in resident.run.active)
        if not any(entry is None or entry.executors[0] == "process" for entry in entries):
            return
        await self._inherited.learn(resident.namespace, plan.secret_names)

    def adopt(self, resident: Resident, index: int, number: int) -> bool:
        """Go on waiting for an attempt that runs, here or in a plugin's process that a daemon before this one started.

        Returns whether one does.
        """
        known = self._running.get((resident.key, index))
        if known is not None and known.number == number:
            return True
        attempt = _attempt_of(resident, index, number)
        entry = self._actions().action(attempt.action)
        if entry is None or entry.executors[0] != "process":
            return False
        if not entry.instance.holds(attempt.run_id, attempt.step.id, number):
            return False
        attempt.executor, attempt.effects, attempt.plugin = "process", entry.effects, entry.plugin
        attempt.hidden = self._inherited.of(resident.namespace)
        self._begin(attempt, self._work.again(attempt, entry))
        return True


def _attempt_of(resident: Resident, index: int, number: int, *, alone: bool = False) -> Attempt:
    run = resident.run
    active = run.active.get(index)
    step = run.plan.steps[index]
    return Attempt(
        resident.key,
        resident.namespace,
        run.run_id,
        run.lineage,
        run.plan,
        step,
        step.uses,
        number,
        active.ready_at_ms if active is not None else 0,
        alone,
        run.trace,
    )


def _unknown(action: str, why: str) -> Failure:
    more = why or "`hostd plugin list` shows what is loaded"
    return Failure("ACTION_UNKNOWN", f"no loaded plugin provides the action {action}; {more}")
