"""Doing what was decided: the only caller of actions, scripts and workers. Each answer returns by the inside lane.

An action that does not wait is driven to its end in place; only one that waits becomes a task, takes a slot, and gets
its timeout. Attempts are at least once: what runs here when the daemon dies is lost and decided about by recovery.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from random import Random
from typing import Any

from hostd.aio import Clock, call_later
from hostd.errors.base import HostdError, Kind
from hostd.host.lost import AttemptLostError
from hostd.journal.logs import one_line
from hostd.model.commands import AskSlot, CancelAttempt, Command, StartAttempt
from hostd.model.messages import AttemptDone, AttemptError, AttemptGone, Message
from hostd.model.records import Failure
from hostd.model.secrets import has_secret
from hostd.runtime.attempts.action_threads import ActionThreads
from hostd.runtime.attempts.answers import Answers, clean, refused
from hostd.runtime.attempts.attempt import Attempt
from hostd.runtime.attempts.drive import Ended, drive
from hostd.runtime.attempts.inherited_secrets import InheritedSecrets
from hostd.runtime.attempts.literal_options import LiteralOptions
from hostd.runtime.attempts.secret_values import SecretReader, resolve, secret_values
from hostd.runtime.attempts.slots import ALONE_S, Slots
from hostd.runtime.ports import ActionEntry, AttemptLog, Contexts, Faults, Loaded, Scripts
from hostd.runtime.ring.metering import AttemptTimes
from hostd.runtime.ring.turn import Resident
from hostd.telemetry.attempt_lines import repeat_lines
from hostd.telemetry.logs import bearing, log_bearer

_log = logging.getLogger("hostd.runtime")

CANCEL_GRACE_S = 30.0
STUCK_MAX = 3  # calls of one action that never returned from their thread; then it is not called any more
OWN_LOOP_GRACE_S = 1.0
STOP_S = 2.0
SUCCEEDED, FAILED, CANCELED = "SUCCEEDED", "FAILED", "CANCELED"  # as counted
UNKNOWN = "unknown"  # an action that no plugin provides, as counted


class Effects:
    """Starts, cancels and collects attempts."""

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
        self._actions = actions
        self._contexts = contexts
        self._scripts = scripts
        self._read_secret = read_secret
        self._inherited = InheritedSecrets(read_secret, secret_names)
        self._slots = slots
        self._logs = logs
        self._clock = clock
        self._tell = tell
        self._ask_recorded = ask
        self._faults = faults
        self._cancel_grace_s = cancel_grace_s
        self._answers = Answers(contexts=contexts, random=random)
        self._running: dict[tuple[int, int], Attempt] = {}
        self._abandoned: set[Attempt] = set()
        self._literals = LiteralOptions()
        self._threads = ActionThreads(threads_max)
        self._stopped = False
        self.stand_in: Callable[[Attempt, ActionEntry], ActionEntry] | None = None  # tests: a fake for the action
        self.ends: dict[tuple[str, str, str], int] = {}  # attempts that ended, by executor, action and outcome
        self.times: AttemptTimes | None = None

    @property
    def in_flight(self) -> int:
        """Attempts that wait."""
        return len(self._running)

    def running(self) -> list[Attempt]:
        """Return the attempts that wait."""
        return list(self._running.values())

    def live_lines(self, key: int, step: int, attempt: int, *, skip: int) -> Sequence[str]:
        """Return lines of an attempt that runs, as its file will hold them; see runtime/ports.py."""
        found = self._running.get((key, step))
        if found is None or found.number != attempt or found.context is None:
            return ()
        lines = [one_line(line) for line in found.context.lines[skip:]]
        return clean(lines, found.hidden) if found.hidden else lines

    def stuck(self) -> Counter[str]:
        """Return how many calls of each action have outlived their attempt and hold a thread."""
        return Counter(attempt.action for attempt in self._abandoned if attempt.executor == "thread")

    def change_limits(self, *, threads_max: int, cancel_grace_s: float) -> None:
        """Take other limits; attempts that were told to stop keep the time they were given."""
        self._threads.threads_max = threads_max
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
        attempt.effects = entry.effects
        attempt.plugin = entry.plugin
        bearer = log_bearer.set(attempt)
        try:
            work = self._work_for(attempt, entry, command.options)
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
        attempt.context = self._contexts.action(attempt)
        self._begin(attempt, entry.instance.again(attempt.context))
        return True

    def _work_for(self, attempt: Attempt, entry: ActionEntry, rendered: Any) -> Coroutine[Any, Any, Any]:
        if not entry.life.ready or (attempt.plan.secret_names and has_secret(rendered)):
            return self._prepare_and_run(attempt, entry, rendered)
        return self._work(attempt, entry, self._literals.parse(attempt, entry, rendered))

    async def _prepare_and_run(self, attempt: Attempt, entry: ActionEntry, rendered: Any) -> Any:
        """Provision on first use, and turn names of secrets into values at the last moment."""
        if not entry.life.ready:
            await entry.life.prepare()
        values = await secret_values(self._read_secret, attempt.namespace, rendered)
        attempt.hidden = tuple(values.values())
        return await self._work(attempt, entry, entry.parse(resolve(rendered, values)))

    def _work(self, attempt: Attempt, entry: ActionEntry, options: Any) -> Coroutine[Any, Any, Any]:
        context = attempt.context = self._contexts.action(attempt)
        executor = attempt.executor
        if executor == "lua":
            return self._scripts.run_step(attempt, options)
        if executor == "thread":
            return self._in_thread(attempt, entry, options)
        work: Coroutine[Any, Any, Any] = entry.instance.run(context, options)
        return work

    async def _in_thread(self, attempt: Attempt, entry: ActionEntry, options: Any) -> Any:
        if self._abandoned and self.stuck()[attempt.action] >= STUCK_MAX:
            message = f"{STUCK_MAX} calls of {attempt.action} never returned from their threads; restart the daemon"
            raise HostdError(Kind.STATE, "PLUGIN_FAILED", message)
        if entry.own_loop:
            attempt.own_loop = True
            return await entry.instance.run(attempt.context, options)
        return await self._threads.run(entry.instance.run, attempt.context, options)

    def _begin(self, attempt: Attempt, work: Coroutine[Any, Any, Any]) -> None:
        if self._faults is not None:
            self._faults.reached("attempt", step=attempt.step.id)
        begun = drive(work, name=attempt.action)
        if type(begun) is Ended:
            self._ended(attempt, begun.value, begun.error)
            return
        attempt.task = begun  # type: ignore[assignment]
        attempt.waits = True
        attempt.began_s = self._clock.monotonic_s()
        self._running[(attempt.key, attempt.step.index)] = attempt
        self._slots.waits(attempt.action)
        if attempt.step.timeout_ms:
            attempt.timer = call_later(self._clock, attempt.step.timeout_ms / 1000, self._stop, attempt, "timeout")
        if attempt.alone:
            asyncio.get_running_loop().call_later(ALONE_S, self._outlived, attempt)
        attempt.task.add_done_callback(lambda done: self._task_done(attempt, done))  # type: ignore[union-attr]

    def _refuse(self, attempt: Attempt, failure: Failure) -> None:
        """Answer an attempt that was not begun."""
        self._let_go(attempt)
        self._count(attempt, attempt.action if attempt.plugin else UNKNOWN, FAILED)
        self._tell(attempt.key, self._answers.failed(attempt, failure))

    # -- stopping

    def _cancel(self, key: int, command: CancelAttempt) -> None:
        attempt = self._running.get((key, command.step))
        if attempt is not None and attempt.number == command.attempt:
            self._stop(attempt, "canceled")

    def _stop(self, attempt: Attempt, reason: str) -> None:
        """Ask an attempt to stop; what does not answer in the grace time is given up and counted as stopped."""
        if attempt.finished or attempt.cancel_reason:
            return
        attempt.cancel_reason = reason
        if attempt.context is not None:
            attempt.context.request_cancel()
        grace_s = self._cancel_grace_s
        if attempt.own_loop and attempt.task is not None:
            grace_s = min(grace_s, OWN_LOOP_GRACE_S) if reason == "timeout" else grace_s  # its loop may be blocked
            attempt.task.cancel()
        elif attempt.executor == "thread" and attempt.context is not None:
            grace_s = 0.0 if reason == "timeout" else grace_s  # a thread cannot be stopped: it is abandoned and counted
        elif attempt.task is not None:
            attempt.task.cancel()
        attempt.grace = call_later(self._clock, grace_s, self._give_up, attempt)

    def _give_up(self, attempt: Attempt) -> None:
        if attempt.finished:
            return
        with bearing(attempt):
            _log.warning("attempt_abandoned cancel_reason=%s", attempt.cancel_reason)
        attempt.abandoned = True
        self._abandoned.add(attempt)
        self._ended(attempt, None, asyncio.CancelledError())

    def _outlived(self, attempt: Attempt) -> None:
        if not attempt.finished:
            self._slots.outlived(attempt.key, attempt.step.index)

    # -- ends

    def _task_done(self, attempt: Attempt, task: asyncio.Task[Any]) -> None:
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        if attempt.abandoned:
            self._abandoned.discard(attempt)
            if attempt.executor == "thread":
                self._free(attempt)
        elif not attempt.finished:
            self._ended(attempt, None if error else task.result(), error)

    def _ended(self, attempt: Attempt, value: Any, error: BaseException | None) -> None:
        waited = attempt.waits
        self._let_go(attempt)
        if error is not None and (self._stopped or isinstance(error, AttemptLostError)):
            self._cut_off(attempt)
        else:
            answer = self._answers.of(attempt, value, error)
            outcome = _outcome(answer)
            self._count(attempt, attempt.action, outcome)
            if waited and outcome is SUCCEEDED and self.times is not None and attempt.ready_at_ms:
                self.times.succeeded(attempt.executor, (self._clock.wall_ms() - attempt.ready_at_ms) / 1000)
            self._answer(attempt, answer)
        if attempt.context is not None and attempt.context.lines:
            lines = attempt.context.lines
            lines = clean(lines, attempt.hidden) if attempt.hidden else lines
            self._logs.append(attempt.run_id, attempt.step.id, attempt.number, lines)
            repeat_lines(attempt, lines)
        if not attempt.abandoned:
            attempt.context = None

    def _count(self, attempt: Attempt, action: str, outcome: str) -> None:
        ended = (attempt.executor, action, outcome)
        self.ends[ended] = self.ends.get(ended, 0) + 1

    def _answer(self, attempt: Attempt, answer: AttemptDone | AttemptError) -> None:
        """Tell the engine; whoever keeps the outcome until it is durable (a plugin's process) hears when it is."""
        recorded = attempt.context.when_recorded if attempt.context is not None else None
        if recorded is None or self._ask_recorded is None:
            self._tell(attempt.key, answer)
            return
        self._ask_recorded(attempt.key, answer).add_done_callback(lambda done: done.exception() or recorded())

    def _let_go(self, attempt: Attempt) -> None:
        attempt.finished = True
        if not attempt.waits:
            self._slots.passed(attempt.key, attempt.step.index, attempt.action)
            return
        attempt.waits = False
        if self.times is not None:
            self.times.took(attempt.executor, self._clock.monotonic_s() - attempt.began_s)
        for timer in (attempt.timer, attempt.grace):
            if timer is not None:
                timer.cancel()
        place = (attempt.key, attempt.step.index)
        if self._running.get(place) is attempt:
            del self._running[place]
        if attempt.abandoned and attempt.executor == "thread":
            self._slots.outlived(*place)  # its thread is taken until the call returns
        else:
            self._free(attempt)

    def _free(self, attempt: Attempt) -> None:
        self._slots.ended(attempt.key, attempt.step.index, attempt.action)

    # -- the end

    def _cut_off(self, attempt: Attempt) -> None:
        """The daemon stops, or a plugin's process died: the attempt is lost, but no suspect of killing the daemon."""
        self._tell(attempt.key, AttemptGone(attempt.step.index, attempt.number, attempt.effects, suspect=False))

    async def drain(self, deadline_s: float) -> int:
        """Wait for what runs, at most so long; return how many still run."""
        until_s = self._clock.monotonic_s() + deadline_s
        while self._running and (left_s := until_s - self._clock.monotonic_s()) > 0:
            tasks = [attempt.task for attempt in self._running.values() if attempt.task is not None]
            await asyncio.wait(tasks, timeout=left_s, return_when=asyncio.FIRST_COMPLETED)
        return len(self._running)

    def hold(self) -> None:
        """Start nothing any more, and record nothing of what is canceled from now on: the next start decides."""
        self._stopped = True
        self._slots.hold()

    async def stop(self) -> None:
        """Cut off what still runs; nothing starts any more. What was cut off is issued again by the next start."""
        self.hold()
        attempts = [*self._running.values(), *self._abandoned]
        for attempt in attempts:
            if attempt.context is not None:
                attempt.context.request_cancel()
            if attempt.task is not None and (attempt.executor != "thread" or attempt.own_loop or attempt.abandoned):
                attempt.task.cancel()
        tasks = [attempt.task for attempt in attempts if attempt.task is not None]
        if tasks:
            await asyncio.wait(tasks, timeout=STOP_S)
        for attempt in self.running():  # what listens to nothing goes down with the daemon
            attempt.abandoned = True
            self._ended(attempt, None, asyncio.CancelledError())
        self._threads.close()


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


def _outcome(answer: AttemptDone | AttemptError) -> str:
    if type(answer) is AttemptDone:
        return SUCCEEDED
    return CANCELED if answer.canceled else FAILED  # type: ignore[union-attr]
