"""Starting a plugin's process, or taking over the one that an earlier daemon left behind."""

from __future__ import annotations

import secrets
from collections.abc import Container
from pathlib import Path

from hostd.aio import Clock
from hostd.host.process.child import Child, start_child
from hostd.host.process.home import ProcessHome
from hostd.host.process.launch import Launch, surroundings
from hostd.host.process.output import Output
from hostd.host.process.remembered import Remembered, forget, remembered


class Nursery:
    """Makes the processes of one plugin, one at a time. `cookie` is what the next one says to be let in."""

    def __init__(self, plugin: str, version: str, launch: Launch, home: ProcessHome, *, beside: bool) -> None:
        """Look for what was left behind, unless this is a version `beside` one that this daemon runs."""
        self._plugin = plugin
        self._version = version
        self._launch = launch
        self._home = home
        self._note: Path | None = None  # about the process that this nursery made
        self._inherited = None if beside else self._left_behind()
        self.took_over = self._inherited is not None
        self.cookie = self._inherited.cookie if self._inherited is not None else secrets.token_hex(32)

    def _left_behind(self) -> Remembered | None:
        """Return the process that an earlier daemon left for this very plugin; end all others of it."""
        left: Remembered | None = None
        same = f"{self._plugin}.{self._launch.digest(self._version)}."
        for note in sorted(self._home.run_dir.glob(f"{self._plugin}.*.json"), key=_written_ns, reverse=True):
            found = remembered(note)
            if left is None and found is not None and note.name.startswith(same):
                left, self._note = found, note
                continue
            if found is not None:
                Child(found.identity, self._output(found.output), self._home.clock).kill()
            forget(note)
        for pipe in self._home.run_dir.glob(f"{self._plugin}.*.out"):
            if left is None or pipe.name != left.output:
                forget(pipe)
        return left

    def _output(self, name: str) -> Output:
        return Output(self._plugin, self._home.run_dir / name, self._home.clock)

    async def start(self) -> Child:
        """Start a process, or take over the one that is there. Raises OSError."""
        inherited, self._inherited = self._inherited, None
        if inherited is not None and inherited.identity.lives():
            output = self._output(inherited.output)
            output.open_again()
            return Child(inherited.identity, output, self._home.clock)
        home = self._home
        environment = surroundings(
            self._launch,
            address=home.switchboard.address,
            cookie=self.cookie,
            plugin=self._plugin,
            version=self._version,
            orphan=home.limits.orphan,
        )
        name = secrets.token_hex(4)
        output = self._output(f"{self._plugin}.{name}.out")
        try:
            child = await start_child(self._launch, environment, output=output, limits=home.limits, clock=home.clock)
        except OSError:
            await output.close()
            raise
        # a name of its own: a process of the same version may be there still, with what it has to do
        self._note = home.run_dir / f"{self._plugin}.{self._launch.digest(self._version)}.{name}.json"
        try:
            Remembered(child.identity, self.cookie, output.path.name).write(self._note)
        except OSError:  # a disk that is full; nobody would ever end the process
            await self.bury(child)
            await child.exited()
            raise
        return child

    async def bury(self, child: Child) -> tuple[str, ...]:
        """Make sure that a process and all it started are gone; return what it printed last."""
        child.kill()
        await child.output.close()
        if self._note is not None:
            forget(self._note)
        self.cookie = secrets.token_hex(32)
        return tuple(child.output.tail)


def sweep(run_dir: Path, plugins: Container[str], clock: Clock) -> None:
    """End what earlier daemons left behind of plugins that are not there any more. Blocks."""
    for note in run_dir.glob("*.json"):
        plugin = note.name.partition(".")[0]
        if plugin not in plugins:
            found = remembered(note)
            if found is not None:
                Child(found.identity, Output(plugin, run_dir / found.output, clock), clock).kill()
            forget(note)
    for pipe in run_dir.glob("*.out"):
        if pipe.name.partition(".")[0] not in plugins:
            forget(pipe)


def _written_ns(note: Path) -> int:
    try:
        return note.stat().st_mtime_ns
    except OSError:
        return 0
