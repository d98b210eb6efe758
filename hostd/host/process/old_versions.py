"""Versions of plugins that were replaced: each lets what it holds end, a few at a time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable

from hostd.aio import Clock, spawn
from hostd.host.process.plugin_process import PluginProcess

OLD_MAX = 3  # a plugin
RETIRE_S = 600.0
LOOK_S = 1.0
_log = logging.getLogger("hostd.host.process")


class OldVersions:
    """All of them, oldest first. `changed` is told when one has gone."""

    def __init__(self, clock: Clock, changed: Callable[[], None]) -> None:
        self._clock = clock
        self._changed = changed
        self._draining: dict[PluginProcess, asyncio.Task[None]] = {}

    def of(self, plugin_id: str) -> list[PluginProcess]:
        """Return those of one plugin, oldest first."""
        return [process for process in self._draining if process.plugin == plugin_id]

    def all(self) -> Iterable[PluginProcess]:
        """Return all of them."""
        return tuple(self._draining)

    async def add(self, process: PluginProcess) -> None:
        """Let a version that was replaced end. Where there are too many of them the oldest is stopped first."""
        while len(older := self.of(process.plugin)) >= OLD_MAX:
            oldest = older[0]
            lost = len(oldest.desk.attempts)
            _log.warning("plugin_version_stopped plugin=%s version=%s lost=%d", oldest.plugin, oldest.version, lost)
            self._draining[oldest].cancel()
            await oldest.stop(0.0)
            self._gone(oldest)
        retiring = spawn(self._retire(process), name=f"old version of {process.plugin}")
        self._draining[process] = retiring
        retiring.add_done_callback(lambda done: None if done.cancelled() else self._gone(process))

    async def _retire(self, process: PluginProcess) -> None:
        """Let what runs in it end, for ten minutes, then stop it."""
        until_s = self._clock.monotonic_s() + RETIRE_S
        while process.conversation.busy and self._clock.monotonic_s() < until_s:
            await self._clock.sleep(LOOK_S)
        await process.stop()

    async def stop(self, plugin_id: str) -> None:
        """End all of one plugin, which has gone."""
        for process in self.of(plugin_id):
            self._draining[process].cancel()
            await process.stop()
            self._gone(process)

    def _gone(self, process: PluginProcess) -> None:
        self._draining.pop(process, None)
        self._changed()

    def leave(self) -> None:
        """Wait for none of them any more; whoever asks stops them."""
        for retiring in self._draining.values():
            retiring.cancel()
