"""Triggers that could not begin because another answers their path, until that one lets it go.

                     holder lets go (paused, deleted, ended, failed, closed the path, replaced by what answers another)
    refused -> waits behind its holder ----------------------------------------------------> begins, one at a time

A holder that comes back (it is tried again, replaced, or begins anew) keeps what it held: nobody takes its path
meanwhile. Who waits longest for a holder is first, and whoever waits too waits behind that one from then on; one that
was tried once more without need (`again`) is last.
"""

from __future__ import annotations

import asyncio

from hostd.host.routes import PathTakenError, RouteEntry, RouteTable
from hostd.runtime.triggers.live_triggers import LiveTriggers
from hostd.runtime.triggers.trigger_live import LivePart, Name


class _Wait:
    """One that waits. `again`: it is to be tried once more, whether or not its path is free."""

    __slots__ = ("again", "behind", "future", "live", "taken")

    def __init__(self, live: LivePart, taken: PathTakenError) -> None:
        self.live = live
        self.taken = taken
        self.behind: Name = ("", "", "")
        self.future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.again = False


class PathWaits:
    """Knows who waits behind whom. A change of a trigger that nobody waits for costs a look into a mapping."""

    def __init__(self, routes: RouteTable, live: LiveTriggers) -> None:
        self._routes = routes
        self._live = live
        self._behind: dict[Name, dict[LivePart, _Wait]] = {}
        self._waiting: dict[LivePart, _Wait] = {}
        live.hear(self._look)
        routes.freed = self._freed

    async def freed(self, live: LivePart, taken: PathTakenError) -> None:
        """Return when a trigger that was refused a path is to begin again. Cancelled, it waits no more."""
        wait = self._waiting[live] = _Wait(live, taken)
        self._put(wait, _holder(taken.holder))
        self._look(wait.behind)
        try:
            await wait.future
        finally:
            del self._waiting[live]
            self._take(wait)

    def waits(self, live: LivePart) -> bool:
        """Say whether a trigger waits for its path."""
        return live in self._waiting

    def again(self, live: LivePart) -> None:
        """Let a trigger that waits begin once more, as soon as its holder is not on the way back."""
        wait = self._waiting[live]
        wait.again = True
        self._look(wait.behind)

    def _freed(self, entry: RouteEntry) -> None:
        """A trigger that has ended says in the same breath whether it comes back: that is looked at, so not before."""
        asyncio.get_running_loop().call_soon(self._look, _holder(entry))

    def _look(self, holder: Name) -> None:
        """Let the first begin whose path is free now that its holder changed; the others wait behind who is next."""
        if holder not in self._behind:
            return
        held_by = self._live.get(holder)
        if held_by is not None and held_by.keeps_paths:
            return
        first: _Wait | None = None
        for wait in [wait for wait in self._behind.pop(holder).values() if not wait.future.done()]:
            entry = self._routes.in_the_way(*wait.taken.wanted)
            if first is None and (entry is None or wait.again):
                first = wait
            elif entry is not None:
                self._put(wait, _holder(entry))
            elif first is not None:
                self._put(wait, first.live.name)
        if first is not None:
            first.live.start()
            first.future.set_result(None)

    def _put(self, wait: _Wait, holder: Name) -> None:
        wait.behind = holder
        self._behind.setdefault(holder, {})[wait.live] = wait

    def _take(self, wait: _Wait) -> None:
        """Take one out that waits no more, where it was not let go."""
        waits = self._behind.get(wait.behind, {})
        if waits.get(wait.live) is wait:
            del waits[wait.live]
            if not waits:
                del self._behind[wait.behind]


def _holder(entry: RouteEntry) -> Name:
    """Return which trigger answers a path."""
    workflow, _, name = entry.owner.rpartition("/")
    return (entry.namespace, workflow, name)
