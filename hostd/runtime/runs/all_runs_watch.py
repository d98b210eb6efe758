"""One watch over all runs: what is in the journal first, then what becomes durable, with no gap and nothing told twice.

    catching up (reads of the journal) -> news of our own, up to where those reads looked -> the group of our filter

A position stands for everything up to it; notices up to the position where the journal was last read are dropped.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from hostd.model.filters import Filter
from hostd.model.views import RunChanges
from hostd.runtime.runs.catching_up import CatchingUp
from hostd.runtime.runs.watch import Hub
from hostd.runtime.runs.watch_groups import TAKE_MAX, Follower, Group, Groups, Sight

BOOKMARK_S = 10.0


class AllRunsWatch:
    """Yields once what one watch is told; `close` when it is over."""

    def __init__(
        self, namespace: str, tree: Filter | None, *, hub: Hub, groups: Groups, sight: Sight, journal: CatchingUp
    ) -> None:
        self._name = (namespace, tree)
        self._hub = hub
        self._groups = groups
        self._sight = sight
        self._journal = journal
        self._pos = 0
        self._subscription = hub.subscribe()
        self._follower: Follower | None = None

    def close(self) -> None:
        """Stop listening; may be called twice."""
        if self._follower is not None:
            self._follower.close()  # the group has our subscription, or we have closed it
        else:
            self._subscription.close()

    async def resumed(self, after: int, *, token: int) -> AsyncIterator[RunChanges]:
        """Yield what came behind a position, and then news. Raises RESUME_TOKEN_EXPIRED.

        Args:
            token: where it all began. What retention took behind it meanwhile may not have been told.
        """
        self._pos = after
        await self._journal.prime()
        async for batch in self._journal.missed(after, all_of_it=True):
            self._pos = batch.position
            if batch.changes:
                yield batch
        await self._journal.first_pos(token)
        yield RunChanges([], self._pos)
        async for batch in self._news():
            yield batch

    async def begun(self, *, snapshot: bool) -> AsyncIterator[RunChanges]:
        """Yield the runs that there are, if they are asked for, and then news."""
        self._pos = await self._journal.last_pos()
        if snapshot:
            async for page in self._journal.snapshot():
                yield page
        else:
            await self._journal.prime()
        yield RunChanges([], self._pos, snapshot_end=True)
        async for batch in self._news():
            yield batch

    async def _news(self) -> AsyncIterator[RunChanges]:
        self._sight.members.seen.clear()
        settled = await self._journal.last_pos()  # what was read says nothing of what lies behind
        while self._pos < settled or self._subscription.slow:  # who is too slow is told what waits, then why it ends
            batch = await self._own()
            if batch.changes:
                yield batch
        batch = await self._join()
        if batch.changes:
            yield batch
        while True:
            yield await self._shared()

    async def _own(self) -> RunChanges:
        """Return news that we looked through by ourselves."""
        news = await self._subscription.take(TAKE_MAX)
        changes = await self._sight.changes([notice for notice in news if notice.pos > self._pos])
        self._pos = max(self._pos, news[-1].last_pos)
        return RunChanges(changes, self._pos)

    async def _join(self) -> RunChanges:
        """Join the group of our filter, or make it; return what we have to be told to stand where it stands."""
        while True:
            group = self._groups.find(self._name)
            if group is None:
                return self._make()
            await group.reach(self._pos)
            if not group.over:
                return await self._step_in(group)

    def _make(self) -> RunChanges:
        """Make the group, which goes on from where we stand with what we know."""
        self._subscription.take_to(self._pos)  # told already
        group = self._groups.make(self._name, self._sight, subscription=self._subscription, pos=self._pos)
        self._follower = group.join()
        return RunChanges([], self._pos)

    async def _step_in(self, group: Group) -> RunChanges:
        """Join a group, which is no less far than we are."""
        self._follower = group.join()
        told, self._pos = self._pos, group.position
        news = self._subscription.take_to(self._pos)
        self._subscription.close()
        changes = await self._sight.changes([notice for notice in news if notice.pos > told])
        self._sight = group.sight
        return RunChanges(changes, self._pos)

    async def _shared(self) -> RunChanges:
        """Return what our group has for us; nothing but a position where that is all that came for a while."""
        follower = self._follower
        assert follower is not None  # noqa: S101 it has joined
        while True:
            try:
                async with asyncio.timeout(BOOKMARK_S):
                    batch = await follower.take()
            except TimeoutError:
                batch = RunChanges([], follower.idle_position())
            if batch.position > self._pos:
                self._pos = batch.position
                return batch
