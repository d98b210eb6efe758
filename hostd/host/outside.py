"""The plugins that run outside the daemon, or come and go while it runs: in processes, installed, and in folders."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from hostd.aio import Clock
from hostd.host.composing import Guests
from hostd.host.found import Choices, Found
from hostd.host.process.launch import ProcessLimits

if TYPE_CHECKING:  # made when the first is needed: they bring gRPC, pydantic and pip's words
    from hostd.host.folders.folders import Folders
    from hostd.host.installed.installed import Installed
    from hostd.host.process.processes import Processes


class Outside:
    """Owns them; each of the three is None while nothing needs it."""

    def __init__(
        self,
        choices: Choices,
        *,
        clock: Clock,
        random: Random,
        limits: ProcessLimits,
        data_dir: Path | None,
        plugins_dir: Path | None,
        installed_dir: Path | None,
        changed: Callable[[], None],
        packaged: Callable[[str], bool],
    ) -> None:
        """Start nothing yet.

        Args:
            plugins_dir: the folder of plugin folders; None for none.
            installed_dir: the folder of installed plugins; None for none.
            changed: called when what they serve is not what it was.
            packaged: says whether a plugin of that id is built in, or of the daemon's environment.
        """
        self.processes: Processes | None = None
        self.installed: Installed | None = None
        self.folders: Folders | None = None
        self._choices = choices
        self._clock = clock
        self._random = random
        self._limits = limits
        self._data_dir = data_dir
        self._plugins_dir = plugins_dir
        self._installed_dir = installed_dir
        self._changed = changed
        self._packaged = packaged

    @property
    def expected(self) -> bool:
        """Whether plugins may come to run, though none may be there yet."""
        return self._plugins_dir is not None or self._installed_dir is not None

    def guests(self) -> list[Guests]:
        """Return who serves something; of two that have a component the first keeps it."""
        rooms = (self.processes, self.installed.serving if self.installed is not None else None, self.folders)
        return [room for room in rooms if room is not None]

    async def start(self, packages: list[Found], socket: Path | None) -> None:
        """Start what is there, packages first, and wait for none of it.

        Raises:
            OSError: the socket they dial cannot be made.
        """
        await asyncio.to_thread(importlib.import_module, "hostd.host.process.processes")  # too long for the loop
        processes = self.processes = self._made(socket)
        await processes.start(packages)
        if self._installed_dir is not None:
            await self._start_installed(self._installed_dir, processes)
        if self._plugins_dir is not None:
            await self._start_folders(self._plugins_dir, processes)

    def _made(self, socket: Path | None) -> Processes:
        from hostd.host.process.processes import Processes

        return Processes(
            clock=self._clock,
            random=self._random,
            limits=self._limits,
            data_dir=self._data_dir,
            settings=self._choices.settings,
            changed=self._changed,
            socket=socket,
            groups=self._choices.groups,
        )

    async def _start_installed(self, root: Path, processes: Processes) -> None:
        from hostd.host.installed.installed import Installed

        self.installed = Installed(
            root,
            self._choices,
            processes,
            clock=self._clock,
            random=self._random,
            limits=self._limits,
            changed=self._changed,
            taken=lambda plugin_id: self._packaged(plugin_id) or self._in_folder(plugin_id),
        )
        await self.installed.start()

    async def _start_folders(self, plugins_dir: Path, processes: Processes) -> None:
        from hostd.host.folders.folders import Folders

        self.folders = Folders(
            plugins_dir,
            self._choices,
            processes,
            clock=self._clock,
            changed=self._changed,
            taken=lambda plugin_id: self._packaged(plugin_id) or self._is_installed(plugin_id),
        )
        await self.folders.start()

    def _in_folder(self, plugin_id: str) -> bool:
        return self.folders is not None and self.folders.has(plugin_id)

    def _is_installed(self, plugin_id: str) -> bool:
        return self.installed is not None and plugin_id in self.installed.serving.ids

    async def refresh(self, plugin_id: str) -> bool:
        """Load a plugin of a folder, or an installed one, as it is there now; say whether it is one of these.

        Raises:
            HostdError: PLUGIN_NOT_INSTALLED where it was uninstalled meanwhile.
        """
        if self.folders is not None and await self.folders.reload(plugin_id):
            return True
        if self.installed is not None and self._is_installed(plugin_id):
            await self.installed.serving.refresh(plugin_id)
            return True
        return False

    async def reload(self, plugin_id: str) -> bool:
        """Load a plugin anew beside the version that serves; say whether it runs outside. Raises as `refresh`."""
        if await self.refresh(plugin_id):
            return True
        return self.processes is not None and await self.processes.reload(plugin_id)

    async def serve_package(self, package: Found) -> None:
        """Serve a package's plugin in a process, beside the version that serves where there is one."""
        if self.processes is not None:
            await self.processes.add(package)

    async def let_package_go(self, plugin_id: str) -> None:
        """Serve a package's plugin no more, where it has a process."""
        if self.processes is not None and plugin_id in self.processes.known:
            await self.processes.remove(plugin_id)

    async def stop(self) -> None:
        """Follow folders no more, drain and end every process; may be called twice."""
        if self.folders is not None:
            await self.folders.stop()
        if self.processes is not None:
            await self.processes.stop()
