"""Watching runs: what is in the journal first, then what becomes durable, with no gap and nothing told twice.

One run: the hub only wakes; the records are always read from the journal, so a slow consumer loses nothing.
All runs: snapshot or resumed rows from the journal, then the hub's notices, coalesced per run. A position stands for
everything up to it; notices up to the position where the journal was last read are dropped.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import msgspec

from hostd.errors.base import HostdError, Kind
from hostd.journal.port import RunQuery, RunRow, StoredRow
from hostd.model.filters import And, Compare, Filter
from hostd.model.ids import text_id
from hostd.model.requests import RunRef
from hostd.model.states import RunState, run_is_final
from hostd.model.views import RunChange, RunChanges, RunRecords
from hostd.runtime.run_membership import Membership, changes_over_life
from hostd.runtime.run_reads import RunReads, run_held
from hostd.runtime.run_rows import RunRows
from hostd.runtime.run_views import row_view, tell_story
from hostd.runtime.watch import Gone, Held, News, Notice, Subscription

PAGE_RUNS = 500
PAGE_ROWS = 500
TAKE_MAX = 1_000
RECORDS_BYTES_MAX = 256 * 1024
BOOKMARK_S = 10.0


class RunWatch(RunReads):
    """Watches over one run or many."""

    # -- one run

    async def watch(self, namespace: str, ref: RunRef, *, from_seq: int) -> AsyncIterator[RunRecords]:
        """Yield a run's records from `from_seq` on; the last item holds the run.

        Raises RUN_MISSING, RUN_STATE once it is held, DRAINING.
        """
        key = (await self.find(namespace, ref)).run
        named = await self._named(key)
        hub = self._rooms.hub
        subscription = hub.subscribe(key)
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
                    subscription = await self._wake(subscription, key)
        finally:
            subscription.close()

    async def _named(self, key: int) -> RunRef:
        """Return a run by its id: a key may come to mean another run."""
        row = await self._read(self._journal.run_row, key)
        if row is None:
            raise HostdError(Kind.MISSING, "RUN_MISSING", "the run is gone")
        return RunRef(text_id(row.run_id))

    async def _wake(self, subscription: Subscription, key: int) -> Subscription:
        """Wait for news of a run; notices only wake, so an overflow is no loss. Raises DRAINING."""
        try:
            await subscription.take(TAKE_MAX)
        except HostdError as error:
            if error.reason != "WATCH_TOO_SLOW":
                raise
            subscription.close()
            return self._rooms.hub.subscribe(key)
        return subscription

    # -- all runs

    async def watch_all(
        self, namespace: str, tree: Filter | None, *, after: int | None, snapshot: bool
    ) -> AsyncIterator[RunChanges]:
        """Yield changes of runs seen through a filter; see the port."""
        members = Membership(tree)
        rows = RunRows(self._journal, self._rooms.readers, namespace)
        pos = 0 if after is None else await self._first_pos(after)
        if after is not None:  # what a long absence missed, before anything is queued for us
            async for batch in self._missed(namespace, tree, members, pos, all_of_it=False):
                pos = batch.position
                if batch.changes:
                    yield batch
        subscription = self._rooms.hub.subscribe()
        try:
            if after is not None:
                await self._read(self._prime, namespace, tree, members)
                async for batch in self._missed(namespace, tree, members, pos, all_of_it=True):
                    pos = batch.position
                    if batch.changes:
                        yield batch
            else:
                pos = await self._read(self._journal.last_pos)
                if snapshot:
                    async for page in self._snapshot(namespace, tree, members):
                        yield page
                else:
                    await self._read(self._prime, namespace, tree, members)
            yield RunChanges([], pos, snapshot_end=after is None)
            clock = self._rooms.clock
            told_pos, told_s = pos, clock.monotonic_s()
            while True:
                batch = await self._live(subscription, rows, members, pos)
                pos = batch.position
                overdue = pos != told_pos and clock.monotonic_s() - told_s >= BOOKMARK_S
                if batch.changes or overdue:
                    yield batch
                    told_pos, told_s = pos, clock.monotonic_s()
        finally:
            subscription.close()

    async def _missed(
        self, namespace: str, tree: Filter | None, members: Membership, pos: int, *, all_of_it: bool
    ) -> AsyncIterator[RunChanges]:
        """Yield what the journal holds behind a position; unless `all_of_it`, without the last page."""
        while True:
            stored = await self._read(self._rows_after, pos)
            if not stored or (len(stored) < PAGE_ROWS and not all_of_it):
                return
            pos = stored[-1].pos + stored[-1].n - 1
            yield RunChanges(await self._read(self._resumed, namespace, tree, members, stored), pos)

    def _rows_after(self, pos: int) -> list[StoredRow]:
        return self._journal.rows_after(pos, limit=PAGE_ROWS)

    def _prime(self, namespace: str, tree: Filter | None, members: Membership) -> None:
        """Note which live runs the filter holds now, of those no news was read of. Blocks; for reader threads."""
        if not changes_over_life(tree) or tree is None:
            return
        live = And((tree, Compare("state", "<", int(RunState.SUCCEEDED))))
        before = 0
        while rows := self._journal.query_runs(RunQuery(namespace, live, before, PAGE_RUNS)):
            for row in rows:
                if row.run not in members.seen:
                    members.know(row)
            before = rows[-1].run

    async def _first_pos(self, after: int) -> int:
        """Return where to resume. Raises RESUME_TOKEN_EXPIRED when the journal no longer holds what follows."""
        first, last = await self._read(lambda: (self._journal.first_pos(), self._journal.last_pos()))
        if not first <= after <= last:
            message = "the resume token points behind what is kept; start the watch without a token"
            raise HostdError(Kind.STATE, "RESUME_TOKEN_EXPIRED", message)
        return after

    async def _snapshot(self, namespace: str, tree: Filter | None, members: Membership) -> AsyncIterator[RunChanges]:
        before = 0
        while True:
            query = RunQuery(namespace, tree, before, PAGE_RUNS)
            rows = await self._read(self._journal.query_runs, query)
            if rows:
                for row in rows:
                    members.know(row)
                yield RunChanges([RunChange("ADDED", row_view(row)) for row in rows])
            if len(rows) < PAGE_RUNS:
                return
            before = rows[-1].run

    def _resumed(
        self, namespace: str, tree: Filter | None, members: Membership, stored: list[StoredRow]
    ) -> list[RunChange]:
        """Return what a page of rows changed. Blocks; for reader threads."""
        first: dict[int, StoredRow] = {}
        for each in stored:
            first.setdefault(each.run, each)
        changes: list[RunChange] = []
        for run, earliest in first.items():
            row = self._journal.run_row(run)
            if row is None or row.namespace != namespace:
                continue
            if earliest.seq and run not in members.seen:
                members.recall(self._as_it_was(row, earliest.seq) if changes_over_life(tree) else row)
            members.seen.add(run)
            change = members.change(row, begins=earliest.seq == 0)
            if change is not None:
                changes.append(change)
        return changes

    def _as_it_was(self, row: RunRow, seq: int) -> RunRow:
        """Return a run's row as it was before a record."""
        plan = self._plans.of_run(row)
        run = tell_story(self._journal, plan, row, until_seq=seq).run
        return msgspec.structs.replace(
            row, state=run.state, reason=run.reason, ended_at_ms=0, due_at_ms=run.next_due_ms()
        )

    async def _live(self, subscription: Subscription, rows: RunRows, members: Membership, pos: int) -> RunChanges:
        """Return one message of news; without changes when none concern the filter, or none come for a while."""
        try:
            async with asyncio.timeout(BOOKMARK_S):
                notices = await subscription.take(TAKE_MAX)
        except TimeoutError:
            return RunChanges([], pos)
        news = [notice for notice in notices if notice.pos > pos]
        if not news:
            return RunChanges([], pos)
        changes = await self._coalesced(news, rows, members)
        last = news[-1]
        width = len(last.change.records) if isinstance(last, Notice) else 1
        return RunChanges(changes, last.pos + width - 1)

    async def _coalesced(self, news: list[News], rows: RunRows, members: Membership) -> list[RunChange]:
        """Return one change a run at most, in the order of each run's last news."""
        await rows.learn(news)
        last: dict[int, News] = {}
        begins: set[int] = set()
        for notice in news:
            run = _run_of(notice)
            if isinstance(notice, Notice) and notice.change.first_seq == 0:
                begins.add(run)
            last.pop(run, None)
            last[run] = notice
        changes: list[RunChange] = []
        for run, notice in last.items():
            row = rows.now(notice)
            if row is None:
                continue
            if isinstance(notice, Gone):
                change = members.gone(row, begins=run in begins)
            else:
                change = members.change(row, begins=run in begins)
            if change is not None:
                changes.append(change)
        return changes


def _run_of(notice: News) -> int:
    if isinstance(notice, Held):
        return notice.run
    return notice.row.run if isinstance(notice, Gone) else notice.change.resident.key
