"""Plugins and scripts: who is there, and what an attempt of theirs is told of its host."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from hostd.config.rooms import Config
from hostd.config.unix_socket import prepare_socket
from hostd.host.action_context import AttemptContexts
from hostd.host.host import PluginHost
from hostd.host.registry import HostRegistry
from hostd.host.routes import RouteTable
from hostd.lua.script import LuaPool
from hostd.runtime.attempts.scripts import Scripts
from hostd.runtime.ports import Actions
from hostd.runtime.ring.recovery import MOVING
from hostd.runtime.room_options import plugin_choices, pool_options, process_limits, script_limits
from hostd.wiring.foundation import Foundation

LEFT_RUNS_MAX = 10_000  # runs that are looked at for whose secrets processes left behind may know


class Guests:
    """The plugin host, the script pool and the paths that triggers answer.

    Args:
        folders: serve plugin folders.
    """

    def __init__(self, base: Foundation, *, folders: bool) -> None:
        config, data = base.config, base.data
        served = folders and not config.plugins.safe_mode
        self.host = PluginHost(
            plugin_choices(config),
            clock=base.clock,
            data_dir=data,
            random=base.random,
            limits=process_limits(config),
            plugins_dir=_plugins_dir(config, data) if served else None,
            installed_dir=_installed_dir(data) if served else None,
        )
        self.lua = LuaPool(pool_options(config), clock=base.clock)
        self.routes = RouteTable()
        self.contexts = AttemptContexts(clock=base.clock, read_secret=self.host.secrets.get)
        self.called: Callable[[], Actions] = self.registry  # what scripts and plugins call in attempts
        self.scripts = Scripts(
            pool=self.lua,
            actions=lambda: self.called(),
            contexts=self.contexts,
            arrivals=self.host.coming,
            limits=script_limits(config),
        )
        self._base = base

    def registry(self) -> HostRegistry:
        """Return what is loaded now; a reload replaces it whole."""
        return self.host.registry

    async def open(self, *, may_wait: bool) -> None:
        """Load plugins, and start the processes of those that have one."""
        await asyncio.to_thread(self.host.load, may_wait=may_wait)
        await self.host.secrets.prepare()
        await self._remember_secrets()
        await self.host.start_processes(socket=await asyncio.to_thread(self._socket))

    def _socket(self) -> Path | None:
        data = self._base.data
        return prepare_socket(data, name="plugins.sock") if data is not None and self.host.outside else None

    async def _remember_secrets(self) -> None:
        """Know what processes that the last daemon left behind may write to the log before a secret is asked for."""
        base = self._base
        if base.data is None or not await asyncio.to_thread(_has_notes, base.data / "run" / "plugins"):
            return
        rows = await base.readers.call(lambda: base.journal.live_runs(after=0, limit=LEFT_RUNS_MAX, states=MOVING))
        for namespace in sorted({row.namespace for row in rows}):
            await self.host.secrets.remember(namespace)

    async def close(self) -> None:
        """End scripts and plugins."""
        await self.lua.close()
        await self.host.close()


def _plugins_dir(config: Config, data: Path | None) -> Path | None:
    """Return the folder of plugin folders; None where there is no data folder and none was named."""
    return config.plugins.dir or (data / "plugins" if data is not None else None)


def _installed_dir(data: Path | None) -> Path | None:
    """Return the folder of installed plugins; None where there is no data folder."""
    return (data / "plugins-installed").absolute() if data is not None else None


def _has_notes(folder: Path) -> bool:
    return any(folder.glob("*.json"))
