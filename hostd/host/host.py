"""The plugin host: finds, loads, hands out the registry, and closes what it opened."""

from __future__ import annotations

import asyncio
import importlib
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
from hostd.host.composing import Guests, code_homes, composed, disabled_in, not_there, tell, told_again, without
from hostd.host.contexts import ProvisionScope
from hostd.host.discover import find_built_in, find_installed
from hostd.host.found import Choices, Found, PluginState
from hostd.host.guard import PLUGIN_ERRORS
from hostd.host.late import LatePlugin
from hostd.host.process.launch import ProcessLimits
from hostd.host.registry import HostRegistry, TriggerEntry
from hostd.host.secrets import HandedOut, list_secrets, read_secret, secret_is_missing, set_secret
from hostd.host.threads.plugin_loop import PluginLoop
from hostd.model.views import ProcessView, SecretView

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
        self._disabled: set[str] = set()
        self._switching = asyncio.Lock()
        self._choices = msgspec.structs.replace(choices or Choices(), disabled=self._disabled)
        self._clock = clock or SystemClock()
        self._data_dir = data_dir
        self._inside = HostRegistry(actions={}, triggers={}, secrets=(), plugins=())
        self._outside: list[Found] = []
        self._packages: dict[str, Found] = {}  # what is built in or of the daemon's environment, by id
        self._unused: set[str] = set()
        self._loops: list[PluginLoop] = []
        self._late: list[LatePlugin] = []
        self.registry = self._inside
        self._handed_out = HandedOut()
        self.also: list[Found] = []  # plugins beside those that are found, for who embeds a core
        self._random = random or SystemRandom()
        self._limits = limits or ProcessLimits()
        self._plugins_dir = plugins_dir
        self._installed_dir = installed_dir
        self.folders: Folders | None = None
        self.installed: Installed | None = None
        self.processes: Processes | None = None  # made when the first is needed: it brings gRPC
        self.changed: Callable[[], None] | None = None  # told when the registry was replaced
        self.coming = Coming(lambda: self.registry)

    def load(self, found: list[Found] | None = None, *, may_wait: bool = False) -> HostRegistry:
        """Load every plugin and return the new registry. Never raises for a broken plugin: `registry.plugins` lists it.

        Args:
            found: what to load, instead of the built-in and installed plugins.
            may_wait: import built-in plugins when something of theirs is first looked at, or by `complete`.
        """
        if self._installed_dir is not None:
            self._disabled |= disabled_in(self._installed_dir)
        everything = [*find_built_in(), *find_installed(), *self.also] if found is None else found
        absent = (self._choices.inline | self._choices.thread) - {plugin.id for plugin in everything}
        everything = [*everything, *(not_there(plugin_id) for plugin_id in sorted(absent))]
        assembly = Assembly(self._choices, clock=self._clock, data_dir=self._data_dir, may_wait=may_wait)
        self._late = assembly.late
        self._inside = self.registry = assembly.build(everything)
        self._packages = {}
        for plugin in everything:
            self._packages.setdefault(plugin.id, plugin)  # of two with one id the first counts
        self._outside = [plugin for plugin in self._packages.values() if self._runs_outside(plugin)]
        for report in self.registry.plugins:
            tell(report)
        self._loops = assembly.loops
        self._unused = set(assembly.unused_settings())
        if not self._outside:
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
            await asyncio.to_thread(
                importlib.import_module, "hostd.host.process.processes"
            )  # brings gRPC: not on the loop
            processes = self._processes(socket)
            await processes.start(self._outside)
            await self._start_installed(processes)
            await self._start_folders(processes)
            self._compose()
            self.coming.heard = spawn(self._hear(processes), name="first words of plugins")

    async def _hear(self, processes: Processes) -> None:
        """Wait for what the plugins that were found at the start say; then it is known which settings nobody takes."""
        await processes.hear()
        self._unused -= processes.settings_used
        self._tell_unused()

    @property
    def outside(self) -> bool:
        """Whether any plugin runs, or may come to run, outside the daemon."""
        return bool(self._outside) or self._plugins_dir is not None or self._installed_dir is not None

    async def drop_unclaimed(self) -> None:
        """Recovery is over: what plugin processes still hold and nobody waits for is stopped."""
        if self.processes is not None:
            await self.processes.drop_unclaimed()

    async def _start_folders(self, processes: Processes) -> None:
        if self._plugins_dir is None:
            return
        from hostd.host.folders.folders import Folders

        self.folders = Folders(
            self._plugins_dir,
            self._choices,
            processes,
            clock=self._clock,
            changed=self._compose,
            taken=lambda plugin_id: self._packaged(plugin_id) or self.is_installed(plugin_id),
        )
        await self.folders.start()

    async def _start_installed(self, processes: Processes) -> None:
        if self._installed_dir is None:
            return
        from hostd.host.installed.installed import Installed

        self.installed = Installed(
            self._installed_dir,
            self._choices,
            processes,
            clock=self._clock,
            random=self._random,
            limits=self._limits,
            changed=self._compose,
            taken=lambda plugin_id: self._packaged(plugin_id) or self._in_folder(plugin_id),
        )
        await self.installed.start()

    def _packaged(self, plugin_id: str) -> bool:
        return any(report.id == plugin_id for report in self._inside.plugins)

    def _in_folder(self, plugin_id: str) -> bool:
        return self.folders is not None and self.folders.has(plugin_id)

    def is_installed(self, plugin_id: str) -> bool:
        """Say whether a plugin was installed by `hostd plugin install`."""
        return self.installed is not None and plugin_id in self.installed.ids

    def _processes(self, socket: Path | None = None) -> Processes:
        from hostd.host.process.processes import Processes

        if self.processes is None:
            self.processes = Processes(
                clock=self._clock,
                random=self._random,
                limits=self._limits,
                data_dir=self._data_dir,
                settings=self._choices.settings,
                changed=self._compose,
                socket=socket,
                groups=self._choices.groups,
            )
        return self.processes

    def _compose(self) -> None:
        """Replace the registry by what is loaded inside and what processes serve now."""
        rooms = (self.processes, self.installed, self.folders)
        guests: list[Guests] = [room for room in rooms if room is not None]
        self.registry = composed(self._inside, guests)
        self.coming.tell()
        if self.changed is not None:
            self.changed()

    async def prepare_secrets(self) -> None:
        """Provision the providers of secrets now: what is wrong with them is told at the start, not at first use."""
        for entry in self.registry.secrets:
            try:
                if not entry.life.ready:
                    await entry.life.prepare()
            except PLUGIN_ERRORS as error:  # tried again when asked for a secret; its text could hold one
                reason = error.reason if isinstance(error, HostdError) else type(error).__name__
                _log.warning("secrets_unprepared component=%s reason=%s", entry.id, reason)

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
        hide = self.without_secrets  # a process may print what it was given
        return msgspec.structs.replace(view, message=hide(view.message), printed=tuple(map(hide, view.printed)))

    async def reload(self, plugin_id: str) -> None:
        """Load a plugin anew, beside the version that serves; one that cannot be used leaves that in its place.

        Raises:
            HostdError: PLUGIN_MISSING; PLUGIN_NOT_RELOADABLE for one that runs inside the daemon.
        """
        self.registry.plugin(plugin_id)
        if self.folders is not None and await self.folders.reload(plugin_id):
            return
        if self.installed is not None and plugin_id in self.installed.ids:
            await self.installed.refresh(plugin_id)
            return
        if self.processes is not None and await self.processes.reload(plugin_id):
            return
        message = f"plugin {plugin_id} runs inside the daemon: what changed there needs a restart"
        raise HostdError(Kind.STATE, "PLUGIN_NOT_RELOADABLE", message)

    async def disable(self, plugin_id: str) -> None:
        """Keep a plugin from serving, through restarts, until it is enabled.

        Raises:
            HostdError: PLUGIN_MISSING; PLUGIN_NOT_RELOADABLE for one inside the daemon, or a daemon without a folder.
        """
        await self._switch(plugin_id, disabled=True)

    async def enable(self, plugin_id: str) -> None:
        """Let a plugin serve again. Raises HostdError PLUGIN_MISSING, PLUGIN_NOT_RELOADABLE."""
        await self._switch(plugin_id, disabled=False)

    async def forget_disabled(self, plugin_id: str) -> None:
        """A plugin is gone: one of its name that comes later is not disabled."""
        if self.installed is not None and plugin_id in self._disabled:
            async with self._switching:
                self._disabled.discard(plugin_id)
                await self.installed.disable(set(self._disabled))

    async def _switch(self, plugin_id: str, *, disabled: bool) -> None:
        """One change at a time, brought to its end, whoever asked."""
        self.registry.plugin(plugin_id)
        await asyncio.shield(spawn(self._switched(plugin_id, disabled), name=f"switch of {plugin_id}"))

    async def _switched(self, plugin_id: str, disabled: bool) -> None:
        async with self._switching:
            change = self._disabled.union if disabled else self._disabled.difference
            await self._set_disabled(plugin_id, change({plugin_id}))

    async def _set_disabled(self, plugin_id: str, disabled: set[str]) -> None:
        package = self._packages.get(plugin_id)
        if self.installed is None or (package is not None and self._choices.inside(package)):
            message = f"plugin {plugin_id} runs inside the daemon: list it in plugins.deny, and restart"
            raise HostdError(Kind.STATE, "PLUGIN_NOT_RELOADABLE", message)
        await self.installed.disable(disabled)
        self._disabled.intersection_update(disabled)
        self._disabled.update(disabled)
        if package is not None:
            await self._refresh_package(package)
        elif self.is_installed(plugin_id):
            await self.installed.refresh(plugin_id)
        elif self.folders is not None:
            await self.folders.reload(plugin_id)

    async def _refresh_package(self, package: Found) -> None:
        """Serve a package's plugin in a process, or let it go, as the choices say now."""
        processes = self._processes()
        refusal = self._choices.refusal(package)
        if refusal is not None:
            self._inside = told_again(self._inside, package.id, refusal)
        if self._runs_outside(package):
            await processes.add(package)
        elif package.id in processes.known:
            await processes.remove(package.id)
        self._compose()

    def provision_scope(self, entry: TriggerEntry) -> ProvisionScope:
        """Return what a trigger's `provision` is given; see `triggers.run_once`."""
        return ProvisionScope(entry.plugin, entry.id, self._clock, self._data_dir)

    async def secret(self, namespace: str, name: str) -> str:
        """Return a secret's value. Raises HostdError SECRET_MISSING."""
        value = await read_secret(self.registry, namespace, name)
        self._handed_out.add(value)
        return value

    async def set_secret(self, namespace: str, name: str, value: str) -> tuple[SecretView, bool, str]:
        """Set a secret; see `secrets.set_secret`."""
        self._handed_out.add(value)
        return await set_secret(self.registry, namespace, name, value)

    async def secret_names(self, namespace: str) -> list[str]:
        """Return the names of secrets that providers tell of; none where one cannot be asked."""
        try:
            return [view.name for view in await list_secrets(self.registry, namespace)]
        except HostdError as error:
            _log.warning("secrets_unlisted namespace=%s reason=%s", namespace, error.reason)
            return []

    async def remember_secrets(self, namespace: str) -> None:
        """Keep the secrets of a namespace out of the log before any was handed out."""
        for name in await self.secret_names(namespace):
            try:
                await self.secret(namespace, name)
            except HostdError as error:
                _log.warning("secret_unknown name=%s reason=%s", name, error.reason)

    def without_secrets(self, text: str) -> str:
        """Return a text without the values of secrets that were handed out; for logs, from any thread."""
        return self._handed_out.hide(text)

    async def secret_is_missing(self, namespace: str, name: str) -> bool:
        """Say whether no provider has a secret; one that cannot be asked may have it."""
        return await secret_is_missing(self.registry, namespace, name)

    async def close(self) -> None:
        """Close every shared component, in reverse order of loading; may be called twice."""
        self.coming.close()
        if self.folders is not None:
            await self.folders.stop()
        if self.processes is not None:
            await self.processes.stop()
        for entry in reversed(self._inside.shared()):
            await entry.life.close()
        for loop in self._loops:
            loop.close()

    def homes(self) -> dict[str, str]:
        """Return the plugin by the folder of its code, for those that are loaded into the daemon; inner ones first."""
        return code_homes(self._inside)
