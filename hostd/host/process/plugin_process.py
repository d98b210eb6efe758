"""One plugin's process: started when somebody needs it, watched, started again with back-off, quarantined at last.

IDLE ──needed──▶ STARTING ──Hello──▶ READY ──idle──▶ IDLE
                    │                  │ crash, hang, protocol broken
                    └────────────▶ BACKING_OFF ──▶ STARTING ...   five crashes in ten minutes ──▶ QUARANTINED
BROKEN: it could not be loaded; another try needs another version.      STOPPED: the daemon ends, or it was replaced
"""

from __future__ import annotations

import asyncio
import enum
import hashlib
import itertools
import logging
import secrets
from collections import deque
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from hostd.aio import Clock, spawn
from hostd.errors.base import HostdError, Kind
from hostd.host.lost import AttemptLostError
from hostd.host.process.alone import Suspects
from hostd.host.process.child import Child, start_child
from hostd.host.process.components import check_hello
from hostd.host.process.desk import Desk, HostedTrigger
from hostd.host.process.held import Held, Key, key_of
from hostd.host.process.launch import Launch, ProcessLimits, surroundings
from hostd.host.process.link import FRAME_BYTES_MAX, Link, LinkLostError, fault_error, unavailable
from hostd.host.process.output import Output
from hostd.host.process.remembered import Remembered, forget, remembered
from hostd.host.process.switchboard import PROTOCOL_MAX, Switchboard
from hostd.host.process.watchdog import Watchdog
from hostd.plugin.v1 import host_pb2 as pb
from hostd.values.version import VERSION

BACKOFF_S = (0.2, 1.0, 2.0, 5.0, 15.0, 30.0)
CRASHES_MAX = 5
CRASH_WINDOW_S = 600.0
QUARANTINE_S = 600.0
DRAIN_S = 5.0
REDIAL_S = 10.0
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


class ProcessHome(NamedTuple):
    """What all plugin processes of a daemon share. `run_dir` is for pipes and notes; `data_dir` None keeps no files."""

    switchboard: Switchboard
    clock: Clock
    random: Random
    limits: ProcessLimits
    run_dir: Path
    data_dir: Path | None
    changed: Callable[[PluginProcess], None]


class PluginProcess:
    """The process of one plugin, as the host keeps it."""

    def __init__(self, plugin: str, version: str, launch: Launch, home: ProcessHome) -> None:
        self.plugin = plugin
        self.version = version
        self.launch = launch
        self.state = ProcessState.IDLE
        self.message = ""
        self.traceback = ""
        self.components: tuple[pb.Component, ...] = ()
        self.restarts = 0
        self.api = ""
        self.suspects = Suspects(home.clock)
        self.desk = Desk(plugin, launch.permissions)
        self._home = home
        self._link: Link | None = None
        self._child: Child | None = None
        self._changed = asyncio.Event()
        self._wanted = asyncio.Event()
        self._leave = asyncio.Event()
        self._supervisor: asyncio.Task[None] | None = None
        self._crashes: deque[float] = deque(maxlen=CRASHES_MAX)
        self._quarantined_until_s = 0.0
        self._provisioned: dict[str, asyncio.Future[None]] = {}
        self._settings: dict[str, bytes] = {}
        self._unclaimed: set[Key] = set()
        self._outcomes: dict[Key, pb.Outcome] = {}  # came before recovery asked for them
        self._stray = 0
        self._broken_link = ""
        self._used_s = home.clock.monotonic_s()
        self._instances = itertools.count(1)
        self._inherited = self._take_over()
        self._took_over = self._inherited is not None
        self.cookie = self._inherited.cookie if self._inherited is not None else secrets.token_hex(32)

    # -- life

    @property
    def pid(self) -> int:
        """Id of the process, 0 while there is none."""
        return self._child.pid if self._child is not None else 0

    @property
    def inherited(self) -> bool:
        """Whether a process that the daemon before this one started is still to be heard from."""
        return self._took_over and self._link is None and self.state in (ProcessState.IDLE, ProcessState.STARTING)

    @property
    def output(self) -> list[str]:
        """What it printed last."""
        return list(self._child.output.tail) if self._child is not None else list(self._last_output)

    _last_output: tuple[str, ...] = ()

    def start(self, *, now: bool = True) -> None:
        """Begin to supervise; `now` starts the process without waiting until somebody needs it."""
        self._home.switchboard.expect(self)
        if now or self._inherited is not None:
            self._wanted.set()
        self._supervisor = spawn(self._supervise(), name=f"plugin {self.plugin}")

    async def stop(self, grace_s: float = DRAIN_S) -> None:
        """Drain the process and end it; nothing starts it again."""
        self.state = ProcessState.STOPPED
        self._home.switchboard.forget(self)
        self._leave.set()
        self._wanted.set()
        self._pulse()
        if self._supervisor is not None:
            await asyncio.wait([self._supervisor], timeout=grace_s + 10.0)
            self._supervisor.cancel()

    def release(self) -> None:
        """Let a quarantined or broken plugin start again."""
        self._crashes.clear()
        if self.state in (ProcessState.QUARANTINED, ProcessState.BROKEN):
            self._become(ProcessState.IDLE)

    async def first_word(self) -> None:
        """Wait until it has said what it serves, or that it cannot."""
        while not self.components and self.state in (
            ProcessState.IDLE,
            ProcessState.STARTING,
            ProcessState.BACKING_OFF,
        ):
            await self._changed.wait()

    async def link(self) -> Link:
        """Return the connection, starting the process where need be. Raises HostdError PLUGIN_UNAVAILABLE."""
        self._used_s = self._home.clock.monotonic_s()
        while self._link is None:
            if self.state is ProcessState.QUARANTINED and self._home.clock.monotonic_s() >= self._quarantined_until_s:
                self.release()
            if self.state in (ProcessState.QUARANTINED, ProcessState.BROKEN, ProcessState.STOPPED):
                message = f"plugin {self.plugin} is {self.state.lower()}: {self.message or 'the daemon stops'}"
                raise unavailable(message, retry_after_s=None)
            self._wanted.set()
            await self._changed.wait()
        return self._link

    def _become(self, state: ProcessState, message: str = "") -> None:
        if self.state is ProcessState.STOPPED:
            return
        self.state, self.message = state, message
        self._pulse()
        self._home.changed(self)

    def _pulse(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    def _is(self, *states: ProcessState) -> bool:
        return self.state in states

    async def _supervise(self) -> None:
        while not self._is(ProcessState.STOPPED):
            await self._wanted.wait()
            if self._is(ProcessState.STOPPED, ProcessState.BROKEN, ProcessState.QUARANTINED):
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
        if len(self._crashes) >= CRASHES_MAX:
            self._quarantined_until_s = now_s + QUARANTINE_S
            self._wanted.clear()
            _log.error("plugin_quarantined plugin=%s crashes=%d why=%s", self.plugin, len(self._crashes), why)
            self._become(ProcessState.QUARANTINED, f"{len(self._crashes)} crashes in ten minutes, the last: {why}")
            return
        delay_s = BACKOFF_S[min(len(self._crashes), len(BACKOFF_S)) - 1] * (0.8 + 0.4 * self._home.random.random())
        _log.warning("plugin_crashed plugin=%s in_s=%.1f why=%s", self.plugin, delay_s, why)
        self._become(ProcessState.BACKING_OFF, why)
        await self._home.clock.sleep(delay_s)

    async def _live(self) -> str:
        """Run one process from start to end; return why it ended, nothing when it was asked to."""
        self._broken_link = ""
        self._leave.clear()
        self._become(ProcessState.STARTING)
        try:
            child = self._child = await self._start()
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
            child.kill()  # what it started goes with it
            await child.output.close()
            self._last_output = tuple(child.output.tail)
            self._child = None
            forget(self._note)

    async def _start(self) -> Child:
        """Start a process, or take over the one that is there. Raises OSError."""
        inherited, self._inherited = self._inherited, None
        if inherited is not None and inherited.identity.lives():
            output = self._output(inherited.output)
            output.open_again()
            return Child(inherited.identity, output, self._home.clock)
        limits, home = self._home.limits, self._home
        home.switchboard.forget(self)
        self.cookie = secrets.token_hex(32)
        home.switchboard.expect(self)
        environment = surroundings(
            self.launch,
            address=home.switchboard.address,
            cookie=self.cookie,
            plugin=self.plugin,
            version=self.version,
        )
        output = self._output(f"{self.plugin}.{secrets.token_hex(4)}.out")
        child = await start_child(self.launch, environment, output=output, limits=limits, clock=home.clock)
        Remembered(child.identity, self.cookie, self._launch_digest(), output.path.name).write(self._note)
        return child

    async def _serve(self, child: Child, exited: asyncio.Task[str]) -> str:
        """Watch a process until it ends, has to be ended, or may go."""
        start_s = self._home.limits.start.total_seconds()
        try:
            async with asyncio.timeout(start_s):
                while self._link is None and not exited.done() and not self._broken_link and not self._leave.is_set():
                    await self._either(exited)
        except TimeoutError:
            return f"it did not connect within {start_s:g} s"
        if self.state is ProcessState.BROKEN:
            return self.message
        watchdog = Watchdog(self._home.limits, self._home.clock)
        while not exited.done():
            if self._leave.is_set():
                await self._drain(exited)
                return ""
            if self._broken_link:
                return self._broken_link
            why = await watchdog.look(child, self._link)
            if why:
                return why
            if self._may_rest():
                await self._drain(exited)
                return ""
            await self._either(exited, timeout_s=1.0)
        return self._broken_link or exited.result()

    async def _either(self, exited: asyncio.Task[str], timeout_s: float | None = None) -> None:
        changed = spawn(self._changed.wait(), name=f"change of {self.plugin}")
        leaving = spawn(self._leave.wait(), name=f"leave of {self.plugin}")
        try:
            await asyncio.wait([exited, changed, leaving], timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            changed.cancel()
            leaving.cancel()

    def _may_rest(self) -> bool:
        busy = self.desk.attempts or self.desk.triggers or self._unclaimed
        idle_s = self._home.limits.idle.total_seconds()
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
        self._provisioned.clear()
        self._unclaimed.clear()
        self._outcomes.clear()
        places = {held.place for held in self.desk.attempts.values()}
        guilty = self.suspects.lost(places)
        for held in list(self.desk.attempts.values()):
            if not held.answer.done():
                held.answer.set_exception(_loss(held, held.place in guilty))
        for hosted in list(self.desk.triggers.values()):
            if not hosted.ended.done():
                hosted.ended.set_exception(LinkLostError())
        self._pulse()

    # -- the connection (switchboard.Line)

    def connected(self, link: Link) -> pb.Welcome:
        """Take the child's connection. Raises ValueError with the reason it is refused."""
        hello = link.hello
        if hello.plugin != self.plugin:
            raise ValueError(f"it says it is {hello.plugin[:80]!r}, but was started as {self.plugin!r}")
        if hello.HasField("broken"):
            fault = hello.broken
            self.traceback = fault.traceback[:8_000]
            self._become(ProcessState.BROKEN, f"{fault.reason}: {fault.message}"[:2_000])
            raise ValueError(self.message)
        self.components = check_hello(hello)
        self.api = hello.api[:100]
        if self._link is not None:
            self._link.close()  # a second stream of the same child: the first is dead, whatever TCP thinks
        held = {key_of(attempt_id) for attempt_id in hello.running}
        self._unclaimed = held - self.desk.attempts.keys()
        self._lose_unknown(held)
        self._link = link
        self._become(ProcessState.READY)
        return pb.Welcome(
            protocol=PROTOCOL_MAX,
            host=VERSION,
            permissions=sorted(self.launch.permissions),
            data_dir=str(self._home.data_dir / "plugins-data" / self.plugin) if self._home.data_dir else "",
            frame_bytes_max=FRAME_BYTES_MAX,
        )

    def _lose_unknown(self, held: set[Key]) -> None:
        """What this daemon waits for and a child that dialed again does not hold is lost."""
        for key, waiting in self.desk.attempts.items():
            if key not in held and not waiting.answer.done():
                waiting.answer.set_exception(AttemptLostError())

    def received(self, link: Link, frame: pb.FromPlugin) -> None:
        """Take a frame. Raises ValueError when the child breaks the protocol."""
        if link is not self._link:
            return
        self._used_s = self._home.clock.monotonic_s()
        kind = frame.WhichOneof("frame")
        if kind == "outcome":
            self._outcome(frame.outcome)
        elif kind == "trigger_ended":
            self._trigger_ended(frame.trigger_ended)
        elif kind == "leaving":
            _log.info("plugin_leaves plugin=%s why=%s", self.plugin, frame.leaving.message[:500])
            self._leave.set()
        elif kind in ("done", "webhook_answer", "partitions"):
            if not link.answered(frame):
                self._count_stray()
        elif not self.desk.take(link, frame):
            raise ValueError(f"a frame {kind or 'that this host does not know'} has no place here")

    def _outcome(self, outcome: pb.Outcome) -> None:
        key = key_of(outcome.id)
        held = self.desk.attempts.get(key)
        if held is None and key in self._unclaimed:
            self._outcomes[key] = outcome
        elif held is None or held.id.epoch != outcome.id.epoch:
            self._count_stray()
            self.forget_outcome(outcome.id)
        elif not held.answer.done():
            held.answer.set_result(outcome)

    def _trigger_ended(self, ended: pb.TriggerEnded) -> None:
        hosted = self.desk.triggers.get(ended.instance)
        if hosted is not None and not hosted.ended.done():
            hosted.ended.set_result(ended)

    def _count_stray(self) -> None:
        self._stray += 1
        if self._stray > STRAY_FRAMES_MAX:
            self._stray = 0
            raise ValueError(f"more than {STRAY_FRAMES_MAX} frames about things that nobody asked it for")

    def disconnected(self, link: Link, why: str) -> None:
        """The connection is gone: triggers start anew; attempts may come back with the child, for a while."""
        if self._link is link:
            self._link = None
            self._provisioned.clear()
            for hosted in self.desk.triggers.values():
                if not hosted.ended.done():
                    hosted.ended.set_exception(LinkLostError())
        if link.hello.plugin and (self._link is None) and "closed the connection" not in why:
            self._broken_link = f"it broke the protocol: {why}"
        self._pulse()

    # -- what the host asks of it

    def settle(self, component: str, settings: bytes) -> None:
        """Remember the operator's settings of a component."""
        self._settings[component] = settings

    async def prepare(self, component: str) -> None:
        """Have an action provisioned, once a connection. Raises HostdError."""
        link = await self.link()
        future = self._provisioned.get(component)
        if future is None:
            future = self._provisioned[component] = spawn(
                self._provision(link, component), name=f"provision {component}"
            )
        try:
            await asyncio.shield(future)
        except LinkLostError:
            raise unavailable(f"plugin {self.plugin} went away while {component} was provisioned") from None
        except HostdError:
            self._provisioned.pop(component, None)
            raise

    def prepared(self, component: str) -> bool:
        """Say whether an action can begin at once."""
        future = self._provisioned.get(component)
        return self._link is not None and future is not None and future.done() and not future.cancelled()

    async def _provision(self, link: Link, component: str) -> None:
        wanted = pb.Provision(component=component, settings=self._settings.get(component, b""))
        answered = await link.ask(pb.FromHost(provision=wanted))
        if answered.done.HasField("fault"):
            raise fault_error(answered.done.fault)

    async def ask(self, frame: pb.FromHost) -> pb.FromPlugin:
        """Ask the process something. Raises HostdError PLUGIN_UNAVAILABLE."""
        try:
            return await (await self.link()).ask(frame)
        except LinkLostError:
            raise unavailable(f"plugin {self.plugin} went away before it answered") from None

    def claimed(self, key: Key) -> bool:
        """Say whether the process says it holds an attempt that this daemon has not begun."""
        return key in self._unclaimed

    def hold(self, attempt_id: pb.AttemptId, context: Any) -> Held:
        """Wait for an attempt's outcome from now on; one that came already is there at once."""
        held = Held(attempt_id, context)
        self.desk.attempts[held.key] = held
        self._unclaimed.discard(held.key)
        outcome = self._outcomes.pop(held.key, None)
        if outcome is not None:
            held.answer.set_result(outcome)
        return held

    def let_go(self, held: Held) -> None:
        """Wait no more."""
        self._used_s = self._home.clock.monotonic_s()
        if self.desk.attempts.get(held.key) is held:
            del self.desk.attempts[held.key]

    def forget_outcome(self, attempt_id: pb.AttemptId) -> None:
        """Tell the child that an outcome is durable, or of no use."""
        if self._link is not None:
            self._link.send(pb.FromHost(recorded=pb.Recorded(ids=[attempt_id])))

    def drop_unclaimed(self) -> None:
        """Recovery is over: stop what the child holds and nobody waits for."""
        if self._link is None:
            return
        for run_id, step, attempt in self._unclaimed:
            attempt_id = pb.AttemptId(run_id=run_id, step=step, attempt=attempt)
            self._link.send(pb.FromHost(cancel_attempt=pb.CancelAttempt(id=attempt_id)))
            self.forget_outcome(attempt_id)
        self._unclaimed.clear()
        self._outcomes.clear()

    def settings(self, component: str) -> bytes:
        """Return the operator's settings of a component, JSON; empty for none."""
        return self._settings.get(component, b"")

    def let_go_of_trigger(self, hosted: HostedTrigger) -> None:
        """The host runs a configured trigger no more."""
        self._used_s = self._home.clock.monotonic_s()
        self.desk.triggers.pop(hosted.instance, None)

    def new_instance(self, context: Any) -> HostedTrigger:
        """Return a place for a configured trigger."""
        hosted = HostedTrigger(f"{self.plugin}-{next(self._instances)}", context)
        self.desk.triggers[hosted.instance] = hosted
        return hosted

    # -- notes

    @property
    def _note(self) -> Path:
        return self._home.run_dir / f"{self.plugin}.{self._launch_digest()}.json"

    def _launch_digest(self) -> str:
        return hashlib.blake2b(repr((self.version, self.launch)).encode(), digest_size=8).hexdigest()

    def _take_over(self) -> Remembered | None:
        """Return the process that an earlier daemon left for this very plugin; end those of other versions."""
        for note in self._home.run_dir.glob(f"{self.plugin}.*.json"):
            known = remembered(note)
            if note == self._note:
                continue
            if known is not None:
                Child(known.identity, self._output(known.output), self._home.clock).kill()
            forget(note)
        return remembered(self._note)

    def _output(self, name: str) -> Output:
        return Output(self.plugin, self._home.run_dir / name, self._home.clock)


def _loss(held: Held, guilty: bool) -> Exception:
    if not guilty:
        return AttemptLostError()

    message = "the plugin's process died each time this step ran, the last time while nothing else did"
    return HostdError(Kind.STATE, "ATTEMPT_LOST", message)
