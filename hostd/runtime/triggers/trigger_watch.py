"""Watching triggers: what a look finds changed since the look before, numbered, so that a watch can be resumed.

A trigger's state lives in memory, so nothing tells of a change; who watches looks a few times a second, all of them
together. A position is (instance, revision): it holds while this daemon runs, a deleted trigger is remembered for a
while.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Sequence
from typing import NamedTuple

from hostd.aio import Clock
from hostd.errors.base import HostdError, Kind
from hostd.model.views import TriggerChange, TriggerChanges, TriggerView
from hostd.runtime.triggers.trigger_live import Name

LOOK_S = 0.25
BOOKMARK_S = 10.0
DELETED_MAX = 10_000
BATCH_MAX = 500


class _Seen(NamedTuple):
    """A trigger as it was last seen; `added` and `changed` are revisions."""

    view: TriggerView
    added: int
    changed: int


class TriggerWatch:
    """Numbers what changes.

    Args:
        look: returns every trigger of every namespace as it is now.
        closed: says that the daemon stops.
    """

    def __init__(
        self, *, look: Callable[[], Sequence[TriggerView]], closed: Callable[[], bool], clock: Clock, instance: str
    ) -> None:
        self._look = look
        self._closed = closed
        self._clock = clock
        self._instance = instance
        self._seen: dict[Name, _Seen] = {}
        self._deleted: OrderedDict[Name, _Seen] = OrderedDict()
        self._revision = 0
        self._forgotten = 0  # revision up to which deletions are not known any more
        self._looked_s = -LOOK_S

    async def watch(self, namespace: str, workflow: str, *, after: str) -> AsyncIterator[TriggerChanges]:
        """Yield changes without end; a snapshot first, unless a position is given.

        Raises:
            HostdError: RESUME_TOKEN_EXPIRED, DRAINING.
        """

        def concerns(name: Name) -> bool:
            return name[0] == namespace and workflow in ("", name[1])

        self._refresh()
        told = self._resumed(after) if after else 0
        first = not after
        told_s = self._clock.monotonic_s()
        while True:
            changes = self._since(told, concerns, snapshot=first)
            told = self._revision
            now_s = self._clock.monotonic_s()
            if changes or first or now_s - told_s >= BOOKMARK_S:
                told_s = now_s
                for batch in self._batches(changes, snapshot_end=first):
                    yield batch
                first = False
            await self._clock.sleep(LOOK_S)
            if self._closed():
                raise HostdError(Kind.UNAVAILABLE, "DRAINING", "the daemon is stopping", retry_after_s=2.0)
            self._refresh()

    def _batches(self, changes: list[TriggerChange], *, snapshot_end: bool) -> list[TriggerChanges]:
        parts = [changes[at : at + BATCH_MAX] for at in range(0, len(changes), BATCH_MAX)] or [[]]
        position = f"{self._instance}:{self._revision}"
        return [*map(TriggerChanges, parts[:-1]), TriggerChanges(parts[-1], position, snapshot_end)]

    def _resumed(self, after: str) -> int:
        instance, _, revision = after.partition(":")
        if instance != self._instance or not revision.isdigit() or not self._forgotten <= int(revision):
            message = "the daemon was started again, or the token is too old; start the watch without a token"
            raise HostdError(Kind.STATE, "RESUME_TOKEN_EXPIRED", message)
        return int(revision)

    def _since(self, told: int, concerns: Callable[[Name], bool], *, snapshot: bool) -> list[TriggerChange]:
        found: list[tuple[int, TriggerChange]] = []
        for name, seen in self._seen.items():
            if concerns(name) and (snapshot or seen.changed > told):
                kind = TriggerChange("ADDED" if snapshot or seen.added > told else "MODIFIED", seen.view)
                found.append((seen.changed, kind))
        if not snapshot:
            for name, seen in self._deleted.items():
                if concerns(name) and seen.changed > told >= seen.added:
                    found.append((seen.changed, TriggerChange("DELETED", seen.view)))
        if snapshot:
            return [change for _, change in found]
        return [change for _, change in sorted(found, key=lambda item: item[0])]

    def _refresh(self) -> None:
        now_s = self._clock.monotonic_s()
        if now_s - self._looked_s < LOOK_S / 2:
            return
        self._looked_s = now_s
        views = {(view.namespace, view.workflow, view.name): view for view in self._look()}
        for name, view in views.items():
            before = self._seen.get(name)
            if before is None or before.view != view:
                self._revision += 1
                added = self._revision if before is None else before.added
                self._seen[name] = _Seen(view, added, self._revision)
                self._deleted.pop(name, None)
        for name in [name for name in self._seen if name not in views]:
            self._revision += 1
            gone = self._seen.pop(name)
            self._deleted[name] = gone._replace(changed=self._revision)
        while len(self._deleted) > DELETED_MAX:
            _, oldest = self._deleted.popitem(last=False)
            self._forgotten = oldest.changed
