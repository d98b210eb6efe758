"""A host's own event loop in a thread of its own, for code without one."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import CancelledError, Future
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from hostd.embedding.calls import Duration, after_fork
from hostd.embedding.host_calls import HostCalls
from hostd.errors.base import HostdError, Kind

T = TypeVar("T")


class OwnThread:
    """Opens a host in a thread, closes it, and carries calls there; any thread may call.

    `call` runs a coroutine of yours on the host's loop: `host.call(lambda host: my_own(host))`.
    """

    def __init__(self, host: HostCalls) -> None:
        self._host = host
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._process = 0
        self._turn = threading.Lock()
        """Held by who opens or closes."""
        self._asking = threading.Lock()
        self._asked: set[Future[Any]] = set()

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close(grace=0 if error is not None else None)

    def open(self) -> None:
        """Start the thread and open the host. Raises HostdError, see `Host.open`."""
        with self._turn:
            if self._thread is not None:
                return
            started: Future[asyncio.AbstractEventLoop] = Future()
            self._thread = threading.Thread(target=_serve, args=(started,), name="hostd-host", daemon=True)
            self._thread.start()
            self._loop, self._process = started.result(), os.getpid()
            try:
                self.call(lambda host: host.__aenter__())
            except BaseException:
                self._end()
                raise

    def close(self, *, grace: Duration = None) -> None:
        """Close the host and end its thread. Safe to call twice, and from several threads; each waits for the end."""
        if self._thread is None or self._process != os.getpid():
            return  # in a forked process it is the parent's, which goes on with it
        self._not_in_its_own_thread()
        with self._turn:
            if self._loop is None:
                return
            try:
                self.call(lambda host: host.close(grace=grace))
            finally:
                self._end()

    def _end(self) -> None:
        with self._asking:
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
        if loop is not None and thread is not None:
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
        for future in list(self._asked):
            future.cancel()  # asked for in the last moment, and nobody is there any more

    def call(self, make: Callable[[HostCalls], Coroutine[Any, Any, T]]) -> T:
        """Run a coroutine of the host on its loop and return what it returns. Raises what it raises."""
        self._not_in_its_own_thread()
        future = self._ask(make)
        try:
            return future.result()
        except CancelledError:
            if self._loop is None:
                raise _closed() from None
            raise
        except BaseException:
            future.cancel()  # the caller was interrupted
            raise
        finally:
            self._asked.discard(future)

    def _ask(self, make: Callable[[HostCalls], Coroutine[Any, Any, T]]) -> Future[T]:
        with self._asking:
            loop = self._loop
            if loop is None:
                raise _closed()
            if self._process != os.getpid():
                raise after_fork()
            future = asyncio.run_coroutine_threadsafe(make(self._host), loop)
            self._asked.add(future)
        return future

    def _not_in_its_own_thread(self) -> None:
        if threading.current_thread() is self._thread and self._process == os.getpid():
            message = "this is the host's own thread, which would wait for itself; use the Host there"
            raise HostdError(Kind.INVALID, "ARGUMENT_INVALID", message)


class Stream(Generic[T]):
    """An iterator over an asynchronous one; each item is fetched when it is asked for."""

    def __init__(self, host: OwnThread, make: Callable[[HostCalls], AsyncIterator[T]]) -> None:
        self._host = host
        self._make = make
        self._items: AsyncIterator[T] | None = None

    def __iter__(self) -> Stream[T]:
        return self

    def __next__(self) -> T:
        found = self._host.call(self._next)
        if found is None:
            raise StopIteration
        return found[0]

    async def _next(self, host: HostCalls) -> tuple[T] | None:
        """Return the next item in a tuple, None at the end: StopIteration does not pass through futures."""
        if self._items is None:
            self._items = self._make(host)
        try:
            return (await anext(self._items),)
        except StopAsyncIteration:
            return None


def _closed() -> HostdError:
    message = "the host is not open: it is, inside `with Host.blocking(...)`, or after `open()`"
    return HostdError(Kind.UNAVAILABLE, "DRAINING", message)


def _serve(started: Future[asyncio.AbstractEventLoop]) -> None:
    """Run a loop until it is stopped. Made here: only the main thread's loop may have to do with signals."""
    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        loop.call_soon(started.set_result, loop)
        loop.run_forever()
