"""One plugin's process: started when somebody needs it, watched, started again with back-off, quarantined at last.

IDLE ──needed──▶ STARTING ──Hello──▶ READY ──idle──▶ IDLE
                    │                  │ crash, hang, protocol broken
                    └────────────▶ BACKING_OFF ──▶ STARTING ...   five crashes in ten minutes ──▶ QUARANTINED
BROKEN: it could not be loaded; another try needs another version.      STOPPED: the daemon ends, or it was replaced
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
import itertools
import logging
from collections import deque
from collections.abc import Callable
from typing import Any

from hostd.aio import spawn
from hostd.errors.base import HostdError
from hostd.host.process.alone import Suspects
from hostd.host.process.child import Child
from hostd.host.process.components import check_hello
from hostd.host.process.desk import Desk, HostedTrigger
from hostd.host.process.home import ProcessHome
from hostd.host.process.launch import Launch
from hostd.host.process.link import FRAME_BYTES_MAX, Link, LinkLostError, unavailable
from hostd.host.process.nursery import Nursery
from hostd.host.process.provisioning import Provisioning
from hostd.host.process.recordings import Recordings
from hostd.host.process.switchboard import PROTOCOL_MAX
from hostd.host.process.watchdog import Watchdog
from hostd.plugin.v1 import host_pb2 as pb
from hostd.values.version import VERSION

BACKOFF_S = (0.2, 1.0, 2.0, 5.0, 15.0, 30.0)
CRASHES_MAX = 5
CRASH_WINDOW_S = 600.0
QUARANTINE_S = 600.0
DRAIN_S = 5.0
RETIRE_S = 600.0
LOOK_S = 1.0
STRAY_FRAMES_MAX = 1_000
_log = logging.getLogger("hostd.host.process")


class ProcessState(enum.StrEnum):
    """Where in its life a plugin's process is."""

    IDLE = "IDLE"
    STARTING = "STARTING"
    READY = "READY"
    BACKING_OFF = "BACKING_OFF"
    QUARANTINED = "QUARANTINED"
    BROKEN = "BROKEN"
    STOPPED = "STOPPED"


_COMING = (ProcessState.IDLE, ProcessState.STARTING, ProcessState.BACKING_OFF)


class PluginProcess:
    """The process of one plugin, as the host keeps it: its life, and the connection it has now."""

    def __init__(
        self,
        plugin: str,
        version: str,
        launch: Launch,
        home: ProcessHome,
        changed: Callable[[PluginProcess], None],
        *,
        beside: bool = False,
    ) -> None:
        self.plugin = plugin
        self.version = version
        self.launch = launch
        self.state = ProcessState.IDLE
        self.message = ""
        self.traceback = ""
        self.components: tuple[pb.Component, ...] = ()
        self.restarts = 0
        self.last_crash = ""  # why it went, the last time it was not asked to
        self.api = ""
        self.desk = Desk(plugin, launch.permissions, Suspects(home.clock))
        self.claims = self.desk.claims
        self.provisioning = Provisioning()
        self._home = home
        self._tell_changed = changed
        self._nursery = Nursery(plugin, version, launch, home, beside=beside)
        self._link: Link | None = None
        self._recordings = Recordings(self._tell_recorded)
        self._child: Child | None = None
        self._changed = asyncio.Event()
        self._wanted = asyncio.Event()
        self._leave = asyncio.Event()
        self._supervisor: asyncio.Task[None] | None = None
        self._crashes: deque[float] = deque(maxlen=CRASHES_MAX)
        self._quarantined_until_s = 0.0
        self._stray = 0
        self._violation = ""  # how the child broke the protocol
        self._used_s = home.clock.monotonic_s()
        self._instances = itertools.count(1)
        self._printed: tuple[str, ...] = ()
        home.switchboard.expect(self)

    # -- seen from outside

    @property
    def cookie(self) -> str:
        """What the child says to be let in."""
        return self._nursery.cookie

    @property
    def attempts_max(self) -> int:
        """Attempts of one action at once."""
        return self._home.limits.attempts

    @property
    def pid(self) -> int:
        """Id of the process, 0 while there is none."""
        return self._child.pid if self._child is not None else 0

    @property
    def inherited(self) -> bool:
        """Whether a process that the daemon before this one started is still to be heard from."""
        return self._nursery.took_over and self._link is None and self._is(ProcessState.IDLE, ProcessState.STARTING)

    @property
    def printed(self) -> tuple[str, ...]:
        """What it printed last."""
        return tuple(self._child.output.tail) if self._child is not None else self._printed

    def _is(self, *states: ProcessState) -> bool:
        return self.state in states

    def _become(self, state: ProcessState, message: str = "") -> None:
        if self.state is ProcessState.STOPPED:
            return
        self.state, self.message = state, message
        self._pulse()
        self._tell_changed(self)

    def _pulse(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    # -- life

    def start(self) -> None:
        """Begin to supervise, and start the process."""
        self._wanted.set()
        self._supervisor = spawn(self._supervise(), name=f"plugin {self.plugin}")

    async def stop(self, grace_s: float = DRAIN_S) -> None:
        """Drain the process and end it; nothing starts it again."""
        self.state = ProcessState.STOPPED
        self._leave.set()
        self._wanted.set()
        self._pulse()
        if self._supervisor is not None:
            await asyncio.wait([self._supervisor], timeout=grace_s + 10.0)
            self._supervisor.cancel()
        self._home.switchboard.forget(self)

    async def retire(self, grace_s: float = RETIRE_S) -> None:
        """Another version serves now: let what runs here end, then stop."""
        until_s = self._home.clock.monotonic_s() + grace_s
        while (self.claims.any or self.desk.triggers) and self._home.clock.monotonic_s() < until_s:
            await self._home.clock.sleep(LOOK_S)
        await self.stop()

    def release(self) -> None:
        """Let a quarantined or broken plugin start again."""
        self._crashes.clear()
        if self._is(ProcessState.QUARANTINED, ProcessState.BROKEN):
            self._become(ProcessState.IDLE)

    async def first_word(self) -> None:
        """Wait until it has said what it serves, or that it cannot."""
        while not self.components and self._is(*_COMING):
            await self._changed.wait()

    async def link(self) -> Link:
        """Return the connection, starting the process where need be. Raises HostdError PLUGIN_UNAVAILABLE."""
        self._used_s = self._home.clock.monotonic_s()
        while self._link is None:
            if self._is(ProcessState.QUARANTINED) and self._home.clock.monotonic_s() >= self._quarantined_until_s:
                self.release()
            if not self._is(*_COMING, ProcessState.READY):
                message = f"plugin {self.plugin} is {self.state.lower()}: {self.message or 'the daemon stops'}"
                raise unavailable(message, retry_after_s=None)
            self._wanted.set()
            await self._changed.wait()
        return self._link

    async def _supervise(self) -> None:
        while not self._is(ProcessState.STOPPED):
            await self._wanted.wait()
            if not self._is(*_COMING, ProcessState.READY):
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
        now_s = self._home.clock.monotonic_s()
        while self._crashes and now_s - self._crashes[0] > CRASH_WINDOW_S:
            self._crashes.popleft()
        self._crashes.append(now_s)
        self.restarts += 1
        self.last_crash = why
        if len(self._crashes) >= CRASHES_MAX:
            self._quarantined_until_s = now_s + QUARANTINE_S
            self._wanted.clear()
            _log.error("plugin_quarantined plugin=%s crashes=%d why=%s", self.plugin, len(self._crashes), why)
            self._become(ProcessState.QUARANTINED, f"{len(self._crashes)} crashes in ten minutes, the last: {why}")
            return
        delay_s = BACKOFF_S[min(len(self._crashes), len(BACKOFF_S)) - 1] * (0.8 + 0.4 * self._home.random.random())
        _log.warning("plugin_crashed plugin=%s in_s=%.1f why=%s", self.plugin, delay_s, why)
        self._become(ProcessState.BACKING_OFF, why)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(delay_s):
                await self._leave.wait()

    async def _live(self) -> str:
        """Run one process from start to end; return why it ended, nothing when it was asked to."""
        self._violation = ""
        self._become(ProcessState.STARTING)
        try:
            child = self._child = await self._nursery.start()
        except OSError as error:
            return f"it cannot be started: {error.strerror or error}"
        exited = spawn(child.exited(), name=f"exit of {self.plugin}")
        try:
            return await self._serve(child, exited)
        finally:
            self._let_go_of_everything()
            if not exited.done():
                await child.stop()
            exited.cancel()
            self._home.switchboard.forget(self)
            self._printed = await self._nursery.bury(child)
            self._home.switchboard.expect(self)
            self._child = None

    async def _serve(self, child: Child, exited: asyncio.Task[str]) -> str:
        """Watch a process until it ends, has to be ended, or may go."""
        start_s = self._home.limits.start.total_seconds()
        try:
            async with asyncio.timeout(start_s):
                while self._link is None and not self._over(exited):
                    await self._either(exited)
        except TimeoutError:
            return f"it did not connect within {start_s:g} s"
        watchdog = Watchdog(self._home.limits, self._home.clock)
        while not self._over(exited):
            why = watchdog.look(child, self._link)
            if why:
                return why
            if self._may_rest():
                break
            await self._either(exited, timeout_s=LOOK_S)
        if self._is(ProcessState.BROKEN):
            return self.message
        if self._violation:
            return self._violation
        if exited.done():
            return "" if self._leave.is_set() else exited.result()
        await self._drain(exited)
        return ""

    def _over(self, exited: asyncio.Task[str]) -> bool:
        return exited.done() or bool(self._violation) or self._leave.is_set() or self._is(ProcessState.BROKEN)

    async def _either(self, exited: asyncio.Task[str], timeout_s: float | None = None) -> None:
        """Wait until the process ends or anything about it changes."""
        changed = spawn(self._changed.wait(), name=f"change of {self.plugin}")
        try:
            await asyncio.wait([exited, changed], timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            changed.cancel()

    def _may_rest(self) -> bool:
        idle_s = self._home.limits.idle.total_seconds()
        busy = self.claims.any or self.desk.triggers
        return bool(idle_s) and not busy and self._home.clock.monotonic_s() - self._used_s > idle_s

    async def _drain(self, exited: asyncio.Task[str]) -> None:
        if self._link is not None:
            self._link.send(pb.FromHost(drain=pb.Drain(grace_ms=round(DRAIN_S * 1000))))
            await asyncio.wait([exited], timeout=DRAIN_S)

    def _let_go_of_everything(self) -> None:
        """The process is gone, and what it held with it."""
        link, self._link = self._link, None
        if link is not None:
            link.close()
        self._recordings.forget()
        self._leave.clear()
        self.provisioning.forget()
        self.claims.lose_all()
        self._lose_triggers()
        self._pulse()

    def _lose_triggers(self) -> None:
        for hosted in self.desk.triggers.values():
            if not hosted.ended.done():
                hosted.ended.set_exception(LinkLostError())

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
        self.components = check_hello(hello)
        self.api = hello.api[:100]
        if self._link is not None:
            self._link.close()  # a second stream of the same child: the first is dead, whatever the system thinks
        self.provisioning.forget()
        self.claims.said(self._recordings.without(hello.running))
        self._link = link
        self._recordings.soon()
        self._become(ProcessState.READY)
        data_dir = self._home.data_dir
        return pb.Welcome(
            protocol=PROTOCOL_MAX,
            host=VERSION,
            permissions=sorted(self.launch.permissions),
            data_dir=str(data_dir) if data_dir is not None else "",
            frame_bytes_max=FRAME_BYTES_MAX,
            batches=True,
        )

    def received(self, link: Link, frame: pb.FromPlugin) -> None:
        """Take a frame, or a batch of them. Raises ValueError when the child breaks the protocol."""
        if link is not self._link:
            return
        self._used_s = self._home.clock.monotonic_s()
        for each in frame.batch.frames if frame.HasField("batch") else (frame,):
            self._received(link, each)

    def _received(self, link: Link, frame: pb.FromPlugin) -> None:
        kind = frame.WhichOneof("frame")
        if kind == "outcome":
            if not self.claims.came(frame.outcome):
                self.recorded(frame.outcome.id)
                self._count_stray()
        elif kind == "trigger_ended":
            self._trigger_ended(frame.trigger_ended)
        elif kind == "leaving":
            _log.info("plugin_leaves plugin=%s why=%s", self.plugin, frame.leaving.message[:500])
            self._leave.set()
            self._pulse()
        elif kind in ("done", "webhook_answer", "partitions"):
            if not link.answered(frame):
                self._count_stray()
        elif not self.desk.take(link, frame):
            raise ValueError(f"a frame {kind or 'that this host does not know'} has no place here")

    def _trigger_ended(self, ended: pb.TriggerEnded) -> None:
        hosted = self.desk.triggers.get(ended.instance)
        if hosted is not None and not hosted.ended.done():
            hosted.ended.set_result(ended)

    def _count_stray(self) -> None:
        self._stray += 1
        if self._stray > STRAY_FRAMES_MAX:
            self._stray = 0
            raise ValueError(f"more than {STRAY_FRAMES_MAX} frames about things that nobody asked it for")

    def refused(self, why: str) -> None:
        """The child broke the protocol: it is ended."""
        self._violation = f"it broke the protocol: {why}"
        self._pulse()

    def disconnected(self, link: Link) -> None:
        """The connection is gone: triggers start anew; attempts may come back with the child, for a while."""
        if self._link is link:
            self._link = None
            self.provisioning.forget()
            self._lose_triggers()
            self._pulse()

    # -- what the host asks of it

    async def prepare(self, component: str) -> None:
        """Start the process where need be, and have an action provisioned. Raises HostdError."""
        await self.provisioning.prepare(await self.link(), component)

    def prepared(self, component: str) -> bool:
        """Say whether an action can begin at once."""
        return self._link is not None and self.provisioning.ready(component)

    async def ask(self, frame: pb.FromHost) -> pb.FromPlugin:
        """Ask the process something. Raises HostdError PLUGIN_UNAVAILABLE."""
        try:
            return await (await self.link()).ask(frame)
        except LinkLostError:
            raise unavailable(f"plugin {self.plugin} went away before it answered") from None

    def recorded(self, attempt_id: pb.AttemptId) -> None:
        """Tell the child, soon, that an outcome is durable, or of no use."""
        if self._child is not None or self._link is not None:
            self._recordings.add(attempt_id)

    def _tell_recorded(self, attempt_ids: list[pb.AttemptId]) -> bool:
        if self._link is None:
            return False
        try:
            self._link.send(pb.FromHost(recorded=pb.Recorded(ids=attempt_ids)))
        except HostdError:
            return False  # it does not read now
        return True

    def drop_unclaimed(self) -> None:
        """Recovery is over: stop what the child holds and nobody waits for."""
        for attempt_id in self.claims.unclaimed():
            if self._link is not None:
                self._link.send(pb.FromHost(cancel_attempt=pb.CancelAttempt(id=attempt_id)))
                self.recorded(attempt_id)

    def begin_trigger(self, context: Any) -> HostedTrigger:
        """Return a place for a configured trigger."""
        hosted = HostedTrigger(f"{self.plugin}-{next(self._instances)}", context)
        self.desk.triggers[hosted.instance] = hosted
        return hosted

    def end_trigger(self, hosted: HostedTrigger) -> None:
        """The host runs a configured trigger no more."""
        self._used_s = self._home.clock.monotonic_s()
        self.desk.triggers.pop(hosted.instance, None)
