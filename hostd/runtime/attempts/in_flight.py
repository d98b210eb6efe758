"""Attempts that have begun: how they wait, are told to stop, are given up, and end with the one answer that counts.

An attempt that does not wait ends where it begins; only one that waits becomes a task, takes a slot, and gets its
timeout. Each answer returns by the engine's inside lane.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from hostd.aio import Clock, call_later
from hostd.host.lost import AttemptLostError
from hostd.journal.logs import one_line
from hostd.model.messages import AttemptDone, AttemptError, AttemptGone, Message
from hostd.model.records import Failure
from hostd.runtime.attempts.answers import Answers, clean
from hostd.runtime.attempts.attempt import Attempt
from hostd.runtime.attempts.drive import Ended, drive
from hostd.runtime.attempts.work import AttemptWork
from hostd.runtime.ports import AttemptLog, Faults
from hostd.runtime.ring.metering import AttemptTimes
from hostd.runtime.ring.slots import ALONE_S, Slots
from hostd.telemetry.attempt_lines import repeat_lines
from hostd.telemetry.logs import bearing

_log = logging.getLogger("hostd.runtime")

CANCEL_GRACE_S = 30.0
OWN_LOOP_GRACE_S = 1.0
STOP_S = 2.0
SUCCEEDED, FAILED, CANCELED = "SUCCEEDED", "FAILED", "CANCELED"  # as counted
UNKNOWN = "unknown"  # an action that no plugin provides, as counted


class InFlight:
    """The later half of effects: attempts from their beginning to their end."""

    def __init__(
        self,
        *,
        work: AttemptWork,
        answers: Answers,
        slots: Slots,
        logs: AttemptLog,
        clock: Clock,
        tell: Callable[[int, Message], None],
        ask: Callable[[int, Message], asyncio.Future[bool]] | None,
        faults: Faults | None,
        cancel_grace_s: float,
    ) -> None:
        self._work = work
        self._answers = answers
        self._slots = slots
        self._logs = logs
        self._clock = clock
        self._tell = tell
        self._ask_recorded = ask
        self._faults = faults
        self._cancel_grace_s = cancel_grace_s
        self._running: dict[tuple[int, int], Attempt] = {}
        self._stopped = False
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

    # -- beginning

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
        self._slots.gates.take(attempt.action)
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
        self._work.abandoned.add(attempt)
        self._ended(attempt, None, asyncio.CancelledError())

    def _outlived(self, attempt: Attempt) -> None:
        if not attempt.finished:
            self._slots.outlived(attempt.key, attempt.step.index)

    # -- ends

    def _task_done(self, attempt: Attempt, task: asyncio.Task[Any]) -> None:
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        if attempt.abandoned:
            self._work.abandoned.discard(attempt)
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
        attempts = [*self._running.values(), *self._work.abandoned]
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
        self._work.threads.close()


def _outcome(answer: AttemptDone | AttemptError) -> str:
    if type(answer) is AttemptDone:
        return SUCCEEDED
    return CANCELED if answer.canceled else FAILED  # type: ignore[union-attr]
