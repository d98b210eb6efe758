"""An event loop in a thread of its own, for one plugin: what blocks there does not stop the daemon's."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple

from hostd.errors.base import HostdError, Kind

END_S = 1.0
_ENDS_US = (KeyboardInterrupt, GeneratorExit)  # raised on the daemon's loop they would end it, or what waits there
_Work = Callable[[], Coroutine[Any, Any, Any]]


class _End(NamedTuple):
    """How work ended; `error` is what it raised, whatever that was."""

    value: Any
    error: BaseException | None


class _Call:
    """Work on the plugin's loop; both fields belong to that loop's thread."""

    __slots__ = ("canceled", "task")

    def __init__(self) -> None:
        self.task: asyncio.Task[_End] | None = None
        self.canceled = False

    def cancel(self) -> None:
        """Interrupt the work, or keep it from beginning."""
        self.canceled = True
        if self.task is not None:
            self.task.cancel()


class PluginLoop:
    """Begins with the first call. A thread cannot be ended from outside: one that blocks goes down with the daemon."""

    def __init__(self, plugin: str) -> None:
        self.plugin = plugin
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False

    def _running(self) -> asyncio.AbstractEventLoop:
        if self._closed:
            raise HostdError(Kind.UNAVAILABLE, "PLUGIN_UNAVAILABLE", f"plugin {self.plugin} has been closed")
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            turn = (self._loop, lambda: self._closed)
            threading.Thread(target=_turn, args=turn, name=f"plugin-{self.plugin}", daemon=True).start()
        return self._loop

    async def call(self, work: _Work, *, patience_s: float | None = None) -> Any:
        """Do work there; return what it returns, raise what it raises (ACTION_RAISED for what would end the daemon).

        Cancelling asks the work to stop and waits until it has, at most so long; cancelling once more leaves it alone.
        """
        here = asyncio.get_running_loop()
        there = self._running()
        done: asyncio.Future[_End] = here.create_future()
        call = _Call()
        there.call_soon_threadsafe(_begin, call, work, there, lambda end: _tell(here, done, end))
        try:
            end = await asyncio.shield(done)
        except asyncio.CancelledError:
            if not there.is_closed():
                there.call_soon_threadsafe(call.cancel)
            await asyncio.wait([done], timeout=patience_s)
            if not done.done():
                raise
            end = done.result()
            if end.error is None or isinstance(end.error, asyncio.CancelledError):
                raise
        if isinstance(end.error, _ENDS_US):
            message = f"{type(end.error).__name__}: {end.error}"[:2_000]
            raise HostdError(Kind.UNAVAILABLE, "ACTION_RAISED", message) from end.error
        if end.error is not None:
            raise end.error
        return end.value

    def close(self) -> None:
        """Let the thread end, once what holds it lets go."""
        self._closed = True
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._loop.stop)


def _turn(loop: asyncio.AbstractEventLoop, closed: Callable[[], bool]) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
        while not closed():  # the plugin stopped it, which is not for the plugin to do
            loop.run_forever()
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        if left:
            loop.run_until_complete(asyncio.wait(left, timeout=END_S))
    finally:
        loop.close()


def _begin(call: _Call, work: _Work, loop: asyncio.AbstractEventLoop, tell: Callable[[_End], None]) -> None:
    if call.canceled:
        tell(_End(None, asyncio.CancelledError()))
        return
    call.task = loop.create_task(_fenced(work))
    call.task.add_done_callback(
        lambda task: tell(_End(None, asyncio.CancelledError()) if task.cancelled() else task.result())
    )


async def _fenced(work: _Work) -> _End:
    try:
        return _End(await work(), None)
    except BaseException as error:  # noqa: BLE001 the fence: SystemExit would end the thread; whoever waits raises it
        return _End(None, error)


def _tell(here: asyncio.AbstractEventLoop, done: asyncio.Future[_End], end: _End) -> None:
    def settle() -> None:
        if not done.done():
            done.set_result(end)

    try:
        here.call_soon_threadsafe(settle)
    except RuntimeError:
        return  # the daemon's loop is closed: nobody waits


class HomeLoop:
    """The daemon's loop, as code on a plugin's loop reaches it."""

    __slots__ = ("_loop",)

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    async def ask(self, work: _Work) -> Any:
        """Do work on the daemon's loop; return or raise what it does. Cancelling cancels it there."""

        async def ask() -> _End:
            try:
                return _End(await work(), None)
            except Exception as error:  # noqa: BLE001 handed on as it is, to whoever asked
                return _End(None, error)

        end: _End = await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(ask(), self._loop))
        if end.error is not None:
            raise end.error
        return end.value

    def ask_now(self, work: Callable[[], Any], *, timeout_s: float) -> Any:
        """Do something short on the daemon's loop while this thread waits. Raises TimeoutError, and what it raises."""

        async def do() -> Any:
            return work()

        return asyncio.run_coroutine_threadsafe(do(), self._loop).result(timeout_s)

    def tell(self, work: Callable[[], None]) -> None:
        """Have something short done on the daemon's loop, soon; nobody waits for it."""
        with contextlib.suppress(RuntimeError):  # the daemon's loop is closed
            self._loop.call_soon_threadsafe(work)
