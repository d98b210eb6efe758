"""The plugin host: finds, loads, hands out the registry, and closes what it opened."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import NoReturn

from hostd.aio import Clock, SystemClock
from hostd.host.assembly import Assembly
from hostd.host.contexts import ProvisionScope
from hostd.host.discover import find_built_in, find_installed
from hostd.host.found import Choices, Found, PluginReport, PluginState, Source
from hostd.host.loader import Refused
from hostd.host.registry import HostRegistry, TriggerEntry
from hostd.host.secrets import read_secret

_log = logging.getLogger("hostd.host")


class PluginHost:
    """One per daemon. `registry` is replaced whole, never changed."""

    def __init__(
        self, choices: Choices | None = None, *, clock: Clock | None = None, data_dir: Path | None = None
    ) -> None:
        self._choices = choices or Choices()
        self._clock = clock or SystemClock()
        self._data_dir = data_dir
        self.registry = HostRegistry(actions={}, triggers={}, secrets=(), plugins=())

    def load(self, found: list[Found] | None = None) -> HostRegistry:
        """Load every plugin and return the new registry. Never raises for a broken plugin: `registry.plugins` lists it.

        Args:
            found: what to load, instead of the built-in and installed plugins.
        """
        everything = find_built_in() + find_installed() if found is None else found
        absent = self._choices.inline - {plugin.id for plugin in everything}
        everything = [*everything, *(_absent(plugin_id) for plugin_id in sorted(absent))]
        assembly = Assembly(self._choices, clock=self._clock, data_dir=self._data_dir)
        self.registry = assembly.build(everything)
        for report in self.registry.plugins:
            _tell(report)
        for key in assembly.unused_settings():
            _log.warning(
                "settings_unused key=%s message=%s", f"plugins.settings.{key}", "no loaded component takes them"
            )
        return self.registry

    async def prepare(self) -> dict[str, str]:
        """Provision every shared component now, instead of on first use; return those that failed with their message.

        A component that fails here is tried again on its first use.
        """
        waiting = [entry for entry in self.registry.shared() if not entry.life.ready]
        results = await asyncio.gather(*(entry.life.prepare() for entry in waiting), return_exceptions=True)
        for action in self.registry.actions.values():
            action.settle()
        return {
            entry.id: str(result)
            for entry, result in zip(waiting, results, strict=True)
            if isinstance(result, Exception)
        }

    def provision_scope(self, entry: TriggerEntry) -> ProvisionScope:
        """Return what a trigger's `provision` is given; see `triggers.run_once`."""
        return ProvisionScope(entry.plugin, entry.id, self._clock, self._data_dir)

    async def secret(self, namespace: str, name: str) -> str:
        """Return a secret's value. Raises HostdError SECRET_MISSING."""
        return await read_secret(self.registry, namespace, name)

    async def close(self) -> None:
        """Close every shared component, in reverse order of loading; may be called twice."""
        for entry in reversed(self.registry.shared()):
            await entry.life.close()


def _absent(plugin_id: str) -> Found:
    """Return what stands for a plugin that the operator trusts, and that nobody installed."""

    def load() -> NoReturn:
        message = f"plugins.inline names {plugin_id}, but no package installed beside hostd provides it"
        raise Refused("PLUGIN_MISSING", message)

    return Found(plugin_id, "", Source.INSTALLED, "", load)


def _tell(report: PluginReport) -> None:
    """Log what is not loaded; `hostd plugin list` says it too."""
    if report.state is PluginState.FAILED:
        _log.warning("plugin_failed plugin=%s reason=%s message=%s", report.id, report.reason, report.message)
    elif report.state is PluginState.NEEDS_PROCESS:
        _log.info("plugin_not_loaded plugin=%s message=%s", report.id, report.message)
