"""Plugins as folders: what lies in `plugins_dir` is served, what is dropped in comes, what changes is loaded beside
the old version, what goes is let go. A broken one is listed with its mistakes and hurts nobody.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from pathlib import Path

import msgspec

from hostd.aio import Clock, spawn
from hostd.errors.base import HostdError, invalid
from hostd.host.folders.lua_plugins import LuaPlugins
from hostd.host.folders.scan import PluginFolder, Signature, look_into, read_folder
from hostd.host.found import Choices, Found, PluginReport, PluginState, Source, not_started, report_of
from hostd.host.process.processes import Processes
from hostd.host.registry import ActionEntry, TriggerEntry

POLL_S = 0.5
_log = logging.getLogger("hostd.host.folders")
Start = Callable[[Found], Awaitable[PluginReport]]  # of a plugin's process


class _Known:
    """A folder as it was last looked at."""

    def __init__(self, signature: Signature) -> None:
        self.signature = signature
        self.seen: Signature | None = None  # a change that has not settled yet
        self.missed = False  # it was not there at the last look
        self.plugin: PluginFolder | None = None
        self.work: asyncio.Task[None] | None = None  # it is being loaded, or let go

    @property
    def busy(self) -> bool:
        """Whether what changed last is still being seen to."""
        return self.work is not None and not self.work.done()


class Folders:
    """Owns what folders provide. `changed` is called when that is not what it was."""

    def __init__(
        self,
        plugins_dir: Path,
        choices: Choices,
        processes: Processes,
        *,
        clock: Clock,
        changed: Callable[[], None],
        taken: Callable[[str], bool],
    ) -> None:
        """Look at nothing yet.

        Args:
            taken: says whether a plugin of that id comes from elsewhere.
        """
        self._dir = plugins_dir
        self._choices = choices
        self._processes = processes
        self._clock = clock
        self._changed = changed
        self._taken = taken
        self._known: dict[str, _Known] = {}
        self._reports: dict[str, PluginReport] = {}  # by folder, of those that no process serves
        self._lua = LuaPlugins(clock)
        self._watch: asyncio.Task[None] | None = None
        self._unseen = ""  # why the folder of folders could not be looked at

    # -- life

    async def start(self) -> None:
        """Begin to serve what is there, whose processes are not waited for, and follow what changes from here on."""
        with suppress(OSError):  # without the folder `cp -r plugin plugins/` puts the plugin in its place
            await asyncio.to_thread(self._dir.mkdir, parents=True, exist_ok=True)
        there = await self._there() or {}
        self._known = {name: _Known(signature) for name, signature in there.items()}
        for name, known in self._known.items():
            self._begin(name, known, self._processes.bring)
        await asyncio.gather(*(known.work for known in self._known.values() if known.work is not None))
        self._watch = spawn(self._follow(), name="plugin-folders")

    async def stop(self) -> None:
        """Follow no more."""
        if self._watch is not None:
            self._watch.cancel()
        for known in self._known.values():
            if known.work is not None:
                known.work.cancel()

    async def _follow(self) -> None:
        while True:
            await self._clock.sleep(POLL_S)
            await self.look()

    async def look(self) -> None:
        """Compare what is there with what is served; a change counts once it has stood still for one look.

        Folders are seen to side by side: one that is slow holds up itself only. While nothing can be seen nothing has
        changed: a disk that is away, or a folder that is being exchanged, is no order to let go of every plugin.
        """
        there = await self._there()
        if there is None:
            return
        for name, known in list(self._known.items()):
            missed, known.missed = known.missed, name not in there
            if missed and known.missed and not known.busy:
                known.work = spawn(self._remove(name), name=f"end of folder {name}")
        for name, signature in there.items():
            known = self._known.setdefault(name, _Known(()))
            if known.busy:
                continue
            if signature == known.signature:
                known.seen = None
            elif signature != known.seen:
                known.seen = signature  # it may still be being copied
            else:
                known.signature, known.seen = signature, None
                self._begin(name, known, self._processes.add)

    async def _there(self) -> dict[str, Signature] | None:
        """Return the folders that are there, None where that cannot be seen, which is told once."""
        try:
            there = await asyncio.to_thread(look_into, self._dir)
        except OSError as error:
            why = str(error)
            if why != self._unseen:
                text = "plugins_dir_unreadable error=%s message=%s"
                _log.warning(text, why, "what is served stays; bring the folder back, or restart hostd without it")
            self._unseen = why
            return None
        self._unseen = ""
        return there

    # -- one folder

    def _begin(self, name: str, known: _Known, start: Start) -> asyncio.Task[None]:
        work = known.work = spawn(self._serve(name, known, start), name=f"folder {name}")
        return work

    async def _serve(self, name: str, known: _Known, start: Start) -> None:
        """Read a folder and put what it provides in the place of what it provided."""
        old = known.plugin
        try:
            fresh = await asyncio.to_thread(read_folder, self._dir / name)
            self._check_free(fresh, name)
            known.plugin = fresh
            report = await self._load(fresh, name, start)
        except (OSError, HostdError) as error:  # a process needs a pipe and a socket; the folders are followed on
            known.plugin = old
            self._tell_broken(name, old, not_started(error))
            return
        if old is not None and old.id != fresh.id:
            await self._let_go(old)
        if report.state is PluginState.LOADED:
            _log.info("plugin_folder_served plugin=%s version=%s folder=%s", fresh.id, fresh.version, name)
        self._changed()

    def _check_free(self, fresh: PluginFolder, name: str) -> None:
        others = {known.plugin.id for other, known in self._known.items() if other != name and known.plugin}
        if fresh.id in others or self._taken(fresh.id):
            raise invalid("PLUGIN_FAILED", f"another plugin has the id {fresh.id} already")

    async def _load(self, fresh: PluginFolder, name: str, start: Start) -> PluginReport:
        """Serve a plugin, or keep it out as the operator says; return what became of it."""
        found = _found(fresh)
        refusal = self._choices.refusal(found)
        if refusal is not None and refusal[0] in (PluginState.DENIED, PluginState.DISABLED):
            await self._let_go(fresh)
            report = self._reports[name] = report_of(found, *refusal)
            return report
        if fresh.launch is not None:
            self._reports.pop(name, None)
            return await start(found)
        report = self._reports[name] = self._lua.serve(found, await self._lua.read(fresh))
        return report

    def _tell_broken(self, name: str, old: PluginFolder | None, error: HostdError) -> None:
        """List a folder that cannot be used; what it was before goes on serving."""
        _log.warning("plugin_folder_broken folder=%r reason=%s message=%s", name, error.reason, error.message)
        message = _printable(error.message)  # it may name files
        before = self._reports.get(name)
        if old is not None and old.id in self._processes.known:
            self._processes.note(old.id, f"{error.reason}: {message}")
        elif old is not None and before is not None:
            self._reports[name] = msgspec.structs.replace(before, reason=error.reason, message=message)
        else:
            found = _unread(self._dir / name)
            self._reports[name] = report_of(found, PluginState.FAILED, error.reason, message)
        self._changed()

    async def _remove(self, name: str) -> None:
        known = self._known[name]
        self._reports.pop(name, None)
        plugin, known.plugin = known.plugin, None  # its id is free: the folder may only have another name now
        if plugin is not None:
            _log.info("plugin_folder_gone plugin=%s folder=%s", plugin.id, name)
            await self._let_go(plugin)
        self._known.pop(name, None)
        self._changed()

    async def _let_go(self, plugin: PluginFolder) -> None:
        self._lua.let_go(plugin.id)
        if plugin.id in self._processes.known:
            await self._processes.remove(plugin.id)

    def has(self, plugin_id: str) -> bool:
        """Say whether a plugin of that id is one of these."""
        return any(known.plugin is not None and known.plugin.id == plugin_id for known in self._known.values())

    async def reload(self, plugin_id: str) -> bool:
        """Load a plugin's folder again, changed or not; say whether it is one of these."""
        for name, known in list(self._known.items()):
            if known.plugin is not None and known.plugin.id == plugin_id:
                while known.busy and known.work is not None:
                    await asyncio.wait([known.work])
                await asyncio.shield(self._begin(name, known, self._processes.add))
                return True
        return False

    # -- what they serve, beside the processes

    def entries(self) -> Iterable[tuple[str, list[ActionEntry], list[TriggerEntry]]]:
        """Return what each plugin in Lua serves, by plugin."""
        return self._lua.entries()

    def reports(self) -> list[PluginReport]:
        """Return what became of each that no process serves."""
        return [self._lua.as_composed(report) for report in self._reports.values()]

    def left_out(self, plugin_id: str, fault: HostdError | None) -> None:
        """Another plugin has one of its components; None: none has."""
        self._lua.left_out(plugin_id, fault)


def _nothing() -> None:
    """A folder is never imported into the daemon."""


def _unread(folder: Path) -> Found:
    """Return what is known of a folder that cannot be used: its name, in letters that everybody can print."""
    return Found(_printable(folder.name)[:63], "", Source.FOLDER, _printable(str(folder)), _nothing)


def _printable(name: str) -> str:
    """Return a name as text: file systems take bytes that are none, and control characters."""
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in name)


def _found(folder: PluginFolder) -> Found:
    return Found(folder.id, folder.version, Source.FOLDER, _printable(str(folder.path)), _nothing, folder.launch)
