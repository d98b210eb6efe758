"""Index rows from notices: what never changes is remembered from a run's first record, the rest is in its state."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

import msgspec

from hostd.journal.port import Journal, RunRow
from hostd.model.ids import stored_id
from hostd.model.records import RunStarted
from hostd.model.states import run_is_final
from hostd.runtime.ring.readers import Readers
from hostd.runtime.runs.watch import Gone, Held, News, Notice

REMEMBERED_MAX = 50_000


class Latest:
    """What a run's last news are, and its first record where that is among them."""

    __slots__ = ("begins", "news")

    def __init__(self, news: News, begins: Notice | None) -> None:
        self.news = news
        self.begins = begins


def latest_of(news: Iterable[News], namespace: str) -> dict[int, Latest]:
    """Return the last news of each run by its key, in the order they came; other namespaces' are left out."""
    latest: dict[int, Latest] = {}
    for each in news:
        if type(each) is Notice:
            resident = each.change.resident
            if resident.namespace != namespace:
                continue
            key, begins = resident.key, each if each.change.first_seq == 0 else None
        elif isinstance(each, Gone):
            if each.row.namespace != namespace:
                continue
            key, begins = each.row.run, None
        else:
            key, begins = each.run, None  # type: ignore[union-attr]
        before = latest.pop(key, None)
        latest[key] = Latest(each, begins or (before.begins if before is not None else None))
    return latest


class RunRows:
    """Makes the rows of all watches, each once."""

    def __init__(self, journal: Journal, readers: Readers) -> None:
        self._journal = journal
        self._readers = readers
        self._begun: OrderedDict[int, RunRow] = OrderedDict()

    async def now(self, latest: dict[int, Latest], namespace: str) -> dict[int, RunRow]:
        """Return the runs' rows as they are after their news; none for other namespaces' and those deleted meanwhile.

        One hop to a reader thread for runs of which nothing is known, none where there are none.
        """
        rows: dict[int, RunRow] = {}
        unknown: list[int] = []
        for key, run in latest.items():
            row = self._made(key, run)
            if row is None:
                unknown.append(key)
            else:
                rows[key] = row
        if unknown:
            found = await self._readers.call(lambda: [self._journal.run_row(key) for key in unknown])
            for read in found:
                if read is not None and read.namespace == namespace:
                    rows[read.run] = self._after(read, latest[read.run].news)
        return rows

    def _made(self, key: int, run: Latest) -> RunRow | None:
        """Return a row without asking the journal, if that can be done."""
        news = run.news
        if isinstance(news, Gone):
            return news.row
        if isinstance(news, Held):
            return None
        if news.row is not None:
            return news.row
        begins = run.begins
        started = begins.change.records[0] if begins is not None else None
        known = _begun_row(begins, started) if begins and isinstance(started, RunStarted) else self._begun.get(key)
        return None if known is None else self._after(known, news)

    def _after(self, known: RunRow, news: News) -> RunRow:
        """Return a run's row as a notice left it, and keep what the next one needs."""
        if not isinstance(news, Notice):
            return known
        run = news.change.run
        final = run_is_final(run.state)
        row = news.row = msgspec.structs.replace(
            known,
            state=run.state,
            reason=run.reason,
            ended_at_ms=news.at_ms if final else 0,
            due_at_ms=run.next_due_ms(),
        )
        if final:
            self._begun.pop(row.run, None)
        else:
            self._begun[row.run] = row
            if len(self._begun) > REMEMBERED_MAX:
                self._begun.popitem(last=False)
        return row


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
