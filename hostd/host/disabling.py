"""Which plugins are disabled: kept from serving by somebody, through restarts, until they are enabled."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from hostd.aio import to_its_end

Change = Callable[[set[str]], set[str]]
Write = Callable[[set[str]], Awaitable[None]]
"""Writes down the ids of all that are disabled. Raises HostdError where it cannot: nothing is changed then."""


class Disabled:
    """Their `ids`, a set that is changed in place: the operator's choices (`Choices.disabled`) look at it.

    `heed` is called with a plugin whose change was written down. One change at a time, each brought to its end.
    """

    def __init__(self, heed: Callable[[str], Awaitable[None]]) -> None:
        self.ids: set[str] = set()
        self._heed = heed
        self._turn = asyncio.Lock()

    async def add(self, plugin_id: str, write: Write) -> None:
        """Disable a plugin."""
        await to_its_end(self._change(plugin_id, self.ids.union, write), name=f"disable {plugin_id}")

    async def discard(self, plugin_id: str, write: Write) -> None:
        """Disable it no more."""
        await to_its_end(self._change(plugin_id, self.ids.difference, write), name=f"enable {plugin_id}")

    async def _change(self, plugin_id: str, change: Change, write: Write) -> None:
        async with self._turn:
            ids = change({plugin_id})
            await write(ids)
            self.ids.intersection_update(ids)
            self.ids.update(ids)
            await self._heed(plugin_id)
