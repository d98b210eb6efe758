"""A plugin's process as the host keeps it, with everything around it real but the plugin."""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar

from hostd.aio import SystemClock
from hostd.host.process.daemon_lock import hold, let_go
from hostd.host.process.groups import Sharing
from hostd.host.process.home import ProcessHome
from hostd.host.process.launch import Launch, ProcessLimits
from hostd.host.process.nursery import LOCK
from hostd.host.process.plugin_process import PluginProcess
from hostd.host.process.start_queue import StartQueue
from hostd.host.process.states import ProcessState
from hostd.host.process.switchboard import Switchboard

BAD_CHILD = Path(__file__).with_name("bad_child.py")


def bad_child(mode: str) -> Launch:
    """Return how a child is started that misbehaves in a certain way."""
    root = str(Path(__file__).parents[2])
    return Launch((sys.executable, str(BAD_CHILD), mode), environment={"PYTHONPATH": root})


@asynccontextmanager
async def open_switchboard(**limits: Any) -> AsyncIterator[ProcessHome]:
    """Listen in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="hp") as folder:
        switchboard = Switchboard()
        await switchboard.start(Path(folder) / "s")
        clock, dice = SystemClock(), random.Random(3)
        home = ProcessHome(
            switchboard, clock, dice, ProcessLimits(**limits), Path(folder), None, StartQueue(), Sharing()
        )
        lock = hold(Path(folder) / LOCK)
        try:
            yield home
        finally:
            await switchboard.stop()
            let_go(lock)


@asynccontextmanager
async def kept(home: ProcessHome, launch: Launch, plugin: str = "bad") -> AsyncIterator[PluginProcess]:
    """Keep a plugin's process, and end it."""
    process = PluginProcess(plugin, "1.0", launch, home, lambda changed: None)
    process.start()
    try:
        yield process
    finally:
        await process.stop(0.5)


async def until(process: PluginProcess, *states: ProcessState) -> None:
    """Wait until the process is in one of some states."""
    while process.state not in states:
        await asyncio.sleep(0.005)


class Context:
    """As much of an attempt's context as the host's side asks for."""

    namespace, workflow, deadline, progress = "default", "w", None, None
    trace: ClassVar[dict[str, str]] = {}
    idempotency_key = "key"

    def __init__(self, run_id: str, step: str = "s", attempt: int = 1) -> None:
        self.run_id, self.step, self.attempt = run_id, step, attempt
        self.when_recorded: Any = None
        self.errors: list[str] = []
        self.beats: list[Any] = []

    @property
    def log(self) -> Context:
        """Where a traceback goes."""
        return self

    def error(self, text: str) -> None:
        """Keep a line."""
        self.errors.append(text)

    def heartbeat(self, progress: Any = None) -> None:
        """Keep a beat."""
        self.beats.append(progress)
