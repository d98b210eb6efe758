"""The plugin's actions in this process: one instance each, provisioned once, with the operator's settings."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

from hostd.errors.base import HostdError, Kind
from hostd.plugin.clocks import MachineClock, PluginClock
from hostd.plugin.life import Shared
from hostd.plugin.option_reading import parse_options
from hostd.plugin.options import Options
from hostd.plugin.process.log_post import LogPost, WireLog
from hostd.plugin.process.tasks import Tasks
from hostd.plugin.process.wire import value_of
from hostd.plugin.registry import Registration


class Workplace:
    """What all components of the process share. `data_dir` comes with Welcome."""

    def __init__(self, plugin: str, clock: MachineClock, logs: LogPost) -> None:
        self.plugin = plugin
        self.clock = clock
        self.logs = logs
        self.data_dir: Path | None = None


class WireProvision:
    """A component's ProvisionContext."""

    __slots__ = ("_workplace", "clock", "component", "log")

    def __init__(self, workplace: Workplace, component: str) -> None:
        self._workplace = workplace
        self.component = component
        self.clock = PluginClock(workplace.clock)
        self.log: WireLog = workplace.logs.log("", component=component)

    @property
    def plugin(self) -> str:
        """Id of the plugin."""
        return self._workplace.plugin

    @property
    def data_dir(self) -> Path | None:
        """Folder for the plugin's own files."""
        return self._workplace.data_dir


def settings_of(registration: Registration, settings: bytes, plugin: str) -> Options:
    """Return a component's settings. Raises HostdError OPTION_INVALID with all violations."""
    owner = f"plugins.settings.{plugin}"
    parsed: Options = parse_options(registration.settings, value_of(settings), owner=owner)
    return parsed


class LiveAction:
    """An action and its one instance."""

    def __init__(self, registration: Registration, workplace: Workplace, tasks: Tasks) -> None:
        self.id = registration.id
        self.options = registration.options
        self.blocking = not inspect.iscoroutinefunction(registration.component.run)
        self.instance: Any = registration.component()
        self._registration = registration
        self._workplace = workplace
        self._settings: bytes | None = None
        self._life = Shared(self.instance, WireProvision(workplace, self.id), tasks.spawn)

    async def provision(self, settings: bytes) -> None:
        """Get ready with the operator's settings; may be called again, which changes nothing.

        Raises:
            HostdError: OPTION_INVALID, PLUGIN_FAILED
        """
        if not self._life.ready:
            self.instance.settings = settings_of(self._registration, settings, self._workplace.plugin)
            self._settings = settings
        elif settings != self._settings:
            self._workplace.logs.log("", component=self.id).warning("settings have changed; they count after a restart")
        await self._life.prepare()

    async def prepare(self) -> None:
        """Get ready, where nobody has said so before. Raises HostdError OPTION_INVALID, PLUGIN_FAILED."""
        if not self._life.ready:
            await self.provision(self._settings or b"")

    async def close(self) -> None:
        """Close the instance if it was provisioned."""
        await self._life.close()


class Actions:
    """All of them, by id."""

    def __init__(self, registrations: tuple[Registration, ...], workplace: Workplace, tasks: Tasks) -> None:
        self._actions = {
            registration.id: LiveAction(registration, workplace, tasks)
            for registration in registrations
            if registration.kind == "action"
        }

    def get(self, action: str) -> LiveAction:
        """Return an action. Raises HostdError ACTION_UNKNOWN."""
        found = self._actions.get(action)
        if found is None:
            raise HostdError(Kind.MISSING, "ACTION_UNKNOWN", f"this plugin has no action {action[:80]!r}")
        return found

    async def close(self) -> None:
        """Close them, in reverse order."""
        for action in reversed(self._actions.values()):
            await action.close()
