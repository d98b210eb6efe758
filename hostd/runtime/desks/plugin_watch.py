"""Watching plugins: what a look finds changed since the look before, numbered, so that a watch can be resumed.

Which plugins there are is known from folders and processes, in memory, so nothing of it is written: a position is
(life of the daemon, number), and no position of another life is known. Who watches looks a few times a second, all of
them together; nobody looks while nobody watches.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Sequence
from typing import NamedTuple

import msgspec

from hostd.aio import Clock
from hostd.errors.base import HostdError, Kind
from hostd.model.plugin_changes import PluginChange, PluginChanges
from hostd.model.views import PluginView

LOOK_S = 0.25
BOOKMARK_S = 10.0
DELETED_MAX = 1_000
BATCH_MAX = 100  # a view holds up to a traceback and fifty lines


class _Seen(NamedTuple):
    """A plugin as it was last seen, and the numbers of when it came and last changed."""

    view: PluginView
    added: int
    changed: int


class PluginWatch:
    """Numbers what changes.

    Args:
        look: returns every plugin as it is now.
        life: tells this daemon from those before it.
        closed: says that the daemon stops.
        deleted_max: deletions that are remembered; a position older than one that is not is expired.
    """

    def __init__(
        self,
        *,
        look: Callable[[], Sequence[PluginView]],
        life: str,
        closed: Callable[[], bool],
        clock: Clock,
        deleted_max: int = DELETED_MAX,
    ) -> None:
        self._look = look
        self._life = life
        self._closed = closed
        self._clock = clock
        self._deleted_max = deleted_max
        self._number = 0
        self._seen: dict[str, _Seen] = {}
        self._deleted: OrderedDict[str, _Seen] = OrderedDict()  # oldest first
        self._forgotten = 0  # up to where deletions are not known any more
        self._looked_s: float | None = None

    async def watch(self, plugin_id: str, *, after: str) -> AsyncIterator[PluginChanges]:
        """Yield changes without end, of one plugin or (empty) all; a snapshot first, unless a position is given.

        Raises:
            HostdError: RESUME_TOKEN_EXPIRED, DRAINING.
        """
        self._refresh()
        told = self._resumed(after) if after else 0
        first = not after
        told_s = self._clock.monotonic_s()
        while True:
            changes = self._since(told, plugin_id, snapshot=first)
            told = self._number
            now_s = self._clock.monotonic_s()
            if changes or first or now_s - told_s >= BOOKMARK_S:
                told_s = now_s
                for batch in _batches(changes, f"{self._life}:{told}", snapshot_end=first):
                    yield batch
                first = False
            await self._clock.sleep(LOOK_S)
            if self._closed():
                raise HostdError(Kind.UNAVAILABLE, "DRAINING", "the daemon is stopping", retry_after_s=2.0)
            self._refresh()

    def _resumed(self, after: str) -> int:
        life, _, number = after.partition(":")
        if life != self._life or not number.isdecimal():
            message = "the daemon was started anew since; start the watch without a token"
            raise HostdError(Kind.STATE, "RESUME_TOKEN_EXPIRED", message)
        if int(number) < self._forgotten:
            message = "what was deleted since is not known any more; start the watch without a token"
            raise HostdError(Kind.STATE, "RESUME_TOKEN_EXPIRED", message)
        return int(number)

    def _since(self, told: int, plugin_id: str, *, snapshot: bool) -> list[PluginChange]:
        seen = [one for one in self._seen.values() if plugin_id in ("", one.view.id)]
        if snapshot:
            return [PluginChange("ADDED", one.view) for one in seen]
        found = [
            (one.changed, PluginChange("ADDED" if one.added > told else "MODIFIED", one.view))
            for one in seen
            if one.changed > told
        ]
        found += [
            (one.changed, PluginChange("DELETED", one.view))
            for one in self._deleted.values()
            if plugin_id in ("", one.view.id) and one.changed > told >= one.added
        ]
        return [change for _, change in sorted(found, key=lambda item: item[0])]

    # -- looking

    def _refresh(self) -> None:
        """Look at what there is, unless somebody just did, and number what is different."""
        now_s = self._clock.monotonic_s()
        if self._looked_s is not None and now_s - self._looked_s < LOOK_S / 2:
            return
        self._looked_s = now_s
        views = {view.id: view for view in self._look()}
        for plugin_id, view in views.items():
            self._see(plugin_id, view)
        for plugin_id in [name for name in self._seen if name not in views]:
            self._deleted[plugin_id] = self._seen.pop(plugin_id)._replace(changed=self._next())
        while len(self._deleted) > self._deleted_max:
            self._forgotten = self._deleted.popitem(last=False)[1].changed

    def _see(self, plugin_id: str, view: PluginView) -> None:
        before = self._seen.get(plugin_id)
        if before is None:
            self._deleted.pop(plugin_id, None)
            number = self._next()
            self._seen[plugin_id] = _Seen(view, number, number)
        else:
            changed = before.changed if _lasting(before.view) == _lasting(view) else self._next()
            self._seen[plugin_id] = _Seen(view, before.added, changed)

    def _next(self) -> int:
        self._number += 1
        return self._number


def _lasting(view: PluginView) -> PluginView:
    """Return a view without what changes with every attempt and every line: a watch would tell of nothing else."""
    if view.process is None:
        return view
    old = tuple(msgspec.structs.replace(one, attempts=0, triggers=0) for one in view.process.draining)
    process = msgspec.structs.replace(view.process, attempts=0, triggers=0, printed=(), draining=old)
    return msgspec.structs.replace(view, process=process)


def _batches(changes: list[PluginChange], position: str, *, snapshot_end: bool) -> list[PluginChanges]:
    parts = [changes[at : at + BATCH_MAX] for at in range(0, len(changes), BATCH_MAX)] or [[]]
    return [*map(PluginChanges, parts[:-1]), PluginChanges(parts[-1], position, snapshot_end)]
