"""Watching triggers: what a look finds changed since the look before, numbered, so that a watch can be resumed.

While anybody watches, note is taken of which triggers are told to be different; a few times a second these are looked
at, for all watches together. The first look is at all. A position is (life of the daemon, number): it holds in later
lives too. There a trigger that its holder knew is MODIFIED (it began anew with the daemon), or DELETED, and any other
ADDED: which ones were told of is durable before they are, see trigger_roster.py.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping, Set
from contextlib import aclosing, contextmanager
from typing import NamedTuple, TypeAlias

from hostd.aio import Clock
from hostd.errors.base import HostdError, Kind
from hostd.model.views import TriggerChange, TriggerChanges, TriggerView
from hostd.runtime.triggers.trigger_live import Name
from hostd.runtime.triggers.trigger_roster import NEVER, Begun, Entry, Revision, TriggerRoster

LOOK_S = 0.25
BOOKMARK_S = 10.0
DELETED_MAX = 10_000
BATCH_MAX = 500


Look: TypeAlias = Callable[[Set[Name] | None], Mapping[Name, TriggerView] | None]


class _Seen(NamedTuple):
    """A trigger as it was last seen."""

    view: TriggerView
    added: Revision
    changed: Revision


class TriggerWatch:
    """Numbers what changes.

    Args:
        look: returns those triggers of these names that are there, as they are now, without names all of every
            namespace; None while they are not started, or stop.
        closed: says that the daemon stops.
        deleted_max: deletions that are remembered; a token older than one that is not is expired.
    """

    def __init__(
        self,
        *,
        look: Look,
        roster: TriggerRoster,
        closed: Callable[[], bool],
        clock: Clock,
        deleted_max: int = DELETED_MAX,
    ) -> None:
        self._look = look
        self._roster = roster
        self._closed = closed
        self._clock = clock
        self._deleted_max = deleted_max
        self._life = 0
        self._number = 0
        self._watching = 0
        self._touched: set[Name] | None = None  # since the last look; None: nobody took note
        self._seen: OrderedDict[Name, _Seen] = OrderedDict()  # what changed last comes last
        self._deleted: OrderedDict[Name, _Seen] = OrderedDict()  # oldest first
        self._forgotten = NEVER  # up to where deletions are not known any more
        self._looked_s: float | None = None
        self._looking = asyncio.Lock()

    def touch(self, name: Name) -> None:
        """Take note that a trigger may be different, for the next look."""
        if self._touched is not None:
            self._touched.add(name)

    async def watch(self, namespace: str, workflow: str, *, after: str) -> AsyncIterator[TriggerChanges]:
        """Yield changes without end; a snapshot first, unless a position is given.

        Raises:
            HostdError: RESUME_TOKEN_EXPIRED, DRAINING, JOURNAL_*.
        """

        with self._watched():
            async with aclosing(self._changes(namespace, workflow, after=after)) as batches:
                async for batch in batches:
                    yield batch

    @contextmanager
    def _watched(self) -> Iterator[None]:
        self._watching += 1
        try:
            yield
        finally:
            self._watching -= 1
            if not self._watching:
                self._touched = None  # nobody takes note any more

    async def _changes(self, namespace: str, workflow: str, *, after: str) -> AsyncGenerator[TriggerChanges, None]:
        def concerns(name: Name) -> bool:
            return name[0] == namespace and workflow in ("", name[1])

        while not await self._refresh():
            await self._pause()
        told = self._resumed(after) if after else NEVER
        first = not after
        told_s = self._clock.monotonic_s()
        while True:
            changes = self._since(told, concerns, snapshot=first)
            told = self._position
            now_s = self._clock.monotonic_s()
            if changes or first or now_s - told_s >= BOOKMARK_S:
                told_s = now_s
                for batch in _batches(changes, told, snapshot_end=first):
                    yield batch
                first = False
            await self._pause()
            await self._refresh()

    async def _pause(self) -> None:
        await self._clock.sleep(LOOK_S)
        if self._closed():
            raise HostdError(Kind.UNAVAILABLE, "DRAINING", "the daemon is stopping", retry_after_s=2.0)

    @property
    def _position(self) -> Revision:
        return (self._life, self._number)

    def _resumed(self, after: str) -> Revision:
        life, _, number = after.partition(":")
        place = (int(life), int(number)) if life.isdecimal() and number.isdecimal() else NEVER
        if not self._forgotten <= place <= self._position or place == NEVER:
            message = "what was deleted since is not known any more; start the watch without a token"
            raise HostdError(Kind.STATE, "RESUME_TOKEN_EXPIRED", message)
        return place

    def _since(self, told: Revision, concerns: Callable[[Name], bool], *, snapshot: bool) -> list[TriggerChange]:
        if snapshot:
            return [TriggerChange("ADDED", self._seen[name].view) for name in sorted(self._seen) if concerns(name)]
        found: list[tuple[Revision, TriggerChange]] = []
        for name, seen in _behind(self._seen, told):
            if concerns(name):
                found.append((seen.changed, TriggerChange("ADDED" if seen.added > told else "MODIFIED", seen.view)))
        for name, seen in _behind(self._deleted, told):
            if concerns(name) and told >= seen.added:
                found.append((seen.changed, TriggerChange("DELETED", seen.view)))
        return [change for _, change in sorted(found, key=lambda item: item[0])]

    # -- looking

    async def _refresh(self) -> bool:
        """Look at what there is, unless somebody just did; say whether triggers could be seen."""
        async with self._looking:
            now_s = self._clock.monotonic_s()
            if self._looked_s is not None and now_s - self._looked_s < LOOK_S / 2:
                return True
            touched = self._touched
            views = self._look(touched)
            if views is None:
                return False
            self._touched = set()
            try:
                if not self._life:
                    self._recall(await self._roster.begin())
                await self._compare(views, self._seen.keys() if touched is None else touched)
            except BaseException:
                self._touched = None  # what was not taken in is found by a look at all
                raise
            self._looked_s = now_s
            return True

    def _recall(self, begun: Begun) -> None:
        """Know what was told in the lives before."""
        self._life, self._forgotten = begun.life, begun.forgotten
        for name, entry in sorted(begun.entries.items(), key=lambda item: (item[1].gone, item[1].added)):
            view = TriggerView(*name, entry.uses, "UNSPECIFIED", version=entry.version, target=entry.target)
            if entry.gone == NEVER:
                self._seen[name] = _Seen(view, entry.added, entry.added)
            else:
                self._deleted[name] = _Seen(view, entry.added, entry.gone)

    async def _compare(self, views: Mapping[Name, TriggerView], looked_at: Set[Name]) -> None:
        """Number what is different from what was seen; who came or went is durable before anybody is told.

        Args:
            looked_at: names, of which those without a view are gone.
        """
        come = {name: _Seen(view, *[self._next()] * 2) for name, view in views.items() if name not in self._seen}
        left = [name for name in looked_at if name in self._seen and name not in views]
        gone = {name: self._seen[name]._replace(changed=self._next()) for name in left}
        if come or gone:
            await self._note(come, gone)
        self._seen |= come
        for name, view in views.items():
            if self._seen[name].view != view:
                self._seen[name] = _Seen(view, self._seen[name].added, self._next())
                self._seen.move_to_end(name)
        for name, seen in gone.items():
            del self._seen[name]
            self._deleted[name] = seen

    async def _note(self, come: dict[Name, _Seen], gone: dict[Name, _Seen]) -> None:
        kept = [name for name in self._deleted if name not in come]
        dropped = kept[: max(0, len(kept) + len(gone) - self._deleted_max)]
        forgotten = max((self._deleted[name].changed for name in dropped), default=self._forgotten)
        changed = {name: _entry(seen, NEVER) for name, seen in come.items()}
        changed |= {name: _entry(seen, seen.changed) for name, seen in gone.items()}
        await self._roster.note(self._life, forgotten, changed, dropped)
        self._forgotten = forgotten
        for name in [*dropped, *(name for name in come if name in self._deleted)]:
            del self._deleted[name]

    def _next(self) -> Revision:
        self._number += 1
        return self._position


def _behind(seen: OrderedDict[Name, _Seen], told: Revision) -> Iterator[tuple[Name, _Seen]]:
    """Yield what changed behind a position, the last first."""
    for name in reversed(seen):
        if seen[name].changed <= told:
            return
        yield name, seen[name]


def _entry(seen: _Seen, gone: Revision) -> Entry:
    view = seen.view
    return Entry(seen.added, gone, view.uses, view.version, view.target)


def _batches(changes: list[TriggerChange], position: Revision, *, snapshot_end: bool) -> list[TriggerChanges]:
    parts = [changes[at : at + BATCH_MAX] for at in range(0, len(changes), BATCH_MAX)] or [[]]
    place = f"{position[0]}:{position[1]}"
    return [*map(TriggerChanges, parts[:-1]), TriggerChanges(parts[-1], place, snapshot_end)]
