"""The plugin host: finds, loads, hands out the registry, and closes what it opened."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from random import Random, SystemRandom
from typing import TYPE_CHECKING

import msgspec

from hostd.aio import Clock, SystemClock, spawn
from hostd.errors.base import HostdError, Kind
from hostd.host.additions import with_more
from hostd.host.assembly import Assembly
from hostd.host.coming import Coming
from hostd.host.composing import code_homes, composed, disabled_in, not_there, tell, told_again, without
from hostd.host.contexts import ProvisionScope
from hostd.host.disabling import Disabled, Write
from hostd.host.discover import find_built_in, find_installed
from hostd.host.found import Choices, Found, PluginState
from hostd.host.late import LatePlugin
from hostd.host.outside import Outside
from hostd.host.process.launch import ProcessLimits
from hostd.host.registry import HostRegistry, TriggerEntry
from hostd.host.secret_access import SecretAccess
from hostd.host.threads.plugin_loop import PluginLoop
from hostd.model.views import ProcessView

if TYPE_CHECKING:
    from hostd.host.folders.folders import Folders
    from hostd.host.installed.installed import Installed
    from hostd.host.process.processes import Processes

_log = logging.getLogger("hostd.host")


class PluginHost:
    """One per daemon. `registry` is replaced whole, never changed."""

    def __init__(
        self,
        choices: Choices | None = None,
        *,
        clock: Clock | None = None,
        data_dir: Path | None = None,
        random: Random | None = None,
        limits: ProcessLimits | None = None,
        plugins_dir: Path | None = None,
        installed_dir: Path | None = None,
    ) -> None:
        self._disabled = Disabled(self._heed_switch)
        self._choices = msgspec.structs.replace(choices or Choices(), disabled=self._disabled.ids)
        self._clock = clock or SystemClock()
        self._data_dir = data_dir
        self._inside = HostRegistry(actions={}, triggers={}, secrets=(), plugins=())
        self._packages: dict[str, Found] = {}  # what is built in or of the daemon's environment, by id
        self._processed: list[Found] = []  # those of them that run in a process of their own
        self._unused: set[str] = set()
        self._loops: list[PluginLoop] = []
        self._late: list[LatePlugin] = []
        self.registry = self._inside
        self.also: list[Found] = []  # plugins beside those that are found, for who embeds a core
        self._installed_dir = installed_dir
        self._outside = Outside(
            self._choices,
            clock=self._clock,
            random=random or SystemRandom(),
            limits=limits or ProcessLimits(),
            data_dir=data_dir,
            plugins_dir=plugins_dir,
            installed_dir=installed_dir,
            changed=self._compose,
            packaged=self._packaged,
        )
        self.changed: Callable[[], None] | None = None  # told when the registry was replaced
        self.secrets = SecretAccess(lambda: self.registry)
        self.coming = Coming(lambda: self.registry)

    @property
    def processes(self) -> Processes | None:
        """The processes of plugins; None where there can be none."""
        return self._outside.processes

    @property
    def installed(self) -> Installed | None:
        """The plugins that `hostd plugin install` brought; None where there can be none."""
        return self._outside.installed

    @property
    def folders(self) -> Folders | None:
        """The plugins of the folder that plugins are dropped into; None where there is no such folder."""
        return self._outside.folders

    def load(self, found: list[Found] | None = None, *, may_wait: bool = False) -> HostRegistry:
        """Load every plugin and return the new registry. Never raises for a broken plugin: `registry.plugins` lists it.

        Args:
            found: what to load, instead of the built-in and installed plugins.
            may_wait: import built-in plugins when something of theirs is first looked at, or by `complete`.
        """
        if self._installed_dir is not None:
            self._disabled.ids.update(disabled_in(self._installed_dir))
        everything = [*find_built_in(), *find_installed(), *self.also] if found is None else found
        absent = (self._choices.inline | self._choices.thread) - {plugin.id for plugin in everything}
        everything = [*everything, *(not_there(plugin_id) for plugin_id in sorted(absent))]
        assembly = Assembly(self._choices, clock=self._clock, data_dir=self._data_dir, may_wait=may_wait)
        self._late = assembly.late
        self._inside = self.registry = assembly.build(everything)
        self._packages = {}
        for plugin in everything:
            self._packages.setdefault(plugin.id, plugin)  # of two with one id the first counts
        self._processed = [plugin for plugin in self._packages.values() if self._runs_outside(plugin)]
        for report in self.registry.plugins:
            tell(report)
        self._loops = assembly.loops
        self._unused = set(assembly.unused_settings())
        if not self._processed:
            self._tell_unused()
        return self.registry

    async def complete(self) -> None:
        """Import what `load` left for later, in a thread; what cannot be imported is not loaded any more."""
        late, self._late = self._late, []
        for plugin in late:
            report = await asyncio.to_thread(plugin.complete)
            if report.state is PluginState.FAILED:
                tell(report)
                self._inside = without(self._inside, report)
                self._compose()

    def add(self, found: Found) -> None:
        """Load one plugin more, for who embeds a host. What it had of the same ids before is replaced.

        Raises:
            HostdError: why it is not loaded; what is loaded stays as it was.
        """
        assembly = Assembly(self._choices, clock=self._clock, data_dir=self._data_dir)
        added = assembly.build([found])
        inside, replaced = with_more(self._inside, added)
        self._loops += assembly.loops
        self._inside = inside
        self._compose()
        for entry in replaced:
            spawn(entry.life.close(), name=f"close {entry.id}")

    def unused_settings(self) -> list[str]:
        """Return keys of `plugins.settings` that nothing loaded so far takes: probably misspelt."""
        return sorted(self._unused)

    def _tell_unused(self) -> None:
        """Warn of settings that nothing loaded takes: probably misspelt."""
        for key in sorted(self._unused):
            _log.warning(
                "settings_unused key=%s message=%s", f"plugins.settings.{key}", "no loaded component takes them"
            )

    def _runs_outside(self, plugin: Found) -> bool:
        refusal = self._choices.refusal(plugin)
        return plugin.launch is not None and refusal is not None and refusal[0] is PluginState.NEEDS_PROCESS

    async def start_processes(self, *, socket: Path | None = None) -> None:
        """Start the plugins that run outside the daemon, and wait for none: who needs one waits for it (`coming`).

        Raises:
            OSError: the socket they dial cannot be made.
        """
        if self.outside:
            await self._outside.start(self._processed, socket)
            self._compose()
            self.coming.heard = spawn(self._hear(), name="first words of plugins")

    async def _hear(self) -> None:
        """Wait for what the plugins that were found at the start say; then it is known which settings nobody takes."""
        if self.processes is not None:
            await self.processes.hear()
            self._unused -= self.processes.settings_used
        self._tell_unused()

    @property
    def outside(self) -> bool:
        """Whether any plugin runs, or may come to run, outside the daemon."""
        return bool(self._processed) or self._outside.expected

    async def drop_unclaimed(self) -> None:
        """Recovery is over: what plugin processes still hold and nobody waits for is stopped."""
        if self.processes is not None:
            await self.processes.drop_unclaimed()

    def _packaged(self, plugin_id: str) -> bool:
        return any(report.id == plugin_id for report in self._inside.plugins)

    def _compose(self) -> None:
        """Replace the registry by what is loaded inside and what processes serve now."""
        self.registry = composed(self._inside, self._outside.guests())
        self.coming.tell()
        if self.changed is not None:
            self.changed()

    async def prepare(self) -> dict[str, str]:
        """Provision every shared component now, instead of on first use; return those that failed with their message.

        A component that fails here is tried again on its first use.
        """
        waiting = [entry for entry in self._inside.shared() if not entry.life.ready]
        results = await asyncio.gather(*(entry.life.prepare() for entry in waiting), return_exceptions=True)
        for action in self._inside.actions.values():
            action.settle()
        return {
            entry.id: str(result)
            for entry, result in zip(waiting, results, strict=True)
            if isinstance(result, Exception)
        }

    def process(self, plugin_id: str) -> ProcessView | None:
        """Return a plugin's process as it is now, None where it has none."""
        view = self.processes.process(plugin_id) if self.processes is not None else None
        if view is None:
            return None
        hide = self.secrets.hide  # a process may print what it was given
        return msgspec.structs.replace(view, message=hide(view.message), printed=tuple(map(hide, view.printed)))

    async def reload(self, plugin_id: str) -> None:
        """Load a plugin anew, beside the version that serves; one that cannot be used leaves that in its place.

        Raises:
            HostdError: PLUGIN_MISSING; PLUGIN_NOT_RELOADABLE for one that runs inside the daemon.
        """
        self.registry.plugin(plugin_id)
        if not await self._outside.reload(plugin_id):
            message = f"plugin {plugin_id} runs inside the daemon: what changed there needs a restart"
            raise HostdError(Kind.STATE, "PLUGIN_NOT_RELOADABLE", message)

    async def disable(self, plugin_id: str) -> None:
        """Keep a plugin from serving, through restarts, until it is enabled.

        Raises:
            HostdError: PLUGIN_MISSING; PLUGIN_NOT_RELOADABLE for one inside the daemon, or a daemon without a folder.
        """
        await self._disabled.add(plugin_id, self._switch_of(plugin_id))

    async def enable(self, plugin_id: str) -> None:
        """Let a plugin serve again. Raises HostdError PLUGIN_MISSING, PLUGIN_NOT_RELOADABLE."""
        await self._disabled.discard(plugin_id, self._switch_of(plugin_id))

    async def forget_disabled(self, plugin_id: str) -> None:
        """A plugin is gone: one of its name that comes later is not disabled."""
        if self.installed is not None and plugin_id in self._disabled.ids:
            await self._disabled.discard(plugin_id, self.installed.disable)

    def _switch_of(self, plugin_id: str) -> Write:
        """Return what writes down that a plugin was disabled or enabled. Raises HostdError where it cannot be."""
        self.registry.plugin(plugin_id)
        package = self._packages.get(plugin_id)
        if self.installed is None or (package is not None and self._choices.inside(package)):
            message = f"plugin {plugin_id} runs inside the daemon: list it in plugins.deny, and restart"
            raise HostdError(Kind.STATE, "PLUGIN_NOT_RELOADABLE", message)
        return self.installed.disable

    async def _heed_switch(self, plugin_id: str) -> None:
        """A plugin was disabled or enabled: serve it, or let it go, as the choices say now."""
        package = self._packages.get(plugin_id)
        if package is None:
            await self._outside.refresh(plugin_id)
            return
        refusal = self._choices.refusal(package)
        if refusal is not None:
            self._inside = told_again(self._inside, package.id, refusal)
        if self._runs_outside(package):
            await self._outside.serve_package(package)
        else:
            await self._outside.let_package_go(package.id)
        self._compose()

    def provision_scope(self, entry: TriggerEntry) -> ProvisionScope:
        """Return what a trigger's `provision` is given; see `triggers.run_once`."""
        return ProvisionScope(entry.plugin, entry.id, self._clock, self._data_dir)

    async def close(self) -> None:
        """Close every shared component, in reverse order of loading; may be called twice."""
        self.coming.close()
        await self._outside.stop()
        for entry in reversed(self._inside.shared()):
            await entry.life.close()
        for loop in self._loops:
            loop.close()

    def homes(self) -> dict[str, str]:
        """Return the plugin by the folder of its code, for those that are loaded into the daemon; inner ones first."""
        return code_homes(self._inside)
