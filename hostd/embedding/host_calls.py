"""A host's life: open and close, take actions. What else it is asked is in the parts of its calls."""

from __future__ import annotations

import asyncio
import os
import warnings
from collections.abc import Generator
from types import TracebackType
from typing import Any, Self, TypeVar

from hostd.aio import waited_to_its_end
from hostd.api.convert.checks import DEFAULT_NAMESPACE, check_namespace
from hostd.core import Core
from hostd.embedding.calls import Duration, seconds_of
from hostd.embedding.event_calls import EventCalls
from hostd.embedding.forgotten import LoopWatch, let_go
from hostd.embedding.functions import Brought, Functions, as_plugin, register
from hostd.embedding.letter_calls import LetterCalls
from hostd.embedding.opening import Rooms, Wanted
from hostd.embedding.run_calls import RunCalls
from hostd.embedding.secret_calls import SecretCalls
from hostd.embedding.trigger_calls import TriggerCalls
from hostd.embedding.workflow_calls import WorkflowCalls
from hostd.plugin import Registry

BroughtT = TypeVar("BroughtT", bound=Brought)


class HostCalls(WorkflowCalls, RunCalls, EventCalls, TriggerCalls, LetterCalls, SecretCalls):
    """Everything that can be asked of a host; `Host` says how one is made."""

    _rooms: Rooms | None = None  # here, because a host whose making was refused is thrown away, too
    _process = 0

    def __init__(self, wanted: Wanted, functions: Functions, *, namespace: str, principal: str) -> None:
        """Made by `open`."""
        self.namespace = check_namespace(namespace) if namespace else DEFAULT_NAMESPACE
        self.principal = principal
        self._wanted = wanted
        self._functions = functions
        self._turn = asyncio.Lock()
        self._core: Core | None = None
        self._watch: LoopWatch | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._written: dict[str, tuple[str, str]] = {}  # of builders: text and version, by name

    # -- opening and closing

    async def __aenter__(self) -> Self:
        return await self._open()

    def __await__(self) -> Generator[Any, None, Self]:
        return self._open().__await__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close(grace=0 if error is not None else None)

    async def _open(self) -> Self:
        """Open it; what ran when the last host on the folder ended goes on.

        Raises:
            HostdError: JOURNAL_LOCKED when another process, or this one, has the folder open; CONFIG_INVALID,
                JOURNAL_*, ADDRESS_IN_USE and what else stands in the way.
        """
        async with self._turn:
            if self._rooms is None:
                try:
                    await waited_to_its_end(self._open_rooms(), name="host-open")
                except asyncio.CancelledError:
                    await self._close_rooms(0.0)
                    raise
        return self

    async def _open_rooms(self) -> None:
        folder = await asyncio.to_thread(let_go, self._wanted.path)
        rooms = await asyncio.to_thread(Rooms, self._wanted, self._functions)
        await rooms.open()
        self._watch = LoopWatch(folder, rooms.core)
        self._rooms, self._core = rooms, rooms.core
        self._loop, self._process = asyncio.get_running_loop(), os.getpid()

    async def close(self, *, grace: Duration = None) -> None:
        """Take nothing new, let attempts that run end, and close. Safe to call twice.

        What is cut off, and what waits, goes on when the folder is opened again; in memory it is gone.

        A cancellation of the call ends what still runs, and is passed on when the host is closed.

        Args:
            grace: how long attempts may take to end; `limits.drain` of the configuration where not given.
        """
        if self._process != os.getpid():
            self._rooms = self._core = None  # it is the parent's, which goes on with it
            return
        async with self._turn:
            await self._close_rooms(seconds_of(grace))

    async def _close_rooms(self, grace_s: float | None) -> None:
        rooms, self._rooms, self._core = self._rooms, None, None
        if rooms is not None:
            if self._watch is not None:
                self._watch.stop()
            await rooms.close(rooms.config.limits.drain.total_seconds() if grace_s is None else grace_s)

    def __del__(self) -> None:
        if self._rooms is not None and self._process == os.getpid():
            where = self._wanted.path or "in memory"
            warnings.warn(f"a host was not closed: {where}", ResourceWarning, stacklevel=2, source=self)

    @property
    def address(self) -> str:
        """Where gRPC is served, empty where no port is."""
        return self._front.admin.grpc_address

    @property
    def http_address(self) -> str:
        """Where HTTP is served, empty where it is not."""
        return self._front.admin.http_address

    # -- actions

    def use(self, brought: BroughtT) -> BroughtT:
        """Bring an action or trigger, also while the host runs; steps that waited for it go on. Returns what it got.

        Brought again under the same id, as when a notebook's cell is run again, it takes the place of the former one.

        Raises:
            HostdError: PLUGIN_FAILED for what is none, or whose id a plugin has.
        """
        register(Registry(), [brought])
        if self._core is None:
            self._functions.add(brought)
        else:
            self.core.host.add(as_plugin([brought]))
            self._functions.add(brought)
        return brought
