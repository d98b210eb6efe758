"""Starting a plugin's process, or taking over the one that an earlier daemon left behind."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Container, Sequence
from pathlib import Path
from typing import NamedTuple

from hostd.aio import Clock
from hostd.host.process.child import Child, start_child
from hostd.host.process.groups import Lodger, together
from hostd.host.process.home import ProcessHome
from hostd.host.process.launch import Launch, surroundings
from hostd.host.process.output import Output
from hostd.host.process.remembered import Remembered, forget, remembered

LOCK = "daemon.lock"
"""In the folder of pipes and notes; every daemon holds it locked, shared. By it reapers see that there is none."""


class LeftBehind(NamedTuple):
    """A process that outlived its daemon, and the note about it."""

    process: Remembered
    note: Path


class Nursery:
    """Makes the processes of one plugin, one at a time. `cookie` is what the next one says to be let in.

    In a group it makes one for others, too, or finds that another has made one for it: then that is `reserved`.
    """

    def __init__(
        self, plugin: str, version: str, launch: Launch, home: ProcessHome, *, left: LeftBehind | None = None
    ) -> None:
        """Take over what was left behind (see `left_behind`), if anything was."""
        self.reserved: Child | None = None
        self._plugin = plugin
        self._version = version
        self._launch = launch
        self._home = home
        self._note = left.note if left is not None else None  # about the process that this nursery made
        self._inherited = left.process if left is not None else None
        self.cookie = left.process.cookie if left is not None else secrets.token_hex(32)

    @property
    def inherits(self) -> bool:
        """Whether there is a process to take over, as far as is known."""
        return self._inherited is not None

    def take_over(self) -> Child | None:
        """Return the process that an earlier daemon left behind, where it still lives."""
        inherited, self._inherited = self._inherited, None
        if inherited is None or not inherited.identity.lives():
            return None
        shared = self._home.sharing.known(inherited.identity)
        if shared is not None:
            return shared
        output = Output(self._plugin, self._home.run_dir / inherited.output, self._home.clock)
        output.open_again()
        return Child(inherited.identity, output, self._home.clock, reaped=inherited.reaped)

    async def start(self, lodgers: Sequence[Lodger] = ()) -> Child:
        """Start a process, for those too who are to live there with this plugin. Raises OSError."""
        home = self._home
        launch = together(list(lodgers)) if len(lodgers) > 1 else self._launch
        environment = surroundings(
            launch,
            address=home.switchboard.address,
            cookie=self.cookie,
            plugin=self._plugin,
            version=self._version,
            orphan=home.limits.orphan,
        )
        name = secrets.token_hex(4)
        output = Output(self._plugin, home.run_dir / f"{self._plugin}.{name}.out", home.clock)
        try:
            child = await start_child(
                launch,
                environment,
                output=output,
                limits=home.limits,
                clock=home.clock,
                lock=home.run_dir / LOCK,
            )
        except OSError:
            await output.close()
            raise
        try:
            self.note(child)
        except OSError:  # a disk that is full; nobody would ever end the process
            await child.stop(0.0)
            await self.bury(child)
            raise
        return child

    def note(self, child: Child) -> None:
        """Write down that this plugin lives in a process. Raises OSError."""
        # a name of its own: a process of the same version may be there still, with what it has to do
        name = child.output.path.name.split(".")[-2]
        self._note = self._home.run_dir / f"{self._plugin}.{self._launch.digest(self._version)}.{name}.json"
        Remembered(child.identity, self.cookie, child.output.path.name, child.reaped).write(self._note)

    async def bury(self, child: Child, *, ended: bool = True) -> tuple[str, ...]:
        """Make sure that a process that ended took along all it started; return what it printed last.

        Where it has not `ended`, others live on in it.
        """
        if ended:
            await asyncio.to_thread(child.kill)
            await child.output.close()
        if self._note is not None:
            forget(self._note)
        self.cookie = secrets.token_hex(32)
        return tuple(child.output.tail)


def left_behind(plugin: str, version: str, launch: Launch, home: ProcessHome) -> LeftBehind | None:
    """Return the process that an earlier daemon left for this very plugin; end all others of it. Blocks."""
    left: LeftBehind | None = None
    same = f"{plugin}.{launch.digest(version)}."
    for note in sorted(home.run_dir.glob(f"{plugin}.*.json"), key=_written_ns, reverse=True):
        found = remembered(note)
        if left is None and found is not None and note.name.startswith(same):
            left = LeftBehind(found, note)
            continue
        _end(plugin, found, home.run_dir, home.clock)
        forget(note)
    for pipe in home.run_dir.glob(f"{plugin}.*.out"):
        if left is None or pipe.name != left.process.output:
            forget(pipe)
    return left


def sweep(run_dir: Path, plugins: Container[str], clock: Clock) -> None:
    """End what earlier daemons left behind of plugins that are not there any more. Blocks."""
    for note in run_dir.glob("*.json"):
        plugin = note.name.partition(".")[0]
        if plugin not in plugins:
            _end(plugin, remembered(note), run_dir, clock)
            forget(note)
    for pipe in run_dir.glob("*.out"):
        if pipe.name.partition(".")[0] not in plugins:
            forget(pipe)


def _end(plugin: str, found: Remembered | None, run_dir: Path, clock: Clock) -> None:
    if found is not None:
        output = Output(plugin, run_dir / found.output, clock)
        Child(found.identity, output, clock, reaped=found.reaped).kill()


def _written_ns(note: Path) -> int:
    try:
        return note.stat().st_mtime_ns
    except OSError:
        return 0
