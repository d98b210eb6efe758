"""Doing what was decided: the only caller of actions, scripts and workers. Each answer returns by the inside lane.

An action that does not wait is driven to its end in place; only one that waits becomes a task, takes a slot, and gets
its timeout. Attempts are at least once: what runs here when the daemon dies is lost and decided about by recovery.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Any

from hostd.aio import Clock
from hostd.errors.base import HostdError
from hostd.model.commands import AskSlot, CancelAttempt, Command, StartAttempt
from hostd.model.messages import AttemptDone, AttemptError, Message
from hostd.model.payload import OUTPUT_BYTES_MAX, to_blob
from hostd.model.records import Failure
from hostd.model.secrets import has_secret
from hostd.runtime.attempt import Attempt
from hostd.runtime.drive import Ended, drive
from hostd.runtime.ports import ActionEntry, Actions, AttemptLog, Contexts, Faults, NoFaults, Scripts
from hostd.runtime.redaction import redact, redact_bytes
from hostd.runtime.secret_values import SecretReader, resolve, secret_values
from hostd.runtime.slots import ALONE_S, Slots
from hostd.runtime.turn import Resident
from hostd.values.json_text import dump_json

_log = logging.getLogger("hostd.runtime")

CANCEL_GRACE_S = 30.0
LOG_TAIL_LINES = 20
NULL = b"null"


class Effects:
    """Starts, cancels and collects attempts."""

    def __init__(
        self,
        *,
        actions: Callable[[], Actions],
        contexts: Contexts,
        scripts: Scripts,
        read_secret: SecretReader,
        slots: Slots,
        logs: AttemptLog,
        clock: Clock,
        random: Random,
        tell: Callable[[int, Message], None],
        faults: Faults | None = None,
    ) -> None:
        self._actions = actions
        self._contexts = contexts
        self._scripts = scripts
        self._read_secret = read_secret
        self._slots = slots
        self._logs = logs
        self._clock = clock
        self._random = random
        self._tell = tell
        self._faults = faults or NoFaults()
        self._running: dict[tuple[int, int], Attempt] = {}
        self._literal: dict[tuple[bytes, int, int], Any] = {}
        self._threads = ThreadPoolExecutor(32, thread_name_prefix="hostd-action")
        self._stopped = False

    @property
    def in_flight(self) -> int:
        """Attempts that wait."""
        return len(self._running)

    def running(self) -> list[Attempt]:
        """Return the attempts that wait."""
        return list(self._running.values())

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
        action = resident.run.plan.steps[command.step].uses
        self._slots.ask(resident.key, command.step, action, alone=command.alone)

    # -- starting

    def _start(self, resident: Resident, command: StartAttempt) -> None:
        if self._stopped:
            return
        run = resident.run
        step = run.plan.steps[command.step]
        attempt = Attempt(
            key=resident.key,
            namespace=resident.namespace,
            run_id=run.run_id,
            plan=run.plan,
            step=step,
            number=command.attempt,
            alone=command.alone,
            lineage=run.lineage,
            ready_at_ms=active.ready_at_ms if (active := run.active.get(command.step)) is not None else 0,
        )
        entry = self._actions().action(step.uses)
        if entry is None:
            message = f"no loaded plugin provides the action {step.uses}; `hostd plugin list` shows what is loaded"
            self._answer_failure(attempt, Failure("ACTION_UNKNOWN", message))
            return
        attempt.executor = entry.executors[0]
        attempt.effects = entry.effects
        if not entry.life.ready or (run.plan.secret_names and has_secret(command.options)):
            self._begin(attempt, self._prepare_and_run(attempt, entry, command.options))
            return
        try:
            options = self._options(attempt, entry, command.options)
        except HostdError as error:
            self._answer_failure(attempt, _failure(error))
            return
        self._begin(attempt, self._work(attempt, entry, options))

    def _options(self, attempt: Attempt, entry: ActionEntry, rendered: Any) -> Any:
        """Return the parsed options; those of a literal `with` are parsed once."""
        template = attempt.step.options
        if template is not None and not template.literal:
            return entry.parse(rendered)
        key = (attempt.plan.digest, attempt.step.index, id(entry))
        options = self._literal.get(key)
        if options is None:
            if len(self._literal) > 10_000:
                self._literal.clear()
            options = self._literal[key] = entry.parse(rendered)
        return options

    async def _prepare_and_run(self, attempt: Attempt, entry: ActionEntry, rendered: Any) -> Any:
        """Provision on first use, and turn names of secrets into values at the last moment."""
        if not entry.life.ready:
            await entry.life.prepare()
        values = await secret_values(self._read_secret, attempt.namespace, rendered)
        attempt.hidden = tuple(values.values())
        return await self._work(attempt, entry, entry.parse(resolve(rendered, values)))

    def _work(self, attempt: Attempt, entry: ActionEntry, options: Any) -> Coroutine[Any, Any, Any]:
        context = attempt.context = self._contexts.action(attempt)
        if attempt.executor == "lua":
            return self._scripts.run_step(attempt, options)
        if attempt.executor == "thread":
            return self._in_thread(entry, attempt, options)
        work: Coroutine[Any, Any, Any] = entry.instance.run(context, options)
        return work

    async def _in_thread(self, entry: ActionEntry, attempt: Attempt, options: Any) -> Any:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, entry.instance.run, attempt.context, options)

    def _begin(self, attempt: Attempt, coroutine: Coroutine[Any, Any, Any]) -> None:
        self._faults.reached("attempt", step=attempt.step.id)
        begun = drive(coroutine, name=attempt.action)
        if type(begun) is Ended:
            self._ended(attempt, begun.value, begun.error)
            return
        task: asyncio.Task[Any] = begun  # type: ignore[assignment]
        attempt.task = task
        attempt.waits = True
        self._running[(attempt.key, attempt.step.index)] = attempt
        self._slots.waits(attempt.action, attempt.executor)
        loop = asyncio.get_running_loop()
        if attempt.step.timeout_ms:
            attempt.timer = loop.call_later(attempt.step.timeout_ms / 1000, self._time_out, attempt)
        if attempt.alone:
            loop.call_later(ALONE_S, self._alone_over, attempt)
        task.add_done_callback(lambda done: self._task_done(attempt, done))

    # -- stopping

    def _cancel(self, key: int, command: CancelAttempt) -> None:
        attempt = self._running.get((key, command.step))
        if attempt is not None and attempt.number == command.attempt:
            self._stop(attempt, "canceled")

    def _time_out(self, attempt: Attempt) -> None:
        self._stop(attempt, "timeout")

    def _stop(self, attempt: Attempt, reason: str) -> None:
        """Ask an attempt to stop; what does not answer in the grace time is given up and counted as stopped."""
        if attempt.finished or attempt.cancel_reason:
            return
        attempt.cancel_reason = reason
        if attempt.context is not None:
            attempt.context.request_cancel()
        grace_s = CANCEL_GRACE_S
        if attempt.executor == "thread" and reason == "timeout":
            grace_s = 0.0  # a thread cannot be stopped: it is abandoned and counted
        elif attempt.task is not None and attempt.executor != "thread":
            attempt.task.cancel()
        attempt.grace = asyncio.get_running_loop().call_later(grace_s, self._give_up, attempt)

    def _give_up(self, attempt: Attempt) -> None:
        if not attempt.finished:
            _log.warning("attempt_abandoned run=%s step=%s action=%s", attempt.run_id, attempt.step.id, attempt.action)
            self._ended(attempt, None, asyncio.CancelledError())

    def _alone_over(self, attempt: Attempt) -> None:
        if not attempt.finished and self._slots.is_alone(attempt.key, attempt.step.index):
            self._slots.alone_ended()

    # -- answers

    def _task_done(self, attempt: Attempt, task: asyncio.Task[Any]) -> None:
        if attempt.finished:
            return
        if task.cancelled():
            self._ended(attempt, None, asyncio.CancelledError())
            return
        error = task.exception()
        self._ended(attempt, None if error else task.result(), error)

    def _ended(self, attempt: Attempt, value: Any, error: BaseException | None) -> None:
        self._let_go(attempt)
        if not self._stopped:  # the daemon is going down: what it cut off is lost, not failed
            self._answer(attempt, value, error)
        if attempt.context is not None and attempt.context.lines:
            self._keep_log(attempt)

    def _answer(self, attempt: Attempt, value: Any, error: BaseException | None) -> None:
        if error is not None:
            self._answer_error(attempt, error)
            return
        if value is None:
            self._tell(attempt.key, AttemptDone(attempt.step.index, attempt.number))
            return
        try:
            data = dump_json(value) if type(value) is not bytes else value
        except HostdError as bad:
            failure = Failure(bad.reason, f"the action returned what is no JSON value: {bad.message}")
            self._answer_failure(attempt, failure)
            return
        if attempt.hidden:
            data = redact_bytes(data, attempt.hidden)
        if len(data) > OUTPUT_BYTES_MAX:
            message = f"the output has {len(data)} bytes; {OUTPUT_BYTES_MAX} are allowed"
            self._answer_failure(attempt, Failure("OUTPUT_TOO_LARGE", message))
            return
        output, blob = to_blob(data)
        self._tell(attempt.key, AttemptDone(attempt.step.index, attempt.number, output, blob))

    def _let_go(self, attempt: Attempt) -> None:
        attempt.finished = True
        if attempt.timer is not None:
            attempt.timer.cancel()
        if attempt.grace is not None:
            attempt.grace.cancel()
        if attempt.waits:
            attempt.waits = False
            self._running.pop((attempt.key, attempt.step.index), None)
            self._slots.ended(attempt.executor)
        else:
            self._slots.passed(attempt.executor)
        if attempt.alone and self._slots.is_alone(attempt.key, attempt.step.index):
            self._slots.alone_ended()

    def _keep_log(self, attempt: Attempt) -> None:
        lines = attempt.context.lines
        if attempt.hidden:
            lines = [redact(line, attempt.hidden) for line in lines]
        self._logs.append(attempt.run_id, attempt.step.id, attempt.number, lines)

    def _answer_error(self, attempt: Attempt, error: BaseException) -> None:
        if isinstance(error, asyncio.CancelledError):
            if attempt.cancel_reason == "timeout":
                message = f"the attempt took longer than {attempt.step.timeout_ms / 1000:g} s"
                self._answer_failure(attempt, Failure("ATTEMPT_TIMEOUT", message, retryable=True))
            elif attempt.cancel_reason:
                self._answer_failure(attempt, Failure("CANCELED", "the attempt was canceled"), canceled=True)
            else:
                message = "the action canceled itself; it should raise ActionError"
                self._answer_failure(attempt, Failure("ACTION_RAISED", message, retryable=True))
            return
        failure, retry_after_ms = self._contexts.failure(error, attempt)
        self._answer_failure(attempt, failure, retry_after_ms=retry_after_ms)

    def _answer_failure(
        self, attempt: Attempt, failure: Failure, *, retry_after_ms: int | None = None, canceled: bool = False
    ) -> None:
        tail: tuple[str, ...] = ()
        if attempt.context is not None and attempt.context.lines:
            tail = tuple(attempt.context.lines[-LOG_TAIL_LINES:])
        if attempt.hidden:
            tail = tuple(redact(line, attempt.hidden) for line in tail)
            failure = Failure(
                failure.reason,
                redact(failure.message, attempt.hidden),
                code=redact(failure.code, attempt.hidden),
                retryable=failure.retryable,
                details=redact_bytes(failure.details, attempt.hidden),
            )
        self._tell(
            attempt.key,
            AttemptError(
                attempt.step.index,
                attempt.number,
                failure,
                retry_after_ms=retry_after_ms,
                canceled=canceled,
                log_tail=tail,
                random=self._random.random(),
            ),
        )

    # -- the end

    async def drain(self, deadline_s: float) -> int:
        """Wait for what runs, at most so long; return how many still run."""
        until_s = self._clock.monotonic_s() + deadline_s
        while self._running and (left_s := until_s - self._clock.monotonic_s()) > 0:
            tasks = [attempt.task for attempt in self._running.values() if attempt.task is not None]
            if not tasks:
                break
            await asyncio.wait(tasks, timeout=left_s, return_when=asyncio.FIRST_COMPLETED)
        return len(self._running)

    async def stop(self) -> None:
        """Cut off what still runs, without an answer: it is lost, and decided about when the daemon starts again."""
        self._stopped = True
        tasks = []
        for attempt in list(self._running.values()):
            if attempt.context is not None:
                attempt.context.request_cancel()
            if isinstance(attempt.task, asyncio.Task):
                attempt.task.cancel()
                tasks.append(attempt.task)
        if tasks:
            await asyncio.wait(tasks, timeout=2.0)
        self._threads.shutdown(wait=False, cancel_futures=True)


def _failure(error: HostdError) -> Failure:
    details: dict[str, Any] = dict(error.details)
    if error.violations:
        details["violations"] = [{"path": fault.path, "message": fault.message} for fault in error.violations]
    return Failure(error.reason, error.message, details=dump_json(details) if details else b"")
