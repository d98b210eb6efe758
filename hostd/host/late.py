"""Built-in plugins that are imported when something of theirs is first looked at; until then their list is known.

To import them all takes a sixth of the daemon's start, and models of options are most of that. What the host has to
know of every component at the start stands beside each plugin, in `components.json` (tests hold it to the code).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from hostd.errors.base import HostdError, Kind
from hostd.host.found import Choices, Found, PluginReport, PluginState, Source
from hostd.host.guard import LOAD_ERRORS, plugin_traceback
from hostd.host.loader import load_plugin
from hostd.host.registry import ActionEntry, TriggerEntry
from hostd.plugin import Action, Options, Trigger
from hostd.plugin.api import ANY
from hostd.plugin.registry import Registration

Fill = Callable[[Any, Registration], None]
LateT = TypeVar("LateT", bound="LateActionEntry | LateTriggerEntry")


class ListedAction(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """What steps need to know of an action before the first one runs."""

    executors: tuple[str, ...] = ("inline",)
    max_in_flight: int | None = None


class Listing(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """The components of a plugin."""

    actions: Mapping[str, ListedAction] = {}
    triggers: tuple[str, ...] = ()


class LatePlugin:
    """A plugin that is imported once, by whoever first needs something of it, in whichever thread."""

    def __init__(self, found: Found, listing: Listing) -> None:
        self.found = found
        self.listing = listing
        self._lock = threading.RLock()
        self._report: PluginReport | None = None
        self._registrations: dict[tuple[str, str], Registration] = {}
        self._entries: list[LateActionEntry | LateTriggerEntry] = []

    @property
    def report(self) -> PluginReport:
        """Return what is said of it while it is not imported."""
        found, listing = self.found, self.listing
        components = (*(f"action {one}" for one in listing.actions), *(f"trigger {one}" for one in listing.triggers))
        about = (found.id, found.version, found.source, found.origin)
        return PluginReport(*about, PluginState.LOADED, ANY, components=components)

    def load(self) -> PluginReport:
        """Import it, where that was not done, and return what became of it. Blocks."""
        with self._lock:
            if self._report is None:
                report, registrations = load_plugin(self.found)
                self._registrations = {(one.kind, one.id): one for one in registrations}
                self._report = report
            return self._report

    def keep(self, entry: LateT) -> LateT:
        """Take note of an entry that `complete` shall fill in."""
        self._entries.append(entry)
        return entry

    def complete(self) -> PluginReport:
        """Fill in every entry, and return what became of the plugin. Blocks, for a thread."""
        report = self.load()
        if report.state is not PluginState.LOADED:
            return report
        try:
            for entry in self._entries:
                entry.look()
        except LOAD_ERRORS as error:  # the fence: constructors are the plugin's
            message = f"{type(error).__name__}: {error}"[:2_000]
            broken = {"state": PluginState.FAILED, "components": (), "reason": "PLUGIN_FAILED", "message": message}
            return msgspec.structs.replace(report, traceback=plugin_traceback(error), **broken)
        return report

    def registration(self, kind: str, component_id: str) -> Registration:
        """Return a component; in place of one that cannot be had, one that says why whenever it is used."""
        report = self.load()
        return self._registrations.get((kind, component_id)) or _broken(kind, component_id, report)

    def fill(self, entry: Any, kind: str, fill: Fill) -> None:
        """Have an entry filled in, once, however many ask at the same time."""
        with self._lock:
            if entry.filled or entry.filling:
                return
            entry.filling = True  # who fills it in looks at it, too
            try:
                fill(entry, self.registration(kind, entry.id))
                entry.filled = True
            finally:
                entry.filling = False


def late_plugin(found: Found, choices: Choices) -> LatePlugin | None:
    """Return a plugin that can wait: a built-in one with a list, and nothing that the operator says of its insides."""
    if found.source is not Source.BUILT_IN or found.listing is None or found.id in choices.thread or choices.trace:
        return None
    listing = _read(found.listing)
    written = choices.settings.keys() - choices.defaults
    if listing is None or not written.isdisjoint({found.id, *listing.actions, *listing.triggers}):
        return None  # settings are checked at the start
    return LatePlugin(found, listing)


def _read(path: Path) -> Listing | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Listing)
    except FileNotFoundError:
        return None


class _Late:
    """An entry with a few of its slots filled; what fills them all is in `_fill`, and is called once, by `look`."""

    __slots__ = ()

    _late: LatePlugin
    _fill: Fill
    kind: str

    def look(self) -> None:
        """Fill in what the list does not say, where that was not done."""
        self._late.fill(self, self.kind, self._fill)

    def __getattr__(self, name: str) -> Any:
        """Fill in everything. Python asks here only for what is not there, so that nothing is slower from then on."""
        if name.startswith("__"):
            raise AttributeError(name)
        self.look()
        return object.__getattribute__(self, name)


class LateActionEntry(_Late, ActionEntry):
    """An action of a late plugin: whatever is asked that its list does not say imports it, and it is as any other."""

    __slots__ = ("_fill", "_late", "filled", "filling")

    kind = "action"

    def __init__(self, action_id: str, late: LatePlugin, fill: Fill) -> None:
        listed = late.listing.actions[action_id]
        self.id, self.plugin, self.origin = action_id, late.found.id, late.found.origin
        self.executors, self.max_in_flight = listed.executors, listed.max_in_flight
        self.filled = self.filling = False
        self._late, self._fill = late, fill


class LateTriggerEntry(_Late, TriggerEntry):
    """The same for a trigger."""

    __slots__ = ("_fill", "_late", "filled", "filling")

    kind = "trigger"

    def __init__(self, trigger_id: str, late: LatePlugin, fill: Fill) -> None:
        self.id, self.plugin, self.origin = trigger_id, late.found.id, late.found.origin
        self.filled = self.filling = False
        self._late, self._fill = late, fill


def _broken(kind: str, component_id: str, report: PluginReport) -> Registration:
    """Return what stands for a component of a plugin that cannot be imported, or that does not bring it."""
    reason = report.reason or "PLUGIN_FAILED"
    error = HostdError(Kind.UNAVAILABLE, reason, f"{report.id}: {report.message or f'it has no {kind} {component_id}'}")

    async def provision(self: object, ctx: object) -> None:
        raise error

    async def run(self: object, ctx: object, options: object = None) -> None:
        raise error

    base: type[Any] = Action if kind == "action" else Trigger
    component = type("Broken", (base,), {"id": component_id, "provision": provision, "run": run})
    return Registration(kind, component_id, component, Options, Options)
