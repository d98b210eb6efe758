"""The process: it holds the link, hands frames to whom they concern, and ends in good order."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import threading
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from hostd.plugin.guard import Fault
from hostd.plugin.loading import Loaded
from hostd.plugin.process.actions import Actions, Workplace
from hostd.plugin.process.attempts import Attempts
from hostd.plugin.process.birth import Birth
from hostd.plugin.process.describe import describe
from hostd.plugin.process.here import Here
from hostd.plugin.process.link import PROTOCOL_MAX, PROTOCOL_MIN, Dial, HostLostError, HostRefusedError, Link
from hostd.plugin.process.log_post import LogPost
from hostd.plugin.process.machine import SystemClock
from hostd.plugin.process.tasks import Tasks
from hostd.plugin.process.triggers import Triggers, provision_fault
from hostd.plugin.process.wire import fault_to_wire
from hostd.plugin.v1 import host_pb2 as pb

TERM_GRACE_S = 10.0
GRACE_SHARE = 0.8  # the rest is for saying goodbye, before whoever waits takes sterner measures
CANCEL_S = 2.0
FAREWELL_S = 1.0
OK, BROKEN, REFUSED, ORPHANED = 0, 1, 3, 4
"""Exit codes; 2 is a wrong command line."""


class Child:
    """One plugin, served to one host."""

    def __init__(self, birth: Birth, loaded: Loaded) -> None:
        self._birth = birth
        self._loaded = loaded
        self._tasks = Tasks()
        clock = SystemClock()
        dial = Dial(birth.address, birth.orphan_s, once=loaded.broken is not None)
        self._link = Link(dial, self, self._tasks, random.SystemRandom())
        here = Here()
        self._logs = LogPost(self._link, here, clock)
        self._workplace = Workplace(birth.plugin, clock, self._logs)
        registrations = loaded.registrations
        self._actions = Actions(registrations, self._workplace, self._tasks)
        self._attempts = Attempts(self._actions, self._workplace, link=self._link, here=here, tasks=self._tasks)
        self._triggers = Triggers(registrations, self._workplace, link=self._link, tasks=self._tasks)
        self._hello = describe(birth, loaded, protocol=(PROTOCOL_MIN, PROTOCOL_MAX), pid=os.getpid())
        self._draining: asyncio.Task[None] | None = None
        self._patience: asyncio.Timeout | None = None

    async def serve(self, *, watched: bool = True) -> int:
        """Serve until the host says so, or is gone; return the exit code.

        Args:
            watched: look for signals and for the end of standard input; else whoever calls does.
        """
        if watched:
            watch_for_the_end([self])
        try:
            await self._link.run()
        except HostRefusedError as error:
            if self._loaded.broken is not None:
                return BROKEN  # said already
            say(f"the host refused plugin {self._birth.plugin}: {error}")
            return await self._end(REFUSED)
        except HostLostError as error:
            say(f"plugin {self._birth.plugin} ends: {error}")
            return await self._end(ORPHANED)
        return await self._end(OK if self._loaded.broken is None else BROKEN)

    async def _end(self, code: int) -> int:
        await self._triggers.give_up(CANCEL_S)
        await self._attempts.give_up(CANCEL_S)
        await self._actions.close()
        return code

    # -- the link's receiver

    def hello(self) -> pb.Hello:
        """Return what is said first, with the attempts that are held."""
        hello = pb.Hello()
        hello.CopyFrom(self._hello)
        hello.running.extend(self._attempts.held())
        return hello

    def connected(self, welcome: pb.Welcome) -> None:
        """The host is there (again): send what it may not have."""
        self._workplace.data_dir = Path(welcome.data_dir) if welcome.data_dir else None
        self._attempts.resend()
        if self._loaded.broken is not None:
            self.drain(0.0, "the plugin is broken")
        if self._draining is not None:
            self._link.push(pb.FromPlugin(leaving=pb.Leaving(message="the process is ending")))

    def lost(self) -> None:
        """The host is gone: attempts go on, triggers stop."""
        self._triggers.lost()

    def received(self, frame: pb.FromHost) -> None:
        """Hand a frame to whom it concerns."""
        kind = frame.WhichOneof("frame")
        if kind == "start_attempt":
            self._attempts.start(frame.start_attempt)
        elif kind == "cancel_attempt":
            self._attempts.cancel(frame.cancel_attempt.id)
        elif kind == "recorded":
            self._attempts.recorded(frame.recorded.ids)
        elif kind == "start_trigger":
            self._triggers.start(frame.start_trigger)
        elif kind == "stop_trigger":
            self._triggers.stop(frame.stop_trigger.instance)
        elif kind == "drain":
            self.drain(frame.drain.grace_ms / 1000 or TERM_GRACE_S, "the host asked for it")
        else:
            self._question(kind, frame)

    def _question(self, kind: str | None, frame: pb.FromHost) -> None:
        if kind == "ping":
            self._answer(frame.call, pb.FromPlugin(done=pb.Done()))
        elif kind == "provision":
            self._work(frame.call, self._provision(frame.provision))
        elif kind == "webhook":
            self._work(frame.call, self._triggers.answer(frame.webhook))
        elif kind == "plan_partitions":
            self._work(frame.call, self._triggers.partitions(frame.plan_partitions.trigger))
        elif kind == "plan_slots":
            self._work(frame.call, self._triggers.slots(frame.plan_slots))
        elif frame.call:
            self._answer(frame.call, _fault(Fault("NOT_YET_SUPPORTED", "this SDK does not know the question")))

    def _work(self, call: int, work: Coroutine[Any, Any, pb.FromPlugin]) -> None:
        self._tasks.spawn(self._answer_with(call, work), name="question of the host")

    async def _answer_with(self, call: int, work: Coroutine[Any, Any, pb.FromPlugin]) -> None:
        try:
            frame = await work
        except GeneratorExit:
            raise
        except BaseException as error:  # noqa: BLE001 the fence: each question has its answer, whatever a plugin raises
            frame = _fault(provision_fault(error))
        self._answer(call, frame)

    def _answer(self, call: int, frame: pb.FromPlugin) -> None:
        frame.call = call
        self._link.push(frame)

    async def _provision(self, wanted: pb.Provision) -> pb.FromPlugin:
        await self._actions.get(wanted.component).provision(wanted.settings)
        return pb.FromPlugin(done=pb.Done())

    # -- ending

    def drain(self, grace_s: float, why: str) -> None:
        """End what is held, begin nothing, then go; may be called twice."""
        if self._draining is None:
            self._attempts.draining = self._triggers.draining = True
            self._link.push(pb.FromPlugin(leaving=pb.Leaving(message=why)))
            self._draining = self._tasks.spawn(self._drain(grace_s), name="drain")

    def host_is_dead(self) -> None:
        """The host that started the process is: dial the next one."""
        self._link.drop()

    def told_to_end(self) -> None:
        """SIGTERM: drain; whoever drains already has had its time."""
        if self._patience is not None:
            self._patience.reschedule(asyncio.get_running_loop().time())
            return
        self.drain(TERM_GRACE_S, "the process was told to end")

    async def _drain(self, grace_s: float) -> None:
        try:
            async with asyncio.timeout(grace_s * GRACE_SHARE) as self._patience:
                await self._triggers.end(grace_s)
                await self._attempts.settled()
        except TimeoutError:
            pass  # what is left is cut off: the host knows what becomes of attempts whose process is gone
        finally:
            self._patience = None
        await self._link.finish(FAREWELL_S)


def _fault(fault: Fault) -> pb.FromPlugin:
    return pb.FromPlugin(done=pb.Done(fault=fault_to_wire(fault)))


def say(line: str) -> None:
    """Write one line for whoever reads the process's output."""
    os.write(2, f"{line[:2_000]}\n".encode("utf-8", "replace"))


def watch_for_the_end(children: list[Child]) -> None:
    """Tell the children of a process when it is to end, and when the host that started it is dead."""
    loop = asyncio.get_running_loop()

    def told_to_end() -> None:
        for child in children:
            child.told_to_end()

    def host_is_dead() -> None:
        for child in children:
            child.host_is_dead()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told_to_end)
    watch_stdin(lambda: loop.call_soon_threadsafe(host_is_dead))


def watch_stdin(ended: Any) -> None:
    """Call when standard input ends: the host that holds its other end is dead. Plugins see an empty one."""
    try:
        private = os.dup(0)
        with open(os.devnull, "rb") as nothing:
            os.dup2(nothing.fileno(), 0)
    except OSError:
        return  # there is none

    def read() -> None:
        try:
            while os.read(private, 4096):
                pass
        except OSError:
            pass
        ended()

    threading.Thread(target=read, name="stdin", daemon=True).start()
