"""A host for code without an event loop: it has one of its own, in a thread of its own. Any thread may call."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from concurrent.futures import CancelledError, Future
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from hostd.embedding.calls import Duration, after_fork
from hostd.embedding.documents import Written
from hostd.embedding.functions import Brought
from hostd.embedding.host_calls import HostCalls, Registered
from hostd.embedding.run import Run
from hostd.embedding.run_calls import RunChange, Which
from hostd.embedding.run_info import Change, RunInfo
from hostd.errors.base import HostdError, Kind
from hostd.model.topics import PublishedView, TopicEvent
from hostd.model.views import FiredView, LogView, TriggerView, WorkflowView
from hostd.values.json_text import JsonValue

if TYPE_CHECKING:
    from hostd.embedding.workflow import Workflow

T = TypeVar("T")
BroughtT = TypeVar("BroughtT", bound=Brought)


class BlockingHost:
    """`with Host.blocking(path) as host`. Its calls are those of Host, which say more, and raise the same.

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

    def __enter__(self) -> BlockingHost:
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

    # -- what Host has

    @property
    def address(self) -> str:
        """Where gRPC is served, empty where no port is."""
        return self.call(_address)[0]

    @property
    def http_address(self) -> str:
        """Where HTTP is served, empty where it is not."""
        return self.call(_address)[1]

    def use(self, brought: BroughtT) -> BroughtT:
        """Bring an action or trigger."""
        if self._loop is None:
            return self._host.use(brought)

        async def use(host: HostCalls) -> BroughtT:
            return host.use(brought)

        return self.call(use)

    def register(self, document: Written, *, activate: bool = True, request_id: str = "") -> Registered:
        """Register a workflow."""
        return self.call(lambda host: host.register(document, activate=activate, request_id=request_id))

    def start(self, workflow: str | Workflow, input: Any = None, **more: Any) -> Run:  # noqa: A002
        """Start a run; its own methods are for event loops: hand it to this host's."""
        return self.call(lambda host: host.start(workflow, input, **more))

    def execute(
        self,
        workflow: str | Workflow,
        input: Any = None,  # noqa: A002
        *,
        timeout: Duration = None,
        **more: Any,
    ) -> JsonValue:
        """Start a run, wait for its end and return its output."""
        return self.call(lambda host: host.execute(workflow, input, timeout=timeout, **more))

    def wait(self, run: Which, *, timeout: Duration = None) -> RunInfo:
        """Return a run once it has ended."""
        return self.call(lambda host: host.wait(run, timeout=timeout))

    def result(self, run: Which, *, timeout: Duration = None) -> JsonValue:
        """Return a run's output once it has succeeded."""
        return self.call(lambda host: host.result(run, timeout=timeout))

    def get(self, run: Which) -> RunInfo:
        """Return a run as it is now."""
        return self.call(lambda host: host.get(run))

    def list_runs(self, filter: str = "", *, limit: int = 100) -> Sequence[RunInfo]:  # noqa: A002
        """Return runs, the newest first."""
        return self.call(lambda host: host.list_runs(filter, limit=limit))

    def count_runs(self, filter: str = "") -> int:  # noqa: A002
        """Return how many runs a filter finds."""
        return self.call(lambda host: host.count_runs(filter))

    def workflows(self) -> Sequence[WorkflowView]:
        """Return the workflows, by name."""
        return self.call(lambda host: host.workflows())

    def history(self, run: Which, *, from_seq: int = 0) -> Sequence[Change]:
        """Return a run's records."""
        return self.call(lambda host: host.history(run, from_seq=from_seq))

    def logs(self, run: Which, *, step: str = "", attempt: int = 0) -> Sequence[LogView]:
        """Return what attempts logged."""
        return self.call(lambda host: host.logs(run, step=step, attempt=attempt))

    def signal(self, run: Which, name: str, data: Any = None, *, request_id: str = "") -> bool:
        """Tell an open run something."""
        return self.call(lambda host: host.signal(run, name, data, request_id=request_id))

    def signal_with_start(
        self,
        workflow: str | Workflow,
        key: str,
        name: str,
        data: Any = None,
        *,
        input: Any = None,  # noqa: A002
        request_id: str = "",
    ) -> Run:
        """Tell the open run of a key something; where none is open, start it with the signal."""
        return self.call(
            lambda host: host.signal_with_start(workflow, key, name, data, input=input, request_id=request_id)
        )

    def cancel(self, run: Which, reason: str = "") -> RunInfo:
        """Stop a run in good order."""
        return self.call(lambda host: host.cancel(run, reason))

    def terminate(self, run: Which, reason: str = "") -> RunInfo:
        """End a run at once."""
        return self.call(lambda host: host.terminate(run, reason))

    def pause(self, run: Which, reason: str = "") -> RunInfo:
        """Let nothing new of a run start."""
        return self.call(lambda host: host.pause(run, reason))

    def resume(self, run: Which) -> RunInfo:
        """Let a paused or held run go on."""
        return self.call(lambda host: host.resume(run))

    def delete(self, run: Which) -> None:
        """Delete a run that has ended."""
        self.call(lambda host: host.delete(run))

    def publish(self, topic: str, data: Any = None, **more: Any) -> PublishedView:
        """Publish an event."""
        return self.call(lambda host: host.publish(topic, data, **more))

    def fire(self, workflow: str, trigger: str, data: Any = None, *, event_id: str = "") -> FiredView:
        """Emit one event by hand, as if the trigger had."""
        return self.call(lambda host: host.fire(workflow, trigger, data, event_id=event_id))

    def triggers(self, workflow: str = "") -> Sequence[TriggerView]:
        """Return triggers by workflow and name."""
        return self.call(lambda host: host.triggers(workflow))

    def apply_trigger(self, document: Written, *, replace: bool = True) -> TriggerView:
        """Make a trigger of its own, or replace it."""
        return self.call(lambda host: host.apply_trigger(document, replace=replace))

    def delete_trigger(self, name: str) -> None:
        """Delete a trigger of its own."""
        self.call(lambda host: host.delete_trigger(name))

    def pause_trigger(self, workflow: str, trigger: str, reason: str = "") -> TriggerView:
        """Stop a trigger until it is resumed."""
        return self.call(lambda host: host.pause_trigger(workflow, trigger, reason))

    def resume_trigger(self, workflow: str, trigger: str) -> TriggerView:
        """Let a trigger run again."""
        return self.call(lambda host: host.resume_trigger(workflow, trigger))

    def watch(self, run: Which, *, from_seq: int = 0) -> Iterator[Change]:
        """Yield a run's records until it has ended."""
        return _Stream(self, lambda host: host.watch(run, from_seq=from_seq))

    def watch_runs(self, filter: str = "", *, snapshot: bool = True) -> Iterator[RunChange]:  # noqa: A002
        """Yield what happens to runs, without end."""
        return _Stream(self, lambda host: host.watch_runs(filter, snapshot=snapshot))

    def subscribe(
        self,
        topics: str | Sequence[str],
        filter: str = "",  # noqa: A002
        *,
        after: int | None = None,
    ) -> Iterator[TopicEvent]:
        """Yield events of topics, without end."""
        return _Stream(self, lambda host: host.subscribe(topics, filter, after=after))


class _Stream(Generic[T]):
    """An iterator over an asynchronous one; each item is fetched when it is asked for."""

    def __init__(self, host: BlockingHost, make: Callable[[HostCalls], AsyncIterator[T]]) -> None:
        self._host = host
        self._make = make
        self._items: AsyncIterator[T] | None = None

    def __iter__(self) -> _Stream[T]:
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


async def _address(host: HostCalls) -> tuple[str, str]:
    return host.address, host.http_address


def _closed() -> HostdError:
    message = "the host is not open: it is, inside `with Host.blocking(...)`, or after `open()`"
    return HostdError(Kind.UNAVAILABLE, "DRAINING", message)


def _serve(started: Future[asyncio.AbstractEventLoop]) -> None:
    """Run a loop until it is stopped. Made here: only the main thread's loop may have to do with signals."""
    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        loop.call_soon(started.set_result, loop)
        loop.run_forever()
