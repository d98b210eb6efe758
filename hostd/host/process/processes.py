"""All plugin processes of a daemon: the socket they dial, who lives, and which version of each serves."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from hostd.aio import Clock, spawn
from hostd.errors.base import HostdError
from hostd.host.found import Found, PluginReport, PluginState
from hostd.host.process.entries import RemoteActionEntry, RemoteTriggerEntry
from hostd.host.process.groups import Sharing
from hostd.host.process.hearing import hear
from hostd.host.process.hellos import Hellos
from hostd.host.process.home import ProcessHome
from hostd.host.process.launch import ProcessLimits
from hostd.host.process.link import unavailable
from hostd.host.process.memory import Memory
from hostd.host.process.nursery import left_behind, sweep
from hostd.host.process.old_versions import OldVersions
from hostd.host.process.plugin_process import PluginProcess
from hostd.host.process.process_views import view_of
from hostd.host.process.run_folder import RunFolder
from hostd.host.process.served import Served
from hostd.host.process.start_queue import StartQueue
from hostd.host.process.switchboard import Switchboard
from hostd.model.views import ProcessView


class Processes:
    """Owns every plugin process. `changed` is called when what they serve, or how they are, has changed."""

    def __init__(
        self,
        *,
        clock: Clock,
        random: Random,
        limits: ProcessLimits,
        data_dir: Path | None,
        settings: Mapping[str, Any],
        changed: Callable[[], None],
        socket: Path | None = None,
        within: Path | None = None,
        groups: Mapping[str, Iterable[str]] | None = None,
    ) -> None:
        """Listen to nothing yet.

        Args:
            within: for those without a data folder: where to have a folder for a while.
            groups: plugins that share a process, by name.
            socket: where to listen; None in a folder of its own.
        """
        self.switchboard = Switchboard()
        self.known: dict[str, PluginProcess] = {}
        self.served = Served(settings)
        self._clock = clock
        self._random = random
        self._limits = limits
        self._data_dir = data_dir
        self._changed = changed
        self._memory = Memory(Hellos(data_dir))
        self._starts = StartQueue()
        self._sharing = Sharing(groups)
        self._found: dict[str, Found] = {}
        self._old = OldVersions(clock, changed)
        self._leaving: dict[str, PluginProcess] = {}  # serves while its successor starts, or is on its way out
        self._changing: dict[str, asyncio.Lock] = {}  # one change of a plugin at a time
        self._run_folder = RunFolder(data_dir, socket, within)
        self._recovered = False
        self._stopping = False

    # -- life

    async def start(self, found: Iterable[Found]) -> None:
        """Listen, and start the plugins' processes: each at once where nothing is known of it, else on its first use.

        Waits for none of them; see `hear`.

        Raises:
            OSError: the socket or its folder cannot be made.
        """
        self.switchboard.more_to_come = not self._recovered
        wanted = [plugin for plugin in found if plugin.launch is not None]
        if not wanted:
            return
        run_dir = await self._run_folder.path()
        processes = await asyncio.gather(*(self._make(plugin, run_dir) for plugin in wanted))
        for plugin, process in zip(wanted, processes, strict=True):
            self._put(plugin, process)
        # now that all are expected: one that outlived a daemon dials at once
        await self._run_folder.listen(self.switchboard)
        for process in processes:
            process.start(wanted=not process.components)

    async def hear(self) -> None:
        """Return when it is known of each what it serves, or after a while."""
        await hear(tuple(self.known.values()))

    async def _make(self, found: Found, run_dir: Path, *, beside: bool = False) -> PluginProcess:
        """Return a plugin's process, not started; unless it is `beside` one, it takes over what was left behind."""
        launch = found.launch
        if launch is None:
            raise ValueError(f"plugin {found.id} has no process")
        home = ProcessHome(
            self.switchboard,
            self._clock,
            self._random,
            self._limits,
            run_dir,
            self._data_dir,
            self._starts,
            self._sharing,
        )
        if beside:
            return PluginProcess(found.id, found.version, launch, home, self._heard)
        left = await asyncio.to_thread(left_behind, found.id, found.version, launch, home)
        said = await self._memory.recall(found, taken_over=left is not None)
        return PluginProcess(found.id, found.version, launch, home, self._heard, left=left, said=said)

    def _put(self, found: Found, process: PluginProcess) -> None:
        """Let a process be the plugin's from here on."""
        process.claims.recovered = self._recovered
        self.known[found.id] = process
        self._found[found.id] = found
        self.served.refresh(process)

    async def add(self, found: Found) -> PluginReport:
        """Start one more plugin's process, or another version of it; return what became of it.

        The old one goes on serving until the new one is ready, and stays when the new one cannot be used. Whoever asked
        may go away meanwhile: a change that has begun is brought to its end.
        """
        return await asyncio.shield(spawn(self._in_turn(found, self._added), name=f"change of {found.id}"))

    async def bring(self, found: Found) -> PluginReport:
        """Do the same, but do not wait for what the process of a plugin says that had none."""
        return await asyncio.shield(spawn(self._in_turn(found, self._brought), name=f"start of {found.id}"))

    async def _in_turn(self, found: Found, change: Callable[[Found, Path], Awaitable[PluginReport]]) -> PluginReport:
        run_dir = await self._run_folder.path()
        await self._run_folder.listen(self.switchboard)
        async with self._changing.setdefault(found.id, asyncio.Lock()):
            if self._stopping:
                raise unavailable("the daemon stops")
            try:
                return await change(found, run_dir)
            finally:
                self._leaving.pop(found.id, None)

    async def _brought(self, found: Found, run_dir: Path) -> PluginReport:
        if found.id in self.known:
            return await self._replace(found, run_dir)
        process = await self._make(found, run_dir)
        if self._stopping:
            raise unavailable("the daemon stops")
        self._put(found, process)
        process.start(wanted=not process.components)
        self._changed()  # it is starting: who needs it may wait
        return self.report(found.id)

    async def _added(self, found: Found, run_dir: Path) -> PluginReport:
        if found.id in self.known:
            return await self._replace(found, run_dir)
        await self._brought(found, run_dir)
        process = self.known[found.id]
        await hear([process])
        self._heard(process)
        return self.report(found.id)

    async def _replace(self, found: Found, run_dir: Path) -> PluginReport:
        """Start another version beside the one that serves; it has to say itself what it serves."""
        old, old_found = self.known[found.id], self._found[found.id]
        old_entries = self.served.entries.get(found.id)
        self._leaving[found.id] = old
        fresh = await self._make(found, run_dir, beside=True)
        self._put(found, fresh)
        fresh.start()
        await hear([fresh])
        self.served.refresh(fresh)
        report = self.report(found.id)
        if report.state is not PluginState.LOADED and old_entries is not None:
            await fresh.stop()
            why = f"{report.reason} {report.message}{_raised_at(fresh.traceback)}"
            self.note(found.id, f"version {found.version} does not serve: {why}")
            self.known[found.id], self._found[found.id] = old, old_found
            self.served.entries[found.id] = old_entries
            self.served.faults.pop(found.id, None)
            self._changed()
            return report
        self.served.notes.pop(found.id, None)
        await self._old.add(old)
        return report

    async def remove(self, plugin_id: str) -> None:
        """Stop a plugin's processes and forget what it served; brought to its end, whoever asked."""
        await asyncio.shield(spawn(self._remove(plugin_id), name=f"end of {plugin_id}"))

    async def _remove(self, plugin_id: str) -> None:
        async with self._changing.setdefault(plugin_id, asyncio.Lock()):
            process = self.known.pop(plugin_id, None)
            self._found.pop(plugin_id, None)
            self.served.forget(plugin_id)
            self._changed()
            await self._old.stop(plugin_id)
            if process is not None:
                self._leaving[plugin_id] = process
                await process.stop()
                self._leaving.pop(plugin_id, None)

    async def stop(self) -> None:
        """Drain and end every process, and close the socket."""
        self._stopping = True
        processes = {*self.known.values(), *self._old.all(), *self._leaving.values()}
        self._old.leave()
        await asyncio.gather(*(process.stop() for process in processes))
        await self.switchboard.stop()
        await self._memory.settled()
        await self._run_folder.leave()

    # -- what they serve

    def _heard(self, process: PluginProcess) -> None:
        if self.known.get(process.plugin) is not process:
            return
        self.served.refresh(process)
        news = self._memory.compare(self._found[process.plugin], process)
        if news:
            self.note(process.plugin, news)
        self._changed()

    @property
    def settings_used(self) -> set[str]:
        """Keys of the operator's settings that some component takes."""
        return self.served.settings_used

    def left_out(self, plugin_id: str, fault: HostdError | None) -> None:
        """Leave a plugin's components out: another plugin has one of them; None: none has."""
        if fault is not None:
            self.served.faults[plugin_id] = fault
        else:
            self.served.faults.pop(plugin_id, None)

    def note(self, plugin_id: str, message: str) -> None:
        """Show beside a plugin what there is to know, such as why its newest version is not the one that serves."""
        self.served.notes[plugin_id] = message

    def entries(self) -> Iterable[tuple[str, list[RemoteActionEntry], list[RemoteTriggerEntry]]]:
        """Return what each plugin serves, by plugin."""
        return self.served.by_plugin()

    def reports(self) -> list[PluginReport]:
        """Return what became of each."""
        return [self.report(plugin_id) for plugin_id in self.known]

    def report(self, plugin_id: str) -> PluginReport:
        """Return what became of one."""
        report = self.served.report(self.known[plugin_id], self._found[plugin_id])
        return msgspec.structs.replace(report, expected=self._memory.expected(plugin_id))

    def process(self, plugin_id: str) -> ProcessView | None:
        """Return a plugin's process as it is now, None where it has none."""
        process = self.known.get(plugin_id)
        return view_of(process, self._old.of(plugin_id)) if process is not None else None

    def commands(self, plugin_id: str) -> list[tuple[str, ...]]:
        """Return how a plugin's versions were started that serve, or let what they hold end."""
        serving = self.known.get(plugin_id)
        return [one.launch.command for one in (*self._old.of(plugin_id), *([serving] if serving else []))]

    async def reload(self, plugin_id: str) -> bool:
        """Start a plugin's process anew beside the one that serves; say whether it has one."""
        found = self._found.get(plugin_id)
        if found is None:
            return False
        await self.add(found)
        return True

    # -- recovery

    async def drop_unclaimed(self) -> None:
        """Recovery is over: nobody asks any more for what processes still hold."""
        self._recovered = True
        self.switchboard.more_to_come = False
        for process in self.known.values():
            process.drop_unclaimed()
        if self._run_folder.kept is not None:
            await asyncio.to_thread(sweep, self._run_folder.kept, self.known, self._clock)
            await self._memory.sweep(self.known)


def _raised_at(traceback: str) -> str:
    """Return the place that a traceback ends at."""
    places = re.findall(r'File "([^"\n]+)", line (\d+)', traceback)
    return f" ({places[-1][0]}, line {places[-1][1]})" if places else ""
