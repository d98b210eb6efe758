"""One plugin's process: started when somebody needs it, watched, started again with back-off, quarantined at last.

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
from typing import Any

from hostd.aio import spawn
from hostd.host.process.changes import Changes
from hostd.host.process.child import Child
from hostd.host.process.claims import Claims
from hostd.host.process.components import check_hello
from hostd.host.process.conversation import Conversation
from hostd.host.process.crashes import Crashes
from hostd.host.process.desk import Desk, HostedTrigger
from hostd.host.process.hellos import Said
from hostd.host.process.home import ProcessHome
from hostd.host.process.housing import Housing
from hostd.host.process.launch import Launch
from hostd.host.process.link import FRAME_BYTES_MAX, Link, LinkLostError, unavailable
from hostd.host.process.nursery import LeftBehind, Nursery
from hostd.host.process.provisioning import Provisioning
from hostd.host.process.states import COMING, ProcessState
from hostd.host.process.stay import DRAIN_S, LOOK_S, Stay
from hostd.host.process.switchboard import PROTOCOL_MAX
from hostd.plugin.v1 import host_pb2 as pb
from hostd.values.version import VERSION

RETIRE_S = 600.0
_log = logging.getLogger("hostd.host.process")


class PluginProcess:
    """The process of one plugin, as the host keeps it: its life, and the conversation with it."""

    def __init__(
        self,
        plugin: str,
        version: str,
        launch: Launch,
        home: ProcessHome,
        changed: Callable[[PluginProcess], None],
        *,
        left: LeftBehind | None = None,
        said: Said | None = None,
    ) -> None:
        """Start nothing yet.

        Args:
            left: what an earlier daemon left behind of this very plugin.
            said: what it is known to serve without being asked.
        """
        self.plugin = plugin
        self.version = version
        self.launch = launch
        self.state = ProcessState.IDLE
        self.message = ""
        self.traceback = ""
        self.components: tuple[pb.Component, ...] = said.components if said is not None else ()
        self.api = said.api if said is not None else ""
        self.spoke = False  # whether `components` are what a process of this daemon has said
        self.crashes = Crashes(home.random)
        self._changes = Changes(plugin)
        self.conversation = Conversation(plugin, launch.permissions, home.clock, self._changes.tell)
        self._home = home
        self._tell_changed = changed
        self._nursery = Nursery(plugin, version, launch, home, left=left)
        self._housing = Housing(self, self._nursery, home, self._changes)
        self._stay: Stay | None = None
        self._wanted = asyncio.Event()
        self._pause_over = asyncio.Event()  # there is no reason any more to wait before the next start
        self._supervisor: asyncio.Task[None] | None = None
        self._printed: tuple[str, ...] = ()
        home.switchboard.expect(self)
        self._housing.enter()

    # -- seen from outside

    @property
    def cookie(self) -> str:
        """What the child says to be let in."""
        return self._nursery.cookie

    @property
    def claims(self) -> Claims:
        """The attempts it holds."""
        return self.conversation.claims

    @property
    def desk(self) -> Desk:
        """What it holds, by name."""
        return self.conversation.desk

    @property
    def provisioning(self) -> Provisioning:
        """Which of its actions are ready."""
        return self.conversation.provisioning

    @property
    def attempts_max(self) -> int:
        """Attempts of one action at once."""
        return self._home.limits.attempts

    @property
    def pid(self) -> int:
        """Id of the process, 0 while there is none."""
        return self._stay.pid if self._stay is not None else 0

    @property
    def queued(self) -> bool:
        """Whether it waits for its turn to start."""
        return self._housing.queued

    @property
    def inherited(self) -> bool:
        """Whether a process that the daemon before this one started may live, and has not been heard from."""
        if self._resting or self.spoke:
            return False
        return self._nursery.inherits or (self._child is not None and self._child.inherited)

    @property
    def restarts(self) -> int:
        """How often it crashed."""
        return self.crashes.total

    @property
    def last_crash(self) -> str:
        """Why it went, the last time it was not asked to."""
        return self.crashes.last

    @property
    def printed(self) -> tuple[str, ...]:
        """What it printed last."""
        return tuple(self._child.output.tail) if self._child is not None else self._printed

    @property
    def _child(self) -> Child | None:
        return self._stay.child if self._stay is not None else None

    @property
    def _resting(self) -> bool:
        return self._stay is not None and self._stay.resting

    def _is(self, *states: ProcessState) -> bool:
        return self.state in states

    def _become(self, state: ProcessState, message: str = "") -> None:
        if self.state is ProcessState.STOPPED:
            return
        self.state, self.message = state, message
        self._changes.tell()
        self._tell_changed(self)

    # -- life

    def start(self, *, wanted: bool = True) -> None:
        """Begin to supervise, and start the process now or, where it is not `wanted`, on its first use.

        One that was left behind is taken over at once.
        """
        if wanted or self._nursery.inherits:
            self._wanted.set()
        self._supervisor = spawn(self._supervise(), name=f"plugin {self.plugin}")

    async def stop(self, grace_s: float = DRAIN_S) -> None:
        """Drain the process and end it; nothing starts it again."""
        self.state = ProcessState.STOPPED
        self.conversation.leaving.set()
        self._wanted.set()
        self._pause_over.set()
        self._changes.tell()
        self._housing.leave()
        if self._supervisor is not None:
            await asyncio.wait([self._supervisor], timeout=grace_s + 10.0)
            self._supervisor.cancel()
        self._home.switchboard.forget(self)
        await self._housing.drop_reserved()

    async def retire(self, grace_s: float = RETIRE_S) -> None:
        """Another version serves now: let what runs here end, then stop."""
        until_s = self._home.clock.monotonic_s() + grace_s
        while self.conversation.busy and self._home.clock.monotonic_s() < until_s:
            await self._home.clock.sleep(LOOK_S)
        await self.stop()

    def release(self) -> None:
        """Let a quarantined or broken plugin start again."""
        self.crashes.forgive()
        if self._is(ProcessState.QUARANTINED, ProcessState.BROKEN):
            self._become(ProcessState.IDLE)
            self._pause_over.set()

    async def first_word(self) -> None:
        """Wait until it is known what it serves, or that it cannot."""
        while not self.components and self._is(*COMING):
            await self._changes.wait()

    async def link(self) -> Link:
        """Return the connection, starting the process where need be. Raises HostdError PLUGIN_UNAVAILABLE."""
        self.conversation.used()
        while self.conversation.link is None or self._resting:
            if self._is(ProcessState.QUARANTINED) and self.crashes.served(self._home.clock.monotonic_s()):
                self.release()
            if not self._is(*COMING, ProcessState.READY):
                message = f"plugin {self.plugin} is {self.state.lower()}: {self.message or 'the daemon stops'}"
                raise unavailable(message, retry_after_s=None)
            self._wanted.set()
            await self._changes.wait()
        return self.conversation.link

    async def _supervise(self) -> None:
        while not self._is(ProcessState.STOPPED):
            await self._wanted.wait()
            if not self._is(*COMING, ProcessState.READY):
                self._wanted.clear()
                continue
            why = await self._live()
            if not why:
                self._wanted.clear()
                self._become(ProcessState.IDLE)
            elif not self._is(ProcessState.STOPPED, ProcessState.BROKEN):
                await self._crashed(why)

    async def _crashed(self, why: str) -> None:
        """Wait before the next start, or give up for a while."""
        delay_s = self.crashes.count(why, self._home.clock.monotonic_s())
        if delay_s is None:
            await self._quarantine(why)
            return
        _log.warning("plugin_crashed plugin=%s in_s=%.1f why=%s", self.plugin, delay_s, why)
        self._become(ProcessState.BACKING_OFF, why)
        await self._pause(delay_s)

    async def _quarantine(self, why: str) -> None:
        """Give up for ten minutes. Then whoever needs it has it started; what it serves may not be known, so that
        nobody can: that one is started by itself.
        """
        self._wanted.clear()
        count, plugin = self.crashes.recent, self.plugin
        _log.error("plugin_quarantined plugin=%s crashes=%d why=%s", plugin, count, why)
        then = "when it is needed" if self.components else "by itself"
        message = (
            f"kept out for ten minutes after {count} crashes, then started again {then}; "
            f"`hostd plugin reload {plugin}` starts it now; the last crash: {why}"
        )
        self._become(ProcessState.QUARANTINED, message)
        if self.components:
            return
        await self._pause(self.crashes.quarantine_s)
        if self._is(ProcessState.QUARANTINED):
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
            self.conversation.end()  # it is gone, and with it all that recovery hoped to get from it
        if (reserved := self._housing.reserved()) is not None:
            return await self._live_with(reserved, lambda: None)
        place = self._home.starts.ask()
        try:
            if not await self._housing.its_turn(place, self.conversation.leaving):
                return ""
            self._become(ProcessState.STARTING)
            child = self._housing.reserved() or await self._housing.start()
        except OSError as error:
            return f"it cannot be started: {error.strerror or error}"
        else:
            return await self._live_with(child, place.leave)
        finally:
            place.leave()

    # -- in a group (groups.Lodger)

    def free(self) -> bool:
        """Say whether it has no process and may have one."""
        has = self._child is not None or self._nursery.reserved is not None or self._nursery.inherits
        return not has and self._is(*COMING)

    def ending(self) -> bool:
        """Say whether its process is about to be gone."""
        return self._resting

    def summon(self, child: Child) -> None:
        """Another of the group has started a process with this plugin inside."""
        self._housing.reserve(child)
        self._wanted.set()
        self._pause_over.set()

    def idle_s(self) -> float:
        """Return for how long nothing was asked of it, in seconds."""
        return self.conversation.idle_s()

    async def _live_with(self, child: Child, connected: Callable[[], None]) -> str:
        """Serve with a process until it is gone; `connected` is told when it has dialed."""
        stay = self._stay = Stay(
            self.plugin, child, self.conversation, self._home, self._changes,
            broken=lambda: self.message if self._is(ProcessState.BROKEN) else "",
            shared=self._housing.group is not None,
        )  # fmt: skip
        if self.conversation.link is None:
            self._become(ProcessState.STARTING)
        exited = spawn(child.exited(), name=f"exit of {self.plugin}")
        why = "its supervisor was stopped"
        try:
            why = await stay.watch(exited, connected)
            return why
        finally:
            stay.resting = True
            self.conversation.end(why)
            self._home.switchboard.forget(self)
            last = self._home.sharing.move_out(child, self)
            blameless = not why or self._is(ProcessState.BROKEN, ProcessState.STOPPED)
            if not exited.done() and (last or not blameless):
                await child.stop()
            gone = exited.done() or last or not blameless
            exited.cancel()
            self._printed = await self._nursery.bury(child, ended=gone)
            self._home.switchboard.expect(self)
            self._stay = None
            self._housing.went()
            self._changes.tell()

    # -- the connection (switchboard.Line)

    def connected(self, link: Link) -> pb.Welcome:
        """Take the child's connection. Raises ValueError with the reason it is refused."""
        hello = link.hello
        if hello.plugin != self.plugin:
            raise ValueError(f"it says it is {hello.plugin[:80]!r}, but was started as {self.plugin!r}")
        if hello.HasField("broken"):
            self.traceback = hello.broken.traceback[:8_000]
            self._become(ProcessState.BROKEN, f"{hello.broken.reason}: {hello.broken.message}"[:2_000])
            raise ValueError(self.message)
        known = bool(self.components)  # recovery could ask for what it holds
        self.components = check_hello(hello)
        self.api = hello.api[:100]
        self.spoke = True
        if self._stay is not None:
            self._stay.said(hello.pid)
        late, self.claims.recovered = self.claims.recovered and not known, self.claims.recovered and known
        self.conversation.begin(link)
        self._become(ProcessState.READY)  # who waited for what it serves begins, or claims what it holds
        if late:
            self.drop_unclaimed()
        data_dir = self._home.data_dir
        return pb.Welcome(
            protocol=PROTOCOL_MAX,
            host=VERSION,
            permissions=sorted(self.launch.permissions),
            data_dir=str(data_dir) if data_dir is not None else "",
            frame_bytes_max=FRAME_BYTES_MAX,
            batches=True,
            begun=True,
        )

    def received(self, link: Link, frame: pb.FromPlugin) -> None:
        """Take a frame, or a batch of them. Raises ValueError when the child breaks the protocol."""
        self.conversation.received(link, frame)

    def refused(self, why: str) -> None:
        """The child broke the protocol: it is ended."""
        self.conversation.refused(why)

    def disconnected(self, link: Link) -> None:
        """The connection is gone."""
        self.conversation.lost(link)

    # -- what the host asks of it

    async def prepare(self, component: str) -> None:
        """Start the process where need be, and have an action provisioned. Raises HostdError."""
        await self.provisioning.prepare(await self.link(), component)

    def prepared(self, component: str) -> bool:
        """Say whether an action can begin at once."""
        return self.conversation.link is not None and not self._resting and self.provisioning.ready(component)

    async def ask(self, frame: pb.FromHost) -> pb.FromPlugin:
        """Ask the process something. Raises HostdError PLUGIN_UNAVAILABLE."""
        try:
            return await (await self.link()).ask(frame)
        except LinkLostError:
            raise unavailable(f"plugin {self.plugin} went away before it answered") from None

    def recorded(self, attempt_id: pb.AttemptId) -> None:
        """Tell the child, soon, that an outcome is durable, or of no use."""
        if self._child is not None or self.conversation.link is not None:
            self.conversation.recorded(attempt_id)

    def drop_unclaimed(self) -> None:
        """Recovery is over: stop what the child holds and nobody waits for."""
        self.conversation.drop_unclaimed()

    def begin_trigger(self, context: Any) -> HostedTrigger:
        """Return a place for a configured trigger."""
        return self.conversation.begin_trigger(context)

    def end_trigger(self, hosted: HostedTrigger) -> None:
        """The host runs a configured trigger no more."""
        self.conversation.end_trigger(hosted)
