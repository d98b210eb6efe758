"""From plugins that were found to a registry: load each, settle who owns an id, construct what is shared."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from hostd.aio import Clock
from hostd.errors.base import HostdError, invalid
from hostd.host.contexts import ProvisionScope
from hostd.host.found import Choices, Found, PluginReport, PluginState
from hostd.host.guard import LOAD_ERRORS, plugin_traceback
from hostd.host.late import LateActionEntry, LatePlugin, LateTriggerEntry, late_plugin
from hostd.host.lifecycle import Shared
from hostd.host.loader import load_plugin
from hostd.host.registry import ActionEntry, HostRegistry, SecretsEntry, TriggerEntry
from hostd.host.threads.components import ThreadAction, ThreadActionEntry, ThreadCall, ThreadTriggerEntry
from hostd.host.threads.plugin_loop import PluginLoop
from hostd.plugin import Options
from hostd.plugin.option_reading import parse_options
from hostd.plugin.registry import Registration


class Assembly:
    """Builds one registry. A plugin that fails anywhere leaves nothing behind but its report.

    Args:
        may_wait: import built-in plugins when something of theirs is first looked at (late.py).
    """

    def __init__(self, choices: Choices, *, clock: Clock, data_dir: Path | None, may_wait: bool = False) -> None:
        self._choices = choices
        self._clock = clock
        self._data_dir = data_dir
        self._owners: dict[tuple[str, str], str] = {}
        self._actions: dict[str, ActionEntry] = {}
        self._triggers: dict[str, TriggerEntry] = {}
        self._secrets: list[SecretsEntry] = []
        self._reports: list[PluginReport] = []
        self._settings_used: set[str] = set()
        self._may_wait = may_wait
        self.loops: list[PluginLoop] = []
        self.late: list[LatePlugin] = []

    def build(self, found: Iterable[Found]) -> HostRegistry:
        """Return the registry of everything found, in that order; of two owners of an id the first keeps it."""
        for plugin in found:
            self._reports.append(self._add(plugin))
        return HostRegistry(
            actions=self._actions, triggers=self._triggers, secrets=self._secrets, plugins=self._reports
        )

    def unused_settings(self) -> list[str]:
        """Return keys of `plugins.settings` that nothing loaded takes: probably misspelt."""
        return sorted(set(self._choices.settings) - self._choices.defaults - self._settings_used)

    def _add(self, found: Found) -> PluginReport:
        refusal = self._choices.refusal(found)
        if refusal is not None:
            state, reason, message = self._twice(found) or refusal
            return PluginReport(
                found.id, found.version, found.source, found.origin, state, reason=reason, message=message
            )
        late = late_plugin(found, self._choices) if self._may_wait else None
        if late is not None:
            return self._add_late(late)
        report, registrations = load_plugin(found, trace=self._choices.trace)
        if report.state is not PluginState.LOADED:
            return report
        loop = PluginLoop(found.id) if found.id in self._choices.thread else None
        try:
            self._check_free(found, [(one.kind, one.id, _origin(found, one)) for one in registrations])
            entries = [self._entry(found, registration, loop) for registration in registrations]
        except HostdError as error:
            return _failed(report, error.reason, error.message)
        except LOAD_ERRORS as error:  # the fence: constructors are the plugin's
            return _failed(report, "PLUGIN_FAILED", f"{type(error).__name__}: {error}"[:2_000], plugin_traceback(error))
        for registration, entry in zip(registrations, entries, strict=True):
            self._owners[registration.kind, registration.id] = _origin(found, registration)
            self._keep(entry)
        if loop is None:
            return report
        self.loops.append(loop)
        return msgspec.structs.replace(report, isolation="thread")

    def _twice(self, found: Found) -> tuple[PluginState, str, str] | None:
        """Return why a plugin is not given a process: one of its id has one already, or is loaded."""
        served = (PluginState.LOADED, PluginState.NEEDS_PROCESS)
        first = next((one for one in self._reports if one.id == found.id and one.state in served), None)
        if first is None or not self._choices.outside(found):
            return None
        return PluginState.FAILED, "PLUGIN_FAILED", f"another plugin has the id {found.id} already: {first.origin}"

    def _keep(self, entry: ActionEntry | TriggerEntry | SecretsEntry) -> None:
        if isinstance(entry, ActionEntry):
            self._actions[entry.id] = entry
        elif isinstance(entry, TriggerEntry):
            self._triggers[entry.id] = entry
        else:
            self._secrets.append(entry)

    def _add_late(self, late: LatePlugin) -> PluginReport:
        """Take what a plugin's list says of it; each entry fills itself in when more is asked."""
        report, origin = late.report, f"plugin {late.found.id} ({late.found.origin})"
        listed = [("action", one) for one in late.listing.actions] + [("trigger", one) for one in late.listing.triggers]
        try:
            self._check_free(late.found, [(kind, one, origin) for kind, one in listed])
        except HostdError as error:
            return _failed(report, error.reason, error.message)
        self._owners.update((one, origin) for one in listed)
        fill = partial(self._fill, late.found)
        for action in late.listing.actions:
            self._actions[action] = late.keep(LateActionEntry(action, late, fill))
        for trigger in late.listing.triggers:
            self._triggers[trigger] = late.keep(LateTriggerEntry(trigger, late, fill))
        self.late.append(late)
        return report

    def _fill(self, found: Found, entry: LateActionEntry | LateTriggerEntry, registration: Registration) -> None:
        """Make of an entry what it would have been at once."""
        settings = self._settings(found, registration)
        names: Any = {"plugin": found.id, "origin": _origin(found, registration)}
        if isinstance(entry, LateTriggerEntry):
            TriggerEntry.__init__(entry, registration.component, registration.options, settings=settings, **names)
            return
        instance = registration.component()
        instance.settings = settings
        life = self._life(found, registration, instance)
        ActionEntry.__init__(entry, registration.component, registration.options, life=life, **names)

    def _life(self, found: Found, registration: Registration, instance: Any) -> Shared:
        """Return the life of a component that attempts share. Raises what its `validate` raises."""
        life = Shared(instance, ProvisionScope(found.id, registration.id, self._clock, self._data_dir))
        life.prepare_at_once()
        return life

    def _check_free(self, found: Found, components: Iterable[tuple[str, str, str]]) -> None:
        """Raise PLUGIN_FAILED where somebody else has one of the components (kind, id, origin), or the plugin's id."""
        for kind, component_id, mine in components:
            owner = self._owners.get((kind, component_id))
            if owner is not None:
                raise _refused(f"the {kind} {component_id} of {mine} is provided by {owner} already")
        if any(report.id == found.id and report.state is PluginState.LOADED for report in self._reports):
            raise _refused(f"another plugin with the id {found.id} is loaded already")

    def _entry(
        self, found: Found, registration: Registration, loop: PluginLoop | None
    ) -> ActionEntry | TriggerEntry | SecretsEntry:
        settings = self._settings(found, registration)
        component: type[Any] = registration.component
        names = {"plugin": found.id, "origin": _origin(found, registration)}
        if registration.kind == "trigger" and loop is not None:
            return ThreadTriggerEntry(component, registration.options, settings=settings, loop=loop, **names)
        if registration.kind == "trigger":
            return TriggerEntry(component, registration.options, settings=settings, **names)
        instance = component()
        instance.settings = settings
        threaded = loop is not None and registration.kind == "action" and component.executors != ("lua",)
        if loop is not None and threaded:
            asynchronous = inspect.iscoroutinefunction(component.run)
            instance = ThreadAction(instance, loop) if asynchronous else ThreadCall(instance, loop)
        life = self._life(found, registration, instance)
        if registration.kind == "action":
            kind = ThreadActionEntry if threaded else ActionEntry
            return kind(component, registration.options, life=life, **names)
        return SecretsEntry(instance, life=life, plugin=found.id)

    def _settings(self, found: Found, registration: Registration) -> Options:
        """Return a component's settings: those under its own id, else under its plugin's."""
        given = self._choices.settings
        for key in (registration.id, found.id):
            if key in given and registration.settings is not Options:
                self._settings_used.add(key)
                return _parsed(registration.settings, given[key], key)
        return _parsed(registration.settings, {}, found.id)


def _parsed(model: type[Options], given: Any, key: str) -> Options:
    settings: Options = parse_options(model, given, owner=f"plugins.settings.{key}")
    return settings


def _origin(found: Found, registration: Registration) -> str:
    return f"plugin {found.id} ({registration.origin}, {found.origin})"


def _refused(message: str) -> HostdError:
    return invalid("PLUGIN_FAILED", message)


def _failed(report: PluginReport, reason: str, message: str, traceback: str = "") -> PluginReport:
    return msgspec.structs.replace(
        report, state=PluginState.FAILED, components=(), reason=reason, message=message, traceback=traceback
    )
