"""Waiting for components that are not loaded yet, while a plugin that is starting may bring them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection

from hostd.aio import spawn
from hostd.host.process.changes import Changes
from hostd.host.registry import HostRegistry


class Coming:
    """Of a host, whose registry is replaced as plugins come; `tell` says that it was.

    `heard`: done once the plugins that were found at the start have had their say, or have been silent for too long.
    """

    def __init__(self, registry: Callable[[], HostRegistry]) -> None:
        self.heard: asyncio.Task[None] | None = None
        self._registry = registry
        self._changes = Changes("the registry")

    def tell(self) -> None:
        """Wake who waits: the registry was replaced."""
        self._changes.tell()

    def loaded(self, component: str) -> bool:
        """Say whether a component is there."""
        registry = self._registry()
        return registry.action(component) is not None or registry.trigger(component) is not None

    def awaited(self, component: str) -> bool:
        """Say whether a component is not there, and may come."""
        return not self.loaded(component) and self._registry().may_come(component)

    def absence(self, component: str) -> str:
        """Return which plugins may have a component that is not loaded, and why they do not serve; empty for none."""
        return self._registry().absence(component)

    async def settled(self, components: Collection[str]) -> None:
        """Return when each is there, or no plugin that is starting may bring it."""
        while any(self.awaited(one) for one in components):
            await self._changes.wait()

    async def at_start(self, components: Collection[str]) -> bool:
        """Wait for what plugins that were found at the start may still bring; say whether to look again.

        Who comes later, or finds a plugin silent that had its time, does not wait.
        """
        if any(map(self.loaded, components)):
            return True
        heard = self.heard
        if heard is None or heard.done() or not any(map(self.awaited, components)):
            return False
        settled = spawn(self.settled(components), name="components of starting plugins")
        try:
            await asyncio.wait([settled, heard], return_when=asyncio.FIRST_COMPLETED)
        finally:
            settled.cancel()
        return True

    def close(self) -> None:
        """Nothing comes any more: who waits is let go."""
        if self.heard is not None:
            self.heard.cancel()
