"""A process while a plugin lives in it: watched until it ends, has to be ended, or may go; drained where it may."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from hostd.aio import spawn
from hostd.host.process.changes import Changes
from hostd.host.process.child import Child
from hostd.host.process.conversation import Conversation
from hostd.host.process.home import ProcessHome
from hostd.host.process.watchdog import Watchdog
from hostd.plugin.v1 import host_pb2 as pb

DRAIN_S = 5.0
LOOK_S = 1.0


class Stay:
    """One plugin's, in one process.

    Args:
        broken: why the plugin could not be loaded; empty while that is not known.
        shared: whether others may live there, too.
    """

    def __init__(
        self,
        plugin: str,
        child: Child,
        conversation: Conversation,
        home: ProcessHome,
        changes: Changes,
        *,
        broken: Callable[[], str],
        shared: bool,
    ) -> None:
        self.child = child
        self.resting = False  # it is being drained: what comes now waits for the next process
        self._own_pid = 0  # of the plugin's program, as it says itself
        self._plugin = plugin
        self._conversation = conversation
        self._home = home
        self._changes = changes
        self._broken = broken
        self._shared = shared

    @property
    def pid(self) -> int:
        """Id of the plugin's program."""
        return self._own_pid or self.child.pid

    def said(self, pid: int) -> None:
        """Its program has said its id, which is believed where the process has such a child."""
        if self.child.has(pid):
            self._own_pid = pid

    async def watch(self, exited: asyncio.Task[str], connected: Callable[[], None]) -> str:
        """Return why the process has to be ended, or ended; nothing where it was asked to go. It may run still.

        Args:
            connected: told when it has dialed.
        """
        talk = self._conversation
        start_s = self._home.limits.start.total_seconds()
        try:
            async with asyncio.timeout(start_s):
                while talk.link is None and not self._over(exited):
                    await self._changes.either(exited)
        except TimeoutError:
            return f"it did not connect within {start_s:g} s"
        connected()
        watchdog = Watchdog(self._home.limits, self._home.clock)
        while not self._over(exited):
            why = watchdog.look(self.child, talk.link)
            if why:
                return why
            if self._may_rest():
                break
            await self._changes.either(exited, timeout_s=LOOK_S)
        return await self._end(exited)

    async def _end(self, exited: asyncio.Task[str]) -> str:
        talk = self._conversation
        if self._broken():
            return self._broken()
        if talk.violation:
            return talk.violation
        if exited.done():
            return "" if talk.leaving.is_set() else exited.result()
        await self._drain(exited)
        return ""

    def _over(self, exited: asyncio.Task[str]) -> bool:
        talk = self._conversation
        return exited.done() or bool(talk.violation) or talk.leaving.is_set() or bool(self._broken())

    def _may_rest(self) -> bool:
        most_s = self._home.limits.idle.total_seconds()
        return bool(most_s) and self._home.sharing.idle_s(self.child) > most_s

    async def _drain(self, exited: asyncio.Task[str]) -> None:
        self.resting = True
        link = self._conversation.link
        if link is not None:
            link.send(pb.FromHost(drain=pb.Drain(grace_ms=round(DRAIN_S * 1000))))
            closed = spawn(link.closed.wait(), name=f"end of the connection of {self._plugin}")
            ends = asyncio.FIRST_COMPLETED if self._shared else asyncio.ALL_COMPLETED
            await asyncio.wait([exited, closed], timeout=DRAIN_S, return_when=ends)
            closed.cancel()
