"""Watches that share a filter: news are looked through once for all of them, and all are handed the same batch.

    hub -> Subscription -> Group (rows, membership, one RunChanges a batch) -> Follower -> one watch each

A watch joins once it has caught up with the journal: from there on what its filter holds is what the group's holds. The
first one makes the group and gives it what it knows. Batches that a slow follower has not taken are made one batch.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence

from hostd.aio import spawn
from hostd.errors.base import HostdError
from hostd.model.filters import Filter
from hostd.model.views import ChangeWord, RunChange, RunChanges, RunView
from hostd.runtime.runs import watch
from hostd.runtime.runs.run_membership import Membership
from hostd.runtime.runs.run_rows import RunRows, latest_of
from hostd.runtime.runs.watch import Gone, News, Subscription, stopping, too_slow

TAKE_MAX = 1_000
CHANGE_BYTES = 1_024  # about what a change costs in memory and on the wire together, beside its labels


class Sight:
    """What a filter shows of a namespace: turns news into changes."""

    def __init__(self, namespace: str, members: Membership, rows: RunRows) -> None:
        self._namespace = namespace
        self._rows = rows
        self.members = members

    async def changes(self, news: Sequence[News]) -> list[RunChange]:
        """Return one change a run at most, in the order of each run's last news."""
        latest = latest_of(news, self._namespace)
        if not latest:
            return []
        rows = await self._rows.now(latest, self._namespace)
        changes: list[RunChange] = []
        for key, run in latest.items():
            row = rows.get(key)
            if row is None:
                continue
            look = self.members.gone if isinstance(run.news, Gone) else self.members.change
            word = look(row, begins=run.begins is not None)
            if word is not None:
                changes.append(run.news.told(word, row))
        return changes


class Follower:
    """One watch of a group: the batches it has not taken yet, bounded by count and bytes."""

    def __init__(self, group: Group) -> None:
        self.group = group
        self._batches: deque[tuple[RunChanges, int]] = deque()
        self._count = 0
        self._bytes = 0
        self._ready = asyncio.Event()
        self._error: BaseException | None = None

    def put(self, batch: RunChanges, size_bytes: int) -> None:
        """Queue a batch; past the bounds no more is taken and the watch ends behind what waits."""
        if self._error is not None:
            return
        count, in_all = self._count + len(batch.changes), self._bytes + size_bytes
        if self._batches and (count > watch.QUEUE_CHANGES_MAX or in_all > watch.QUEUE_BYTES_MAX):
            self.end(too_slow())
            return
        self._batches.append((batch, size_bytes))
        self._count, self._bytes = count, in_all
        self._ready.set()

    def end(self, error: BaseException) -> None:
        """Take nothing more; who has taken all is told why."""
        if self._error is None:
            self._error = error
        self._ready.set()

    async def take(self) -> RunChanges:
        """Return what waits, a change a run at most. Raises HostdError WATCH_TOO_SLOW, DRAINING."""
        while not self._batches:
            if self._error is not None:
                raise self._error
            self._ready.clear()
            await self._ready.wait()
        taken = [self._first()]
        count = len(taken[0].changes)
        while self._batches and count + len(self._batches[0][0].changes) <= TAKE_MAX:
            taken.append(self._first())
            count += len(taken[-1].changes)
        return taken[0] if len(taken) == 1 else RunChanges(merged(taken), taken[-1].position)

    def idle_position(self) -> int:
        """Return the position up to which there is nothing to tell; 0 while something waits."""
        return 0 if self._batches else self.group.position

    def _first(self) -> RunChanges:
        batch, size_bytes = self._batches.popleft()
        self._count -= len(batch.changes)
        self._bytes -= size_bytes
        return batch

    def close(self) -> None:
        """Leave the group; may be called twice."""
        self._batches.clear()
        self.group.leave(self)


class Group:
    """All watches of one filter over one namespace that have caught up. `position`: what they have been handed."""

    def __init__(self, groups: Groups, name: GroupName, sight: Sight, *, subscription: Subscription, pos: int) -> None:
        self._groups = groups
        self.sight = sight
        self._subscription = subscription
        self._followers: set[Follower] = set()
        self._reached: list[tuple[int, asyncio.Future[None]]] = []
        self.name = name
        self.position = pos
        self.over = False
        self._error: BaseException | None = None
        self._task = spawn(self._run(), name="watch-group")
        self._task.add_done_callback(self._ended)

    async def _run(self) -> None:
        try:
            while True:
                await self._hand_on(await self._subscription.take(TAKE_MAX))
        except HostdError as error:  # the daemon stops, or the group did not keep up
            self._error = error

    async def _hand_on(self, news: Sequence[News]) -> None:
        changes = await self.sight.changes(news)
        self.position = max(self.position, news[-1].last_pos)
        if changes:
            batch, size_bytes = RunChanges(changes, self.position), _size_of(changes)
            for follower in self._followers:
                follower.put(batch, size_bytes)
        if self._reached:
            self._tell_reached()

    def _tell_reached(self) -> None:
        for pos, future in self._reached:
            if pos <= self.position and not future.done():
                future.set_result(None)
        self._reached = [(pos, future) for pos, future in self._reached if not future.done()]

    def _ended(self, task: asyncio.Task[None]) -> None:
        """Tell everybody: the daemon stops, the group fell behind, or a mistake of ours."""
        self.stop()
        error = self._error or (None if task.cancelled() else task.exception()) or stopping()
        for follower in self._followers:
            follower.end(error)

    async def reach(self, pos: int) -> None:
        """Wait until all up to a position has been looked through, or the group is over."""
        if self.over or self.position >= pos:
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._reached.append((pos, future))
        await future

    def join(self) -> Follower:
        """Return a new follower; it gets what lies behind `position`."""
        follower = Follower(self)
        self._followers.add(follower)
        return follower

    def leave(self, follower: Follower) -> None:
        """Forget a follower; without any the group ends."""
        self._followers.discard(follower)
        if not self._followers:
            self.stop()

    def stop(self) -> None:
        """End; may be called twice."""
        if self.over:
            return
        self.over = True
        self._groups.forget(self)
        self._subscription.close()
        self._task.cancel()
        for _, future in self._reached:
            if not future.done():
                future.set_result(None)


GroupName = tuple[str, Filter | None]
"""A namespace and a filter."""


class Groups:
    """The groups there are."""

    def __init__(self) -> None:
        self._by_name: dict[GroupName, Group] = {}

    def __len__(self) -> int:
        return len(self._by_name)

    def find(self, name: GroupName) -> Group | None:
        """Return the group of a filter."""
        return self._by_name.get(name)

    def make(self, name: GroupName, sight: Sight, *, subscription: Subscription, pos: int) -> Group:
        """Make the group of a filter from what its first watch knows; it takes the subscription over."""
        group = self._by_name[name] = Group(self, name, sight, subscription=subscription, pos=pos)
        return group

    def forget(self, group: Group) -> None:
        """Forget a group that is over."""
        if self._by_name.get(group.name) is group:
            del self._by_name[group.name]


def merged(batches: Iterable[RunChanges]) -> list[RunChange]:
    """Return batches as one: what a run was before the first and is after the last says what happened to it."""
    latest: dict[str, tuple[bool, RunChange]] = {}
    for batch in batches:
        for change in batch.changes:
            known = latest.pop(change.run.run_id, None)
            was_inside = change.kind != "ADDED" if known is None else known[0]
            if was_inside or change.kind != "DELETED":
                latest[change.run.run_id] = (was_inside, change)
    return [_as(_word(was_inside, change), change) for was_inside, change in latest.values()]


def _word(was_inside: bool, change: RunChange) -> ChangeWord:
    if change.kind == "DELETED":
        return "DELETED"
    return "MODIFIED" if was_inside else "ADDED"


def _as(word: ChangeWord, change: RunChange) -> RunChange:
    return change if change.kind == word else RunChange(word, change.run)


def _size_of(changes: Iterable[RunChange]) -> int:
    return sum(CHANGE_BYTES + _labels_bytes(change.run) for change in changes)


def _labels_bytes(run: RunView) -> int:
    return sum(len(name) + len(value) for name, value in run.labels.items()) if run.labels else 0
