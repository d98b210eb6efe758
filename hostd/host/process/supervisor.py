"""The life of a plugin's process: started when somebody needs it, watched, started again with back-off, quarantined.

IDLE ──needed──▶ STARTING ──Hello──▶ READY ──idle──▶ IDLE
                    │                  │ crash, hang, protocol broken
                    └────────────▶ BACKING_OFF ──▶ STARTING ...   five crashes in ten minutes ──▶ QUARANTINED ──▶ IDLE
BROKEN: it could not be loaded; another try needs another version.      STOPPED: the daemon ends, or it was replaced

A start waits for its turn among those of all plugins; taking over a process that is there already does not.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable

from hostd.aio import spawn
from hostd.host.process.changes import Changes
from hostd.host.process.child import Child
from hostd.host.process.conversation import Conversation
from hostd.host.process.crashes import Crashes
from hostd.host.process.home import ProcessHome
from hostd.host.process.housing import Housing
from hostd.host.process.launch import Launch
from hostd.host.process.link import Link, unavailable
from hostd.host.process.nursery import LeftBehind, Nursery
from hostd.host.process.states import COMING, ProcessState
from hostd.host.process.stay import DRAIN_S, Stay
from hostd.host.process.switchboard import Line

_log = logging.getLogger("hostd.host.process")


class Supervisor:
    """Of one plugin, which is a lodger (groups.Lodger) in whatever process there is."""

    def __init__(
        self,
        line: Line,
        version: str,
        launch: Launch,
        home: ProcessHome,
        conversation: Conversation,
        changes: Changes,
        *,
        known: Callable[[], bool],
        changed: Callable[[], None],
        left: LeftBehind | None = None,
    ) -> None:
        """Start nothing yet.

        Args:
            line: how the process dials; whoever makes it has it expected, the first time.
            known: says whether it is known what the plugin serves.
            changed: told when its state has changed; `changes` wakes who waits for that.
            left: what an earlier daemon left behind of this very plugin.
        """
        self.plugin = line.plugin
        self.version = version
        self.launch = launch
        self.state = ProcessState.IDLE
        self.message = ""
        self.crashes = Crashes(home.random)
        self._line = line
        self._home = home
        self._conversation = conversation
        self._changes = changes
        self._known = known
        self._tell_changed = changed
        self._nursery = Nursery(self.plugin, version, launch, home, left=left)
        self._housing = Housing(self, self._nursery, home, changes)
        self._stay: Stay | None = None
        self._wanted = asyncio.Event()
        self._pause_over = asyncio.Event()  # there is no reason any more to wait before the next start
        self._task: asyncio.Task[None] | None = None
        self._printed: tuple[str, ...] = ()
        self._housing.enter()

    # -- seen from outside

    @property
    def cookie(self) -> str:
        """What the process says to be let in."""
        return self._nursery.cookie

    @property
    def pid(self) -> int:
        """Id of the process, 0 while there is none."""
        return self._stay.pid if self._stay is not None else 0

    @property
    def queued(self) -> bool:
        """Whether it waits for its turn to start."""
        return self._housing.queued

    @property
    def resting(self) -> bool:
        """Whether its process is about to be gone: what comes now waits for the next one."""
        return self._stay is not None and self._stay.resting

    @property
    def inherited(self) -> bool:
        """Whether a process that the daemon before this one started lives, or may live."""
        if self.resting:
            return False
        return self._nursery.inherits or (self.child is not None and self.child.inherited)

    @property
    def printed(self) -> tuple[str, ...]:
        """What it printed last."""
        return tuple(self.child.output.tail) if self.child is not None else self._printed

    @property
    def child(self) -> Child | None:
        """The process, None while there is none."""
        return self._stay.child if self._stay is not None else None

    def is_in(self, *states: ProcessState) -> bool:
        """Say whether it is in one of some states."""
        return self.state in states

    def become(self, state: ProcessState, message: str = "") -> None:
        """Go to another state; STOPPED is the last."""
        if self.state is ProcessState.STOPPED:
            return
        self.state, self.message = state, message
        self._changes.tell()
        self._tell_changed()

    # -- what is asked of it

    def start(self, *, wanted: bool = True) -> None:
        """Begin to supervise, and start the process now or, where it is not `wanted`, on its first use.

        One that was left behind is taken over at once.
        """
        if wanted or self._nursery.inherits:
            self._wanted.set()
        self._task = spawn(self._supervise(), name=f"plugin {self.plugin}")

    async def stop(self, grace_s: float = DRAIN_S) -> None:
        """Drain the process and end it; nothing starts it again."""
        self.state = ProcessState.STOPPED
        self._conversation.leaving.set()
        self._wanted.set()
        self._pause_over.set()
        self._changes.tell()
        self._housing.leave()
        if self._task is not None:
            await asyncio.wait([self._task], timeout=grace_s + 10.0)
            self._task.cancel()
        self._home.switchboard.forget(self._line)
        await self._housing.drop_reserved()

    def release(self) -> None:
        """Let a quarantined or broken plugin start again."""
        self.crashes.forgive()
        if self.is_in(ProcessState.QUARANTINED, ProcessState.BROKEN):
            self.become(ProcessState.IDLE)
            self._pause_over.set()

    async def link(self) -> Link:
        """Return the connection, starting the process where need be. Raises HostdError PLUGIN_UNAVAILABLE."""
        self._conversation.used()
        while self._conversation.link is None or self.resting:
            if self.is_in(ProcessState.QUARANTINED) and self.crashes.served(self._home.clock.monotonic_s()):
                self.release()
            if not self.is_in(*COMING, ProcessState.READY):
                message = f"plugin {self.plugin} is {self.state.lower()}: {self.message or 'the daemon stops'}"
                raise unavailable(message, retry_after_s=None)
            self._wanted.set()
            await self._changes.wait()
        return self._conversation.link

    def said(self, pid: int) -> None:
        """The process has dialed, and said its id."""
        if self._stay is not None:
            self._stay.said(pid)

    # -- life

    async def _supervise(self) -> None:
        while not self.is_in(ProcessState.STOPPED):
            await self._wanted.wait()
            if not self.is_in(*COMING, ProcessState.READY):
                self._wanted.clear()
                continue
            why = await self._live()
            if not why:
                self._wanted.clear()
                self.become(ProcessState.IDLE)
            elif not self.is_in(ProcessState.STOPPED, ProcessState.BROKEN):
                await self._crashed(why)

    async def _crashed(self, why: str) -> None:
        """Wait before the next start, or give up for a while."""
        delay_s = self.crashes.count(why, self._home.clock.monotonic_s())
        if delay_s is None:
            await self._quarantine(why)
            return
        _log.warning("plugin_crashed plugin=%s again_in_s=%.1f why=%s", self.plugin, delay_s, why)
        self.become(ProcessState.BACKING_OFF, why)
        await self._pause(delay_s)

    async def _quarantine(self, why: str) -> None:
        """Give up for ten minutes. Then whoever needs it has it started; what it serves may not be known, so that
        nobody can: that one is started by itself.
        """
        self._wanted.clear()
        count, plugin = self.crashes.recent, self.plugin
        _log.error("plugin_quarantined plugin=%s crashes=%d why=%s", plugin, count, why)
        then = "when it is needed" if self._known() else "by itself"
        message = (
            f"kept out for ten minutes after {count} crashes, then started again {then}; "
            f"`hostd plugin reload {plugin}` starts it now; the last crash: {why}"
        )
        self.become(ProcessState.QUARANTINED, message)
        if self._known():
            return
        await self._pause(self.crashes.quarantine_s)
        if self.is_in(ProcessState.QUARANTINED):
            self.release()
            self._wanted.set()

    async def _pause(self, delay_s: float) -> None:
        self._pause_over.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(delay_s):
                await self._pause_over.wait()

    async def _live(self) -> str:
        """Run one process from start to end; return why it ended, nothing when it was asked to."""
        inherits = self._nursery.inherits
        child = self._nursery.take_over()
        if child is not None:
            self._home.sharing.move_in(child, self)
            return await self._live_with(child, lambda: None)
        if inherits:
            self._conversation.end()  # it is gone, and with it all that recovery hoped to get from it
        if (reserved := self._housing.reserved()) is not None:
            return await self._live_with(reserved, lambda: None)
        place = self._home.starts.ask()
        try:
            if not await self._housing.its_turn(place, self._conversation.leaving):
                return ""
            self.become(ProcessState.STARTING)
            child = self._housing.reserved() or await self._housing.start()
        except OSError as error:
            return f"it cannot be started: {error.strerror or error}"
        else:
            return await self._live_with(child, place.leave)
        finally:
            place.leave()

    async def _live_with(self, child: Child, connected: Callable[[], None]) -> str:
        """Serve with a process until it is gone; `connected` is told when it has dialed."""
        stay = self._stay = Stay(
            self.plugin, child, self._conversation, self._home, self._changes,
            broken=lambda: self.message if self.is_in(ProcessState.BROKEN) else "",
            shared=self._housing.group is not None,
        )  # fmt: skip
        if self._conversation.link is None:
            self.become(ProcessState.STARTING)
        exited = spawn(child.exited(), name=f"exit of {self.plugin}")
        why = "its supervisor was stopped"
        try:
            why = await stay.watch(exited, connected)
            return why
        finally:
            stay.resting = True
            self._conversation.end(why)
            self._home.switchboard.forget(self._line)
            last = self._home.sharing.move_out(child, self)
            blameless = not why or self.is_in(ProcessState.BROKEN, ProcessState.STOPPED)
            if not exited.done() and (last or not blameless):
                await child.stop()
            gone = exited.done() or last or not blameless
            exited.cancel()
            self._printed = await self._nursery.bury(child, ended=gone)
            self._home.switchboard.expect(self._line)
            self._stay = None
            self._housing.went()
            self._changes.tell()

    # -- in a group (groups.Lodger)

    def free(self) -> bool:
        """Say whether it has no process and may have one."""
        has = self.child is not None or self._nursery.reserved is not None or self._nursery.inherits
        return not has and self.is_in(*COMING)

    def summon(self, child: Child) -> None:
        """Another of the group has started a process with this plugin inside."""
        self._housing.reserve(child)
        self._wanted.set()
        self._pause_over.set()

    def idle_s(self) -> float:
        """Return for how long nothing was asked of it, in seconds."""
        return self._conversation.idle_s()
