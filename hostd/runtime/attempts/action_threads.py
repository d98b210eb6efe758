"""Threads for blocking actions. A call cannot be stopped: one that never returns keeps its thread, not the daemon.

The standard pool's threads are waited for when the interpreter ends; these are not.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, NamedTuple

from hostd.errors.base import HostdError, Kind


class _Call(NamedTuple):
    work: Callable[..., Any]
    args: tuple[Any, ...]
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]
    context: contextvars.Context  # whose events of the log it writes


class Raised:
    """What a call raised, whatever it was: some exceptions (StopIteration, SystemExit) do not pass through futures."""

    __slots__ = ("error",)

    def __init__(self, error: BaseException) -> None:
        self.error = error


class ActionThreads:
    """A bounded pool that grows when nobody is free."""

    def __init__(self, threads_max: int) -> None:
        self.threads_max = threads_max  # may change; threads above it stay, and find less to do
        self._queue: SimpleQueue[_Call | None] = SimpleQueue()
        self._started = 0
        self._busy = 0  # calls handed over that have not come back; on the loop's thread

    @property
    def busy(self) -> int:
        """Calls that have not returned."""
        return self._busy

    async def run(self, work: Callable[..., Any], *args: Any) -> Any:
        """Return what a blocking call returns, or raise what it raised. Cancelling leaves the call running.

        Raises:
            HostdError: ACTION_RAISED for a KeyboardInterrupt: no key was pressed, and it would end the daemon's loop.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        self._busy += 1
        if self._busy > self._started and self._started < self.threads_max:
            self._started += 1
            threading.Thread(target=self._serve, name=f"hostd-action-{self._started}", daemon=True).start()
        self._queue.put(_Call(work, args, loop, future, contextvars.copy_context()))
        outcome = await future
        if type(outcome) is Raised:
            if isinstance(outcome.error, KeyboardInterrupt):
                message = f"KeyboardInterrupt: {outcome.error}"[:2_000]
                raise HostdError(Kind.UNAVAILABLE, "ACTION_RAISED", message) from outcome.error
            raise outcome.error
        return outcome

    def _serve(self) -> None:
        while (call := self._queue.get()) is not None:
            outcome: Any
            try:
                outcome = call.context.run(call.work, *call.args)
            except BaseException as error:  # noqa: BLE001 the thread lives on; whoever waits raises it
                outcome = Raised(error)
            try:
                call.loop.call_soon_threadsafe(self._back, call.future, outcome)
            except RuntimeError:
                return  # the loop has been closed: nobody waits

    def _back(self, future: asyncio.Future[Any], outcome: Any) -> None:
        self._busy -= 1
        if not future.done():
            future.set_result(outcome)

    def close(self) -> None:
        """Let idle threads end; busy ones end when their call does, or with the process."""
        for _ in range(self._started):
            self._queue.put(None)
