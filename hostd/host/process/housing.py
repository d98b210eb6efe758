"""Where a plugin's process comes from: another of its group has started one, or it starts one itself, in its turn."""

from __future__ import annotations

import asyncio
import logging

from hostd.host.process.changes import Changes
from hostd.host.process.child import Child
from hostd.host.process.groups import Lodger
from hostd.host.process.home import ProcessHome
from hostd.host.process.nursery import Nursery
from hostd.host.process.start_queue import Place

_log = logging.getLogger("hostd.host.process")


class Housing:
    """Of one plugin."""

    def __init__(self, lodger: Lodger, nursery: Nursery, home: ProcessHome, changes: Changes) -> None:
        self.group = home.sharing.group_of(lodger.plugin)
        self.queued = False  # it waits for its turn to start
        self._lodger = lodger
        self._nursery = nursery
        self._sharing = home.sharing
        self._changes = changes

    def enter(self) -> None:
        """The plugin is there, and may be put together with others."""
        if self.group is not None:
            self.group.enter(self._lodger)

    def leave(self) -> None:
        """It comes no more."""
        if self.group is not None:
            self.group.leave(self._lodger)

    def went(self) -> None:
        """Its process is gone."""
        if self.group is not None:
            self.group.went()

    async def its_turn(self, place: Place, leaving: asyncio.Event) -> bool:
        """Wait for one's turn; return whether it came before somebody said to leave."""
        self.queued = True
        try:
            while not place.granted.done() and not leaving.is_set():
                await self._changes.either(place.granted)
        finally:
            self.queued = False
        if place.granted.done():
            return True
        leaving.clear()
        return False

    def reserve(self, child: Child) -> None:
        """Another of the group has started a process with this plugin inside."""
        self._nursery.reserved = child
        self._sharing.move_in(child, self._lodger)
        try:
            self._nursery.note(child)
        except OSError as error:  # the next daemon will not find it; it ends by itself then
            _log.warning("plugin_note_lost plugin=%s error=%s", self._lodger.plugin, error)

    def reserved(self) -> Child | None:
        """Return the process that another of the group has started for this plugin, too."""
        reserved, self._nursery.reserved = self._nursery.reserved, None
        return reserved

    async def drop_reserved(self) -> None:
        """It goes before it came: a process in which nobody else lives is ended."""
        reserved = self.reserved()
        if reserved is not None and self._sharing.move_out(reserved, self._lodger):
            await reserved.stop()

    async def start(self) -> Child:
        """Start a process, in a group for all of it that have none. Raises OSError."""
        if self.group is None:
            child = await self._nursery.start()
            self._sharing.move_in(child, self._lodger)
            return child
        async with self.group.turn:
            lodgers = await self.group.gathered(self._lodger)
            if (reserved := self.reserved()) is not None:
                return reserved
            child = await self._nursery.start(lodgers)
            self._sharing.move_in(child, self._lodger)
            for lodger in lodgers[1:]:
                lodger.summon(child)
            return child
