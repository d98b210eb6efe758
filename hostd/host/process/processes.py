"""All plugin processes of a daemon: the socket they dial, who lives, and what they serve."""

from __future__ import annotations

import asyncio
import logging
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from hostd.aio import Clock, spawn
from hostd.errors.base import HostdError
from hostd.host.found import Found, PluginReport, PluginState
from hostd.host.process.entries import RemoteActionEntry, RemoteTriggerEntry, settings_of
from hostd.host.process.home import ProcessHome
from hostd.host.process.launch import Launch, ProcessLimits
from hostd.host.process.link import unavailable
from hostd.host.process.nursery import sweep
from hostd.host.process.plugin_process import PluginProcess, ProcessState
from hostd.host.process.switchboard import Switchboard
from hostd.model.views import ProcessView
from hostd.plugin.v1 import host_pb2 as pb

FIRST_WORD_S = 10.0
REDIAL_S = 10.0
SHOWN_LINES = 50
_log = logging.getLogger("hostd.host.process")
_SHOWN = {
    ProcessState.STARTING: PluginState.STARTING,
    ProcessState.BACKING_OFF: PluginState.STARTING,
    ProcessState.QUARANTINED: PluginState.QUARANTINED,
    ProcessState.BROKEN: PluginState.FAILED,
}


class _Served(NamedTuple):
    """What a process serves. `said`: which process, and its components as it named them."""

    said: tuple[PluginProcess, tuple[pb.Component, ...]]
    actions: list[RemoteActionEntry]
    triggers: list[RemoteTriggerEntry]


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
    ) -> None:
        """Listen to nothing yet.

        Args:
            socket: where to listen; None in a folder of its own.
        """
        self.switchboard = Switchboard()
        self.known: dict[str, PluginProcess] = {}
        self.settings_used: set[str] = set()
        self._clock = clock
        self._random = random
        self._limits = limits
        self._data_dir = data_dir
        self._settings = settings
        self._changed = changed
        self._socket = socket
        self._found: dict[str, Found] = {}
        self._entries: dict[str, _Served] = {}
        self._faults: dict[str, HostdError] = {}
        self._retiring: dict[asyncio.Task[None], PluginProcess] = {}
        self._replaced: dict[str, PluginProcess] = {}  # serves while its successor starts
        self._changing: dict[str, asyncio.Lock] = {}  # one change of a plugin at a time
        self._notes: dict[str, str] = {}  # why a newer version does not serve
        self._run_dir: Path | None = None
        self._own_run_dir = False
        self._opening = asyncio.Lock()
        self._stopping = False

    # -- life

    async def start(self, found: Iterable[Found]) -> None:
        """Listen, start every plugin's process, and wait (a while) until each has said what it serves.

        Raises:
            OSError: the socket or its folder cannot be made.
        """
        wanted = [plugin for plugin in found if plugin.launch is not None]
        if not wanted:
            return
        run_dir = await self._folder()
        processes = [self._add(plugin, run_dir) for plugin in wanted]
        await self._listen(run_dir)  # now that all are expected: one that outlived a daemon dials at once
        for process in processes:
            process.start()
        await self._hear(processes)

    async def _folder(self) -> Path:
        """Return the folder for pipes and notes, made where it is not there. Raises OSError."""
        if self._run_dir is None:
            if self._data_dir is None:
                self._run_dir, self._own_run_dir = Path(tempfile.mkdtemp(prefix="hostd-plugins-")), True
            else:
                self._run_dir = self._data_dir / "run" / "plugins"
                await asyncio.to_thread(self._run_dir.mkdir, mode=0o700, parents=True, exist_ok=True)
        return self._run_dir

    async def _listen(self, run_dir: Path) -> None:
        async with self._opening:  # several folders come at once
            if not self.switchboard.address:
                path = self._socket or run_dir / "host.sock"
                await asyncio.to_thread(path.unlink, missing_ok=True)
                await self.switchboard.start(path)

    def _add(self, found: Found, run_dir: Path, launch: Launch | None = None) -> PluginProcess:
        home = ProcessHome(self.switchboard, self._clock, self._random, self._limits, run_dir, self._data_dir)
        chosen = launch or found.launch
        if chosen is None:
            raise ValueError(f"plugin {found.id} has no process")
        beside = found.id in self.known
        process = PluginProcess(found.id, found.version, chosen, home, self._heard, beside=beside)
        self.known[found.id] = process
        self._found[found.id] = found
        return process

    async def _hear(self, processes: Iterable[PluginProcess]) -> None:
        waiting = [spawn(process.first_word(), name=f"first word of {process.plugin}") for process in processes]
        if waiting:
            _, late = await asyncio.wait(waiting, timeout=FIRST_WORD_S)
            for task in late:
                task.cancel()

    async def add(self, found: Found) -> PluginReport:
        """Start one more plugin's process, or another version of it; return what became of it.

        The old one goes on serving until the new one is ready, and stays when the new one cannot be used. Whoever asked
        may go away meanwhile: a change that has begun is brought to its end.
        """
        return await asyncio.shield(spawn(self._add_in_turn(found), name=f"change of {found.id}"))

    async def _add_in_turn(self, found: Found) -> PluginReport:
        run_dir = await self._folder()
        await self._listen(run_dir)
        async with self._changing.setdefault(found.id, asyncio.Lock()):
            if self._stopping:
                raise unavailable("the daemon stops")
            try:
                return await self._replace(found, run_dir)
            finally:
                self._replaced.pop(found.id, None)

    async def _replace(self, found: Found, run_dir: Path) -> PluginReport:
        old = self.known.get(found.id)
        old_found, old_entries = self._found.get(found.id), self._entries.get(found.id)
        if old is not None:
            self._replaced[found.id] = old
        fresh = self._add(found, run_dir)
        fresh.start()
        await self._hear([fresh])
        self._refresh(found.id)
        report = self.report(found.id)
        if old is None:
            return report
        if report.state is not PluginState.LOADED and old_found is not None and old_entries is not None:
            await fresh.stop()
            self.note(found.id, f"version {found.version} does not serve: {report.reason} {report.message}")
            self.known[found.id], self._found[found.id], self._entries[found.id] = old, old_found, old_entries
            self._faults.pop(found.id, None)
            self._changed()
            return report
        self._notes.pop(found.id, None)
        retiring = spawn(old.retire(), name=f"old version of {found.id}")
        self._retiring[retiring] = old
        retiring.add_done_callback(lambda done: self._retiring.pop(retiring, None))
        return report

    async def remove(self, plugin_id: str) -> None:
        """Stop a plugin's process and forget what it served; brought to its end, whoever asked."""
        await asyncio.shield(spawn(self._remove(plugin_id), name=f"end of {plugin_id}"))

    async def _remove(self, plugin_id: str) -> None:
        async with self._changing.setdefault(plugin_id, asyncio.Lock()):
            process = self.known.pop(plugin_id, None)
            self._found.pop(plugin_id, None)
            self._entries.pop(plugin_id, None)
            self._faults.pop(plugin_id, None)
            self._notes.pop(plugin_id, None)
            self._changed()
            if process is not None:
                self._replaced[plugin_id] = process
                await process.stop()
                self._replaced.pop(plugin_id, None)

    async def stop(self) -> None:
        """Drain and end every process, and close the socket."""
        self._stopping = True
        processes = {*self.known.values(), *self._retiring.values(), *self._replaced.values()}
        for task in list(self._retiring):
            task.cancel()
        await asyncio.gather(*(process.stop() for process in processes))
        await self.switchboard.stop()
        if self._own_run_dir and self._run_dir is not None:
            await asyncio.to_thread(shutil.rmtree, self._run_dir, ignore_errors=True)

    # -- what they serve

    def _heard(self, process: PluginProcess) -> None:
        if self.known.get(process.plugin) is process:
            self._refresh(process.plugin)
            self._changed()

    def _refresh(self, plugin_id: str) -> None:
        """Make entries of what a process says it serves, where that is new."""
        process = self.known[plugin_id]
        known = self._entries.get(plugin_id)
        said = (process, process.components)
        if not process.components or (known is not None and known.said == said):
            return
        self._faults.pop(plugin_id, None)
        try:
            for component in process.components:
                text, key = settings_of(self._settings, component, plugin_id)
                self.settings_used.add(key)
                process.provisioning.settings[component.id] = text
            actions = [RemoteActionEntry(one, process) for one in process.components if one.kind == "action"]
            triggers = [RemoteTriggerEntry(one, process) for one in process.components if one.kind == "trigger"]
        except HostdError as error:
            self._faults[plugin_id] = error
            self._entries.pop(plugin_id, None)
            return
        self._entries[plugin_id] = _Served(said, actions, triggers)

    def left_out(self, plugin_id: str, fault: HostdError) -> None:
        """Leave a plugin's components out: another plugin has one of them."""
        self._faults[plugin_id] = fault

    def note(self, plugin_id: str, message: str) -> None:
        """Show beside a plugin why its newest version is not the one that serves."""
        self._notes[plugin_id] = message

    def entries(self) -> Iterable[tuple[str, list[RemoteActionEntry], list[RemoteTriggerEntry]]]:
        """Return what each plugin serves, by plugin."""
        return [(plugin_id, served.actions, served.triggers) for plugin_id, served in self._entries.items()]

    def reports(self) -> list[PluginReport]:
        """Return what became of each."""
        return [self.report(plugin_id) for plugin_id in self.known]

    def report(self, plugin_id: str) -> PluginReport:
        """Return what became of one."""
        process, found = self.known[plugin_id], self._found[plugin_id]
        fault = self._faults.get(plugin_id)
        state = _SHOWN.get(process.state, PluginState.LOADED if process.components else PluginState.STARTING)
        if state is PluginState.STARTING and process.components:
            state = PluginState.LOADED  # it is started again; what it serves is known
        starts_again = process.last_crash if state is PluginState.STARTING else ""
        reason, message = "", process.message or self._notes.get(plugin_id, "") or starts_again
        if state in (PluginState.FAILED, PluginState.QUARANTINED):
            reason = "PLUGIN_FAILED" if state is PluginState.FAILED else "PLUGIN_UNAVAILABLE"
        if fault is not None:
            state, reason, message = PluginState.FAILED, fault.reason, fault.message
        return PluginReport(
            found.id,
            found.version,
            found.source,
            found.origin,
            state,
            process.api,
            components=tuple(f"{one.kind} {one.id}" for one in process.components),
            reason=reason,
            message=message.removeprefix("PLUGIN_FAILED: "),
            traceback=process.traceback,
            isolation="process",
            permissions=tuple(sorted(process.launch.permissions)),
        )

    def process(self, plugin_id: str) -> ProcessView | None:
        """Return a plugin's process as it is now, None where it has none."""
        process = self.known.get(plugin_id)
        if process is None:
            return None
        return ProcessView(
            state=process.state.value.lower(),
            pid=process.pid,
            restarts=process.restarts,
            attempts=len(process.desk.attempts),
            triggers=len(process.desk.triggers),
            message=process.message,
            printed=process.printed[-SHOWN_LINES:],
        )

    async def reload(self, plugin_id: str) -> bool:
        """Start a plugin's process anew beside the one that serves; say whether it has one."""
        found = self._found.get(plugin_id)
        if found is None:
            return False
        await self.add(found)
        return True

    # -- recovery

    async def inherited(self) -> None:
        """Wait until processes that the daemon before left behind have dialed again, at most ten seconds."""
        until_s = self._clock.monotonic_s() + REDIAL_S
        while any(process.inherited for process in self.known.values()) and self._clock.monotonic_s() < until_s:
            await self._clock.sleep(0.05)

    async def drop_unclaimed(self) -> None:
        """Recovery is over: nobody asks any more for what processes still hold."""
        for process in self.known.values():
            process.drop_unclaimed()
        if self._data_dir is not None:
            await asyncio.to_thread(sweep, self._data_dir / "run" / "plugins", frozenset(self.known), self._clock)
