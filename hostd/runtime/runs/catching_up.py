"""What a watch over runs is told from the journal before it is told news: a snapshot, or what a token missed."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec

from hostd.errors.base import HostdError, Kind
from hostd.journal.port import Journal, RunQuery, RunRow, StoredRow
from hostd.model.filters import And, Compare, Filter
from hostd.model.states import RunState
from hostd.model.views import RunChange, RunChanges
from hostd.runtime.ports import Plans
from hostd.runtime.ring.readers import Readers
from hostd.runtime.ring.snapshots import run_before
from hostd.runtime.runs.run_membership import Membership, changes_over_life
from hostd.runtime.runs.run_views import row_view

PAGE_RUNS = 500
PAGE_ROWS = 500


class CatchingUp:
    """Reads for one watch; `members` learns what it is told."""

    def __init__(
        self,
        namespace: str,
        tree: Filter | None,
        members: Membership,
        *,
        journal: Journal,
        readers: Readers,
        plans: Plans,
    ) -> None:
        self._namespace = namespace
        self._tree = tree
        self._members = members
        self._journal = journal
        self._read = readers.call
        self._plans = plans

    async def first_pos(self, after: int) -> int:
        """Return where to resume. Raises RESUME_TOKEN_EXPIRED when the journal no longer holds what follows."""
        first, last = await self._read(lambda: (self._journal.first_pos(), self._journal.last_pos()))
        if not first <= after <= last:
            message = "the resume token points behind what is kept; start the watch without a token"
            raise HostdError(Kind.STATE, "RESUME_TOKEN_EXPIRED", message)
        return after

    async def last_pos(self) -> int:
        """Return the position of the last durable record."""
        return await self._read(self._journal.last_pos)

    # -- a snapshot

    async def snapshot(self) -> AsyncIterator[RunChanges]:
        """Yield the runs that the filter holds, newest first."""
        before = 0
        while True:
            query = RunQuery(self._namespace, self._tree, before, PAGE_RUNS)
            rows = await self._read(self._journal.query_runs, query)
            if rows:
                for row in rows:
                    self._members.know(row)
                yield RunChanges([RunChange("ADDED", row_view(row)) for row in rows])
            if len(rows) < PAGE_RUNS:
                return
            before = rows[-1].run

    async def prime(self) -> None:
        """Note which live runs the filter holds now, of those no news was read of."""
        if self._tree is not None and changes_over_life(self._tree):
            await self._read(self._prime, And((self._tree, Compare("state", "<", int(RunState.SUCCEEDED)))))

    def _prime(self, live: Filter) -> None:
        before = 0
        while rows := self._journal.query_runs(RunQuery(self._namespace, live, before, PAGE_RUNS)):
            for row in rows:
                if row.run not in self._members.seen:
                    self._members.know(row)
            before = rows[-1].run

    # -- what a token missed

    async def missed(self, pos: int, *, all_of_it: bool) -> AsyncIterator[RunChanges]:
        """Yield what the journal holds behind a position; unless `all_of_it`, without the last page."""
        while True:
            stored = await self._read(self._rows_after, pos)
            if not stored or (len(stored) < PAGE_ROWS and not all_of_it):
                return
            pos = stored[-1].pos + stored[-1].n - 1
            yield RunChanges(await self._read(self._resumed, stored), pos)

    def _rows_after(self, pos: int) -> list[StoredRow]:
        return self._journal.rows_after(pos, limit=PAGE_ROWS)

    def _resumed(self, stored: list[StoredRow]) -> list[RunChange]:
        """Return what a page of rows changed. Blocks; for reader threads."""
        members = self._members
        first: dict[int, StoredRow] = {}
        for each in stored:
            first.setdefault(each.run, each)
        changes: list[RunChange] = []
        for run, earliest in first.items():
            row = self._journal.run_row(run)
            if row is None or row.namespace != self._namespace:
                continue
            if earliest.seq and run not in members.seen:
                was = self._as_it_was(row, earliest.seq) if changes_over_life(self._tree) else row
                if was is None:
                    continue
                members.recall(was)
            members.seen.add(run)
            word = members.change(row, begins=earliest.seq == 0)
            if word is not None:
                changes.append(RunChange(word, row_view(row)))
        return changes

    def _as_it_was(self, row: RunRow, seq: int) -> RunRow | None:
        """Return a run's row as it was before a record; None for one that retention took meanwhile."""
        try:
            run = run_before(self._journal, self._plans, row, seq)
        except HostdError:
            if self._journal.run_row(row.run) is None:
                return None
            raise
        return msgspec.structs.replace(
            row, state=run.state, reason=run.reason, ended_at_ms=0, due_at_ms=run.next_due_ms()
        )
