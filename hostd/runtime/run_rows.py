"""Index rows from notices: what never changes is remembered from a run's first record, the rest is in its state."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import msgspec

from hostd.journal.port import Journal, RunRow
from hostd.model.ids import stored_id
from hostd.model.records import RunStarted
from hostd.model.states import run_is_final
from hostd.runtime.readers import Readers
from hostd.runtime.watch import Gone, Held, News, Notice

REMEMBERED_MAX = 50_000


class RunRows:
    """Makes the rows of one watch. Runs of other namespaces have none."""

    def __init__(self, journal: Journal, readers: Readers, namespace: str) -> None:
        self._journal = journal
        self._readers = readers
        self._namespace = namespace
        self._begun: OrderedDict[int, RunRow] = OrderedDict()

    async def learn(self, news: Sequence[News]) -> None:
        """Get to know the runs of these notices; one hop to a reader thread for those that began before the watch."""
        unknown: set[int] = set()
        for notice in news:
            if isinstance(notice, Held):
                unknown.add(notice.run)
                continue
            if isinstance(notice, Gone) or notice.change.resident.namespace != self._namespace:
                continue
            key = notice.change.resident.key
            first = notice.change.records[0] if notice.change.first_seq == 0 else None
            if isinstance(first, RunStarted):
                self._remember(_begun_row(notice, first))
            elif key not in self._begun:
                unknown.add(key)
        if unknown:
            found = await self._readers.call(lambda: [self._journal.run_row(key) for key in sorted(unknown)])
            for row in found:
                if row is not None and row.namespace == self._namespace:
                    self._remember(row)

    def _remember(self, row: RunRow) -> None:
        self._begun[row.run] = row
        while len(self._begun) > REMEMBERED_MAX:
            self._begun.popitem(last=False)

    def now(self, notice: News) -> RunRow | None:
        """Return a run's row as it is after a notice; None for another namespace's, or one deleted meanwhile."""
        if isinstance(notice, Gone):
            return notice.row if notice.row.namespace == self._namespace else None
        if isinstance(notice, Held):
            return self._begun.get(notice.run)
        run = notice.change.run
        begun = self._begun.get(notice.change.resident.key)
        if begun is None:
            return None
        final = run_is_final(run.state)
        if final:
            del self._begun[begun.run]
        return msgspec.structs.replace(
            begun,
            state=run.state,
            reason=run.reason,
            ended_at_ms=notice.at_ms if final else 0,
            due_at_ms=run.next_due_ms(),
        )


def _begun_row(notice: Notice, started: RunStarted) -> RunRow:
    resident = notice.change.resident
    return RunRow(
        run=resident.key,
        namespace=resident.namespace,
        run_id=stored_id(notice.change.run.run_id),
        workflow=started.workflow,
        version=started.version,
        key=started.key,
        state=notice.change.run.state,
        reason="",
        labels=started.labels,
        trigger=started.trigger,
        parent=started.parent,
        created_at_ms=notice.at_ms,
        ended_at_ms=0,
        due_at_ms=0,
        owes=False,
    )
