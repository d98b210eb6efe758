"""Watching runs. Of one run a bell only wakes: the records are read from the journal, a slow consumer loses nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing

import msgspec

from hostd.errors.base import HostdError, Kind
from hostd.model.filters import Filter
from hostd.model.ids import text_id
from hostd.model.requests import RunRef
from hostd.model.states import RunState, run_is_final
from hostd.model.views import RunChanges, RunRecords
from hostd.runtime.runs.all_runs_watch import AllRunsWatch
from hostd.runtime.runs.catching_up import CatchingUp
from hostd.runtime.runs.run_membership import Membership
from hostd.runtime.runs.run_reads import RunReads, RunRooms, run_held
from hostd.runtime.runs.run_rows import RunRows
from hostd.runtime.runs.watch_groups import Groups, Sight

RECORDS_BYTES_MAX = 64 * 1024  # what a consumer does not read is held


class RunWatch(RunReads):
    """Watches over one run or many."""

    def __init__(self, rooms: RunRooms) -> None:
        super().__init__(rooms)
        self._groups = Groups()
        self._rows = RunRows(rooms.journal, rooms.readers)

    # -- one run

    async def watch(self, namespace: str, ref: RunRef, *, from_seq: int) -> AsyncIterator[RunRecords]:
        """Yield a run's records from `from_seq` on; the last item holds the run.

        Raises RUN_MISSING, RUN_STATE once it is held, DRAINING.
        """
        key = (await self.find(namespace, ref)).run
        named = await self._named(key)
        bell = self._rooms.hub.bell(key)
        try:
            while True:
                row = await self.find(namespace, named)
                records = await self._read(self._records, row, from_seq, RECORDS_BYTES_MAX)
                from_seq = records.next_seq
                ended = run_is_final(row.state) and not records.more
                if ended:
                    run = await self.get(namespace, named)
                    yield msgspec.structs.replace(records, run=run)
                    return
                if records.items:
                    yield records
                if row.state == RunState.HELD and not records.more:
                    raise run_held(row)
                if not records.more:
                    await bell.wait()
        finally:
            bell.close()

    async def _named(self, key: int) -> RunRef:
        """Return a run by its id: a key may come to mean another run."""
        row = await self._read(self._journal.run_row, key)
        if row is None:
            raise HostdError(Kind.MISSING, "RUN_MISSING", "the run is gone")
        return RunRef(text_id(row.run_id))

    # -- all runs

    async def watch_all(
        self, namespace: str, tree: Filter | None, *, after: int | None, snapshot: bool
    ) -> AsyncIterator[RunChanges]:
        """Yield changes of runs seen through a filter; see the port."""
        members, rooms = Membership(tree), self._rooms
        journal = CatchingUp(namespace, tree, members, journal=self._journal, readers=rooms.readers, plans=self._plans)
        token = after or 0
        if after is not None:
            after = await journal.first_pos(after)
            async for batch in journal.missed(after, all_of_it=False):  # long ago, before anything is queued for us
                after = batch.position
                if batch.changes:
                    yield batch
        sight = Sight(namespace, members, self._rows)
        watch = AllRunsWatch(namespace, tree, hub=rooms.hub, groups=self._groups, sight=sight, journal=journal)
        stream = watch.begun(snapshot=snapshot) if after is None else watch.resumed(after, token=token)
        try:
            async with aclosing(stream) as batches:  # type: ignore[type-var]
                async for batch in batches:
                    yield batch
        finally:
            watch.close()
