"""Examining a plugin without a daemon: its manifest, its start in a real process, what it says it serves."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from random import SystemRandom
from typing import NamedTuple

from hostd.aio import SystemClock, spawn
from hostd.errors.base import HostdError, Violation, invalid
from hostd.host.component_page import ComponentAbout
from hostd.host.contexts import ProvisionScope
from hostd.host.discover import find_built_in, find_installed
from hostd.host.folders.lua_actions import lua_entries
from hostd.host.folders.manifest import FILE_NAME
from hostd.host.folders.scan import PluginFolder, read_folder
from hostd.host.found import Found, PluginReport, PluginState, Source
from hostd.host.permission_use import uses_in
from hostd.host.process.hellos import Components, difference
from hostd.host.process.launch import ProcessLimits, Provided
from hostd.host.process.processes import Processes
from hostd.host.process.provided import components_of
from hostd.host.registry import ActionEntry, TriggerEntry
from hostd.plugin.loading import PLUGIN_ID, Refused

KIT_S = 60.0
LOOK_S = 0.1
PYTHON = (sys.executable, "-m")


class Examined(NamedTuple):
    """What was found. `mistakes` keep it from working; `remarks` do not. Each has a place where there is one."""

    plugin: str
    version: str
    runtime: str
    components: tuple[ComponentAbout, ...]
    mistakes: tuple[Violation, ...]
    remarks: tuple[Violation, ...]
    traceback: str = ""
    scripts: tuple[Path, ...] = ()


def about(entry: ActionEntry | TriggerEntry) -> ComponentAbout:
    """Return what a component's page tells."""
    action = isinstance(entry, ActionEntry)
    return ComponentAbout(
        "action" if action else "trigger",
        entry.id,
        entry.plugin,
        entry.description,
        entry.since,
        entry.stability,
        entry.schema,
        entry.sample(),
        entry.effects if action else "",
        tuple(entry.executors) if action else (),
        "" if isinstance(entry, ActionEntry) else str(entry.instances),
        {} if isinstance(entry, TriggerEntry) else entry.codes,
    )


async def examine(what: str) -> Examined | None:
    """Return what is to be said of a folder, or of a plugin that is built in or installed; None for neither."""
    folder = Path(what).absolute()  # noqa: ASYNC240 nobody else is on this loop
    if folder.is_dir():
        return await _folder(folder)
    everything = [*find_built_in(), *find_installed()]
    found = next((one for one in everything if one.id == what), None)
    if found is None:
        return None
    if found.launch is None:
        return _unstartable(found)
    return await _process(found, "python", list(found.launch.command[3:]))


async def examine_served(plugin: str, source: str, origin: Path) -> Examined | None:
    """Return what is to be said of a plugin that a daemon on this machine has; None where its files are not here.

    Args:
        source: where it is from: `folder` or `installed`.
        origin: where it lies, as the daemon says.
    """
    if source == "folder":
        return await _folder(origin) if await asyncio.to_thread(origin.is_dir) else None
    if source != "installed" or not origin.name.isdecimal():
        return None
    from hostd.host.installed.shelf import Shelf
    from hostd.host.installed.versions import version_of

    install = await asyncio.to_thread(Shelf(origin.parent.parent).install_of, plugin, int(origin.name))
    if install is None:
        return None
    try:
        version = await asyncio.to_thread(version_of, install, origin)
    except HostdError as error:
        return _broken(plugin, error)
    if version.folder is not None:
        return await asyncio.to_thread(_lua, version.folder)
    if version.found.launch is None or install.runtime != "python":
        return await _process(version.found, install.runtime, [])
    *before, _, how, which = version.found.launch.command  # ends with -m MODULE --folder PATH, or --entry-point NAME
    kit = [which] if how == "--folder" else [how, which]
    return await _process(version.found, install.runtime, kit, before=before)


def _unstartable(found: Found) -> Examined:
    """Say why a package's plugin is not started: loading it is refused, before any of it is imported."""
    if not PLUGIN_ID.fullmatch(found.id):
        return _broken(found.id, invalid("PLUGIN_FAILED", "its name is no plugin id"))
    try:
        found.load()
    except Refused as error:
        return _broken(found.id, invalid(error.reason, error.message))
    return _broken(found.id, invalid("PLUGIN_FAILED", "it runs inside the daemon only"))


async def _folder(folder: Path) -> Examined:
    try:
        plugin = await asyncio.to_thread(read_folder, folder)
    except HostdError as error:
        return _broken(folder.name, error)
    if plugin.launch is None:
        return await asyncio.to_thread(_lua, plugin)
    found = Found(plugin.id, plugin.version, Source.FOLDER, str(folder), lambda: None, plugin.launch)
    runtime = plugin.manifest.runtime if plugin.manifest is not None else "python"
    examined = await _process(found, runtime, [str(folder)] if runtime == "python" else [])
    if plugin.manifest is None:
        return examined
    asked, told = await asyncio.to_thread(_permissions, plugin)
    return examined._replace(mistakes=examined.mistakes + asked, remarks=examined.remarks + told)


def _broken(plugin: str, error: HostdError) -> Examined:
    mistakes = error.violations or (Violation("", error.reason, error.message),)
    return Examined(plugin, "", "", (), tuple(mistakes), ())


def _lua(plugin: PluginFolder) -> Examined:
    try:
        entries = lua_entries(plugin, ProvisionScope(plugin.id, plugin.id, SystemClock(), None))
    except HostdError as error:
        return _broken(plugin.id, error)
    components = tuple(about(entry) for entry in entries)
    files = plugin.manifest.actions.values() if plugin.manifest is not None else ()
    mistakes = tuple(fault for entry in entries for fault in _sample(entry))
    scripts = tuple(plugin.path / action.file for action in files)
    return Examined(plugin.id, plugin.version, "lua", components, mistakes, (), scripts=scripts)


async def _process(found: Found, runtime: str, kit: list[str], *, before: Sequence[str] = PYTHON) -> Examined:
    """Start the plugin as a daemon would, and run the conformance kit in another process.

    Args:
        kit: what the kit is told of the plugin; none skips it. before: the interpreter that runs it, up to `-m`.
    """
    promised = found.launch.provides if found.launch is not None else ()
    if found.launch is not None:
        found = found._replace(launch=found.launch._replace(provides=()))  # it is asked itself
    processes = Processes(
        clock=SystemClock(),
        random=SystemRandom(),
        limits=ProcessLimits(),
        data_dir=None,
        settings={},
        changed=lambda: None,
    )
    try:
        report = await _begun(processes, found)
        served = list(processes.entries())
        printed = processes.process(found.id)
        said = processes.known[found.id].components if found.id in processes.known else ()
    finally:
        await processes.stop()
    entries: list[ActionEntry | TriggerEntry] = []
    for _, actions, triggers in served:
        entries += [*actions, *triggers]
    mistakes = _loaded(report, printed.printed if printed is not None else ())
    mistakes += tuple(fault for entry in entries for fault in _sample(entry))
    if promised and said:
        mistakes += _promises(promised, said)
    mistakes += tuple(_schema(entry) for entry in entries if not entry.schema.get("properties") and entry.sample())
    if report.state is PluginState.LOADED and kit:
        mistakes += await _kit((*before, "hostd.plugin.testing", *kit))
    components = tuple(about(entry) for entry in entries)
    return Examined(found.id, found.version, runtime, components, mistakes, (), report.traceback)


async def _begun(processes: Processes, found: Found) -> PluginReport:
    """Start a plugin's process; one crash is enough to know."""
    adding = spawn(processes.add(found), name=f"examination of {found.id}")
    while not adding.done():
        await asyncio.wait([adding], timeout=LOOK_S)
        process = processes.known.get(found.id)
        if process is not None and process.last_crash and not adding.done():
            adding.cancel()
            return processes.report(found.id)
    return adding.result()


def _loaded(report: PluginReport, printed: tuple[str, ...]) -> tuple[Violation, ...]:
    if report.state is PluginState.LOADED:
        return ()
    message = report.message or "it did not say what it serves in time"
    news = [line for line in printed[-3:] if message not in line]  # its own last words are often the message
    said = f"; it printed last: {' / '.join(news)}" if news else ""
    return (Violation("", report.reason or "PLUGIN_FAILED", f"{message}{said}"[:2_000], _remedy(message, report)),)


def _remedy(message: str, report: PluginReport) -> str:
    if message.startswith(("ModuleNotFoundError", "ImportError")):
        return "`hostd plugin install FOLDER` brings the dependencies that its pyproject.toml names"
    return "mend what the traceback names" if report.traceback else ""


def _promises(promised: tuple[Provided, ...], said: Components) -> tuple[Violation, ...]:
    """Return where a manifest says something else of what it provides than the plugin itself."""
    known = components_of(promised)
    told = difference(known.components, said) if known is not None else "no plugin could serve that"
    return (Violation("provides", "MANIFEST_INVALID", f"the plugin itself says otherwise: {told}"),) if told else ()


def _sample(entry: ActionEntry | TriggerEntry) -> list[Violation]:
    """Return why the sample of a component's options is not accepted by its own schema."""
    faults = entry.check_literals(entry.sample(), frozenset())
    return [Violation(f"{entry.id}: the example of {path}", "OPTION_INVALID", message) for path, message in faults]


def _schema(entry: ActionEntry | TriggerEntry) -> Violation:
    return Violation(entry.id, "OPTION_INVALID", "it has a sample, but its schema knows no options")


async def _kit(command: Sequence[str]) -> tuple[Violation, ...]:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=asyncio.subprocess.DEVNULL)
    try:
        async with asyncio.timeout(KIT_S):
            out, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        return (Violation("", "PLUGIN_FAILED", f"the conformance kit was not through with it in {KIT_S:g} s"),)
    return tuple(Violation("", "PLUGIN_FAILED", line) for line in out.decode("utf-8", "replace").splitlines()[:100])


_NO_REASON = ""


def _permissions(plugin: PluginFolder) -> tuple[tuple[Violation, ...], tuple[Violation, ...]]:
    granted = plugin.manifest.granted if plugin.manifest is not None else frozenset()
    asked: list[Violation] = []
    told: list[Violation] = []
    for use in uses_in(plugin.path):
        if use.permission in granted:
            continue
        fix = f"add `{use.permission}` to `permissions` of {FILE_NAME}"
        fault = Violation("permissions", "PERMISSION_DENIED", use.what, fix, use.file, use.line, use.column)
        if use.asked:
            asked.append(fault)
        else:  # what it does by itself the host does not refuse: a remark has no reason
            told.append(fault._replace(reason=_NO_REASON))
    return tuple(asked), tuple(told)
