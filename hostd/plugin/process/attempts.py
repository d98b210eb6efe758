"""The attempts this process holds: those that run, and those whose outcome the host has not recorded yet."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from hostd.errors.base import HostdError
from hostd.plugin.guard import Fault, fault_of, output_of
from hostd.plugin.option_reading import parse_options
from hostd.plugin.process.action_scope import ActionScope
from hostd.plugin.process.actions import Actions, LiveAction, Workplace
from hostd.plugin.process.heartbeats import Heartbeats
from hostd.plugin.process.here import Here
from hostd.plugin.process.host_calls import HostCalls
from hostd.plugin.process.link import Link
from hostd.plugin.process.tasks import Tasks
from hostd.plugin.process.wire import AttemptKey, fault_to_wire, key_of, value_of
from hostd.plugin.v1 import host_pb2 as pb

THREADS = 32
HELD_MAX = 10_000


class Attempt:
    """One attempt that runs."""

    def __init__(self, key: AttemptKey, scope: ActionScope, heartbeats: Heartbeats) -> None:
        self.key = key
        self.scope = scope
        self.heartbeats = heartbeats
        self.forsaken = False  # nobody waits for its outcome any more
        self.task: asyncio.Task[None] | None = None
        self.job: Future[Any] | None = None  # in a thread

    def cancel(self) -> None:
        """Ask it to stop: what waits is interrupted, what blocks a thread has to look."""
        self.scope.cancel.set()
        if self.job is not None:
            self.job.cancel()  # if it has not begun
        elif self.task is not None:
            self.task.cancel()


class Attempts:
    """All of them, by name and epoch."""

    def __init__(self, actions: Actions, workplace: Workplace, *, link: Link, here: Here, tasks: Tasks) -> None:
        self.draining = False
        self._actions = actions
        self._workplace = workplace
        self._link = link
        self._here = here
        self._tasks = tasks
        self._running: dict[AttemptKey, Attempt] = {}
        self._outcomes: dict[AttemptKey, tuple[pb.Outcome, Heartbeats | None]] = {}
        self._epochs: dict[tuple[str, str, int], set[int]] = {}  # of what is held, by the attempt without its epoch
        self._pool: ThreadPoolExecutor | None = None
        self._changed = asyncio.Event()

    # -- what the host says

    def start(self, start: pb.StartAttempt) -> None:
        """Begin an attempt. One that is held already is not begun again: its outcome comes, or comes once more."""
        key = key_of(start.id)
        if key in self._running:
            return
        if key in self._outcomes:
            self._link.push(pb.FromPlugin(outcome=self._outcomes[key][0]))
            return
        refusal = self._refusal(key)
        if refusal is not None:
            self._link.push(pb.FromPlugin(outcome=_failed(key, refusal)))
            return
        self._forsake_older(key)
        self._begin(key, start)

    def _begin(self, key: AttemptKey, start: pb.StartAttempt) -> None:
        heartbeats = Heartbeats(key, self._link, self._here)
        try:
            scope = ActionScope(start, key, self._workplace, HostCalls(self._link, key), heartbeats)
        except (HostdError, OverflowError) as error:
            self._keep(_failed(key, fault_of(error)), None)
            return
        attempt = self._running[key] = Attempt(key, scope, heartbeats)
        self._epochs.setdefault(key.place, set()).add(key.epoch)
        attempt.task = self._tasks.spawn(self._run(attempt, start), name=f"attempt {start.action}")

    def _refusal(self, key: AttemptKey) -> Fault | None:
        if self.draining:
            return Fault("DRAINING", "the plugin's process is stopping", retryable=True)
        if len(self._running) + len(self._outcomes) >= HELD_MAX:
            return Fault("INTAKE_FULL", f"the process holds {HELD_MAX} attempts already", retryable=True)
        if any(epoch > key.epoch for epoch in self._epochs.get(key.place, ())):
            return Fault("STALE_ATTEMPT", "the attempt belongs to a later owner of the run")
        return None

    def _forsake_older(self, key: AttemptKey) -> None:
        """The run has another owner now: what was begun for the one before is of no use."""
        for epoch in tuple(self._epochs.get(key.place, ())):
            held = key._replace(epoch=epoch)
            if held in self._running:
                self._running[held].forsaken = True
                self._running[held].cancel()
            self._outcomes.pop(held, None)
            self._forget(held)

    def _forget(self, key: AttemptKey) -> None:
        """Take note that an attempt is held no more, where that is so."""
        epochs = self._epochs.get(key.place)
        if epochs is None or key in self._running or key in self._outcomes:
            return
        epochs.discard(key.epoch)
        if not epochs:
            del self._epochs[key.place]

    def cancel(self, wire: pb.AttemptId) -> None:
        """Ask an attempt to stop; one that is not held under that epoch is left alone."""
        attempt = self._running.get(key_of(wire))
        if attempt is not None:
            attempt.cancel()

    def recorded(self, ids: Iterable[pb.AttemptId]) -> None:
        """Forget outcomes that are durable."""
        for wire in ids:
            key = key_of(wire)
            self._outcomes.pop(key, None)
            self._forget(key)
        self._pulse()

    # -- reconnecting

    def held(self) -> list[pb.AttemptId]:
        """Return what Hello tells: all that run or have an outcome that is not recorded."""
        return [key.to_wire() for key in (*self._running, *self._outcomes)]

    def resend(self) -> None:
        """Send the last progress of all, and every outcome that is not recorded."""
        for attempt in self._running.values():
            attempt.heartbeats.again()
        for key, (outcome, heartbeats) in self._outcomes.items():
            if heartbeats is not None:
                heartbeats.again()
            self._workplace.logs.flush(key, last=True)
            self._link.push(pb.FromPlugin(outcome=outcome))

    # -- running

    async def _run(self, attempt: Attempt, start: pb.StartAttempt) -> None:
        end: bytes | Fault | None
        try:
            end = output_of(await self._work(attempt, start))
        except BaseException as error:  # noqa: BLE001 the fence: a plugin may raise anything, and the process goes on
            end = _meaning(error, attempt)
        finally:
            attempt.heartbeats.stop()
        self._ended(attempt, end)

    async def _work(self, attempt: Attempt, start: pb.StartAttempt) -> Any:
        action = self._actions.get(start.action)
        options = parse_options(action.options, value_of(start.options), owner=action.id)
        await action.prepare()
        if action.blocking:
            return await self._in_thread(attempt, action, options)
        return await action.instance.run(attempt.scope, options)

    async def _in_thread(self, attempt: Attempt, action: LiveAction, options: Any) -> Any:
        if self._pool is None:
            self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="action")
        attempt.job = self._pool.submit(_fenced, action, attempt.scope, options)
        value, error = await asyncio.wrap_future(attempt.job)
        if error is not None:
            raise error
        return value

    def _ended(self, attempt: Attempt, end: bytes | Fault | None) -> None:
        self._running.pop(attempt.key, None)
        self._pulse()
        if attempt.forsaken:
            self._forget(attempt.key)
            return
        attempt.heartbeats.flush()
        self._workplace.logs.flush(attempt.key, last=True, dropped=attempt.scope.log.dropped)
        self._keep(self._outcome(attempt.key, end), attempt.heartbeats)

    def _outcome(self, key: AttemptKey, end: bytes | Fault | None) -> pb.Outcome:
        if end is None:
            return pb.Outcome(id=key.to_wire(), canceled=True)
        if isinstance(end, Fault):
            return _failed(key, end)
        outcome = pb.Outcome(id=key.to_wire(), output=end)
        try:
            self._link.check_size(pb.FromPlugin(outcome=outcome))
        except HostdError as error:
            return _failed(key, Fault("OUTPUT_TOO_LARGE", f"the output is too large: {error.message}"))
        return outcome

    def _keep(self, outcome: pb.Outcome, heartbeats: Heartbeats | None) -> None:
        key = key_of(outcome.id)
        self._outcomes[key] = (outcome, heartbeats)
        self._epochs.setdefault(key.place, set()).add(key.epoch)
        self._link.push(pb.FromPlugin(outcome=outcome))

    # -- ending

    async def settled(self) -> None:
        """Wait until nothing runs and every outcome is recorded."""
        while self._running or self._outcomes:
            self._changed.clear()
            await self._changed.wait()

    async def give_up(self, patience_s: float) -> None:
        """Cancel what still runs, without outcomes: the host knows what became of attempts whose process is gone."""
        tasks = []
        for attempt in list(self._running.values()):
            attempt.forsaken = True
            attempt.cancel()
            if attempt.task is not None:
                tasks.append(attempt.task)
        if tasks:
            await asyncio.wait(tasks, timeout=patience_s)

    def _pulse(self) -> None:
        self._changed.set()


def _fenced(action: LiveAction, scope: ActionScope, options: Any) -> tuple[Any, BaseException | None]:
    """Run a blocking action; what it raises is returned, for a future cannot hold everything."""
    try:
        return action.instance.run(scope, options), None
    except BaseException as error:  # noqa: BLE001 the fence
        return None, RuntimeError("StopIteration") if isinstance(error, StopIteration) else error


def _meaning(error: BaseException, attempt: Attempt) -> Fault | None:
    """Return what an attempt's exception means, None for stopped because it was asked to."""
    if attempt.scope.cancel.requested:
        return None
    if isinstance(error, asyncio.CancelledError):
        return Fault("ACTION_RAISED", "the action canceled itself; it should raise ActionError", retryable=True)
    return fault_of(error)


def _failed(key: AttemptKey, fault: Fault) -> pb.Outcome:
    return pb.Outcome(id=key.to_wire(), fault=fault_to_wire(fault))
