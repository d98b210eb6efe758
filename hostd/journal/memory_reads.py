"""Reading the memory store. Takes no lock: it is read on the thread that writes, or while nobody writes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import islice
from typing import Any

from hostd.journal.filters import matches
from hostd.journal.memory_tables import Numbered, Tables
from hostd.journal.port import (
    AuditRow,
    Blob,
    DeadLetter,
    EventRow,
    KvWrite,
    NamespaceRow,
    Obligation,
    OpenCounts,
    OwnTriggerRow,
    RequestId,
    RunQuery,
    RunRow,
    Snapshot,
    StoredRow,
    TriggerRow,
    WorkflowRow,
    WorkflowVersion,
)
from hostd.journal.topics import covers, split_topics, until_full
from hostd.model.states import run_is_final


class MemoryReads:
    """The reading half of the port."""

    _tables: Tables

    def find_run(self, namespace: str, run_id: bytes) -> RunRow | None:
        run = self._tables.run_ids.get(run_id)
        row = self._tables.runs[run] if run is not None else None
        return row if row is not None and row.namespace == namespace else None

    def newest_run(self, namespace: str, workflow: str, key: str, *, live: bool = False) -> RunRow | None:
        for run in sorted(self._tables.runs, reverse=True):
            row = self._tables.runs[run]
            same = row.namespace == namespace and row.workflow == workflow and row.key == key
            if same and not (live and run_is_final(row.state)):
                return row
        return None

    def run_row(self, run: int) -> RunRow | None:
        return self._tables.runs.get(run)

    def history(self, run: int, *, from_seq: int = 0, max_bytes: int = 1 << 20) -> list[StoredRow]:
        rows = [row for row in self._tables.rows.get(run, ()) if row.seq + row.n > from_seq]
        return _up_to(rows, len(rows), max_bytes)

    def namespaces(self) -> list[NamespaceRow]:
        tables = self._tables
        holders = [*tables.workflows, *tables.own_triggers, *tables.kv]
        names = {key[0] for key in holders} | {row.namespace for row in tables.runs.values()}
        names |= {event.namespace for _, event in tables.events.values()}
        return [self._namespace(name) for name in sorted(names)]

    def _namespace(self, name: str) -> NamespaceRow:
        runs = [row for row in self._tables.runs.values() if row.namespace == name]
        workflows = sum(key[0] == name for key in self._tables.workflows)
        return NamespaceRow(name, workflows, len(runs), sum(not run_is_final(row.state) for row in runs))

    def log_keeps(self, run_ids: Sequence[bytes]) -> dict[bytes, int]:
        rows = [self._tables.runs[self._tables.run_ids[run_id]] for run_id in run_ids if run_id in self._tables.run_ids]
        return {row.run_id: row.keep_logs_ms for row in rows if row.keep_logs_ms}

    def snapshot(self, run: int) -> Snapshot | None:
        return self._tables.snapshots.get(run)

    def live_runs(self, *, after: int = 0, limit: int = 1000, states: Sequence[int] = ()) -> list[RunRow]:
        runs = (self._tables.runs[run] for run in sorted(self._tables.runs) if run > after)
        if states:
            runs = (row for row in runs if row.state in states)
        return list(islice((row for row in runs if row.owes or not run_is_final(row.state)), limit))

    def due_runs(self, *, before_ms: int, limit: int = 10_000) -> list[tuple[int, int]]:
        due = [(row.due_at_ms, row.run) for row in self._tables.runs.values() if 0 < row.due_at_ms < before_ms]
        return sorted(due)[:limit]

    def open_counts(self) -> OpenCounts:
        rows = (row for row in self._tables.runs.values() if not run_is_final(row.state))
        return OpenCounts(self.last_pos() + 1, dict(Counter((row.state, row.due_at_ms > 0) for row in rows)))

    def query_runs(self, query: RunQuery) -> list[RunRow]:
        found = [row for row in self._matching(query) if _beyond(query, row.run)]
        found.sort(key=lambda row: row.run, reverse=not query.ascending)
        return found[: query.limit]

    def count_runs(self, query: RunQuery) -> int:
        return len(self._matching(query))

    def _matching(self, query: RunQuery) -> list[RunRow]:
        rows = [row for row in self._tables.runs.values() if row.namespace == query.namespace]
        return [row for row in rows if matches(query.filter, row)]

    def rows_after(self, pos: int, *, limit: int = 500, max_bytes: int = 1 << 20) -> list[StoredRow]:
        start = self._tables.log_after(pos)
        return _up_to(self._tables.log[start : start + limit], limit, max_bytes)

    def last_at_ms(self) -> int:
        return self._tables.log[-1].at_ms if self._tables.log else 0

    def last_pos(self) -> int:
        return self._tables.next.pos - 1

    def first_pos(self) -> int:
        first = self._tables.positions[0] - 1 if self._tables.positions else self.last_pos()
        return max(first, self._tables.next.pruned_pos)

    def blob(self, namespace: str, digest: bytes) -> Blob | None:
        return self._tables.blobs.get((namespace, digest))

    def kept_blobs(self, run: int) -> dict[bytes, int]:
        known = self._tables.blobs
        return {key[1]: len(known[key].data) for key, runs in self._tables.blob_keepers.items() if run in runs}

    def request_ids(self, keys: Sequence[tuple[str, str, str]]) -> dict[tuple[str, str, str], RequestId]:
        known = self._tables.request_ids
        return {key: known[key][1] for key in keys if key in known}

    def version(self, namespace: str, workflow: str, version: str) -> WorkflowVersion | None:
        return self._tables.versions.get((namespace, workflow, version))

    def versions(self, namespace: str, workflow: str) -> list[WorkflowVersion]:
        return [row for key, row in self._tables.versions.items() if key[:2] == (namespace, workflow)]

    def workflows(self, namespace: str | None = None, *, after: str = "", limit: int = 1000) -> list[WorkflowRow]:
        rows = [self._tables.workflows[key] for key in sorted(self._tables.workflows)]
        mine = [row for row in rows if namespace in (None, row.namespace) and row.workflow > after]
        return mine[:limit]

    def workflow(self, namespace: str, workflow: str) -> WorkflowRow | None:
        return self._tables.workflows.get((namespace, workflow))

    def triggers(self, namespace: str | None = None) -> list[TriggerRow]:
        rows = [self._tables.triggers[key] for key in sorted(self._tables.triggers)]
        return [row for row in rows if namespace in (None, row.namespace)]

    def trigger(self, namespace: str, workflow: str, name: str) -> TriggerRow | None:
        return self._tables.triggers.get((namespace, workflow, name))

    def own_triggers(self, namespace: str | None = None, name: str = "") -> list[OwnTriggerRow]:
        rows = [self._tables.own_triggers[key] for key in sorted(self._tables.own_triggers)]
        return [row for row in rows if namespace in (None, row.namespace) and name in ("", row.name)]

    def events_of(
        self, namespace: str, workflow: str, trigger: str, *, after: int, until: int
    ) -> dict[str, tuple[str, ...]]:
        place = (namespace, workflow, trigger)
        found = ((number, row) for number, (_, row) in self._tables.events.items() if after < number <= until)
        return {row.event_id: row.run_ids for _, row in found if (row.namespace, row.workflow, row.trigger) == place}

    def first_event(self) -> int:
        return min(self._tables.events, default=0)

    def events_gone_ms(self) -> int:
        return self._tables.events_gone_ms

    def events_gone_to(self) -> int:
        return self._tables.events_gone_to

    def dedup_seen(self, namespace: str, scope: str, event_ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
        known = self._tables.dedup
        keys = {event_id: (namespace, scope, event_id) for event_id in event_ids}
        return {event_id: known[key][1].run_ids for event_id, key in keys.items() if key in known}

    def events(
        self, namespace: str, *, after: int = 0, limit: int = 100, topics: Sequence[str] = (), size_bytes: int = 0
    ) -> list[tuple[int, int, EventRow]]:
        if not topics:
            return until_full(_page(self._tables.events, namespace, after=after, limit=limit), size_bytes)
        exact, prefixes = split_topics(topics)
        found = _page(self._tables.events, namespace, after=after, limit=self._tables.next.event)
        fitting = [item for item in found if item[2].topic in exact or covers(prefixes, item[2].topic)]
        return until_full(fitting[:limit], size_bytes)

    def events_behind(self, namespace: str, topics: Sequence[str], *, after: int, most: int) -> int:
        exact, prefixes = split_topics(topics)
        found = _page(self._tables.events, namespace, after=after, limit=self._tables.next.event)
        named = [event.topic for _, _, event in found if event.topic]
        counts = [min(most, named.count(topic)) for topic in exact]
        return sum(counts) + sum(covers(prefixes, topic) for topic in named[:most])

    def last_event(self) -> int:
        return self._tables.next.event - 1

    def kv(self, namespace: str, keys: Sequence[str]) -> dict[str, KvWrite]:
        known = self._tables.kv
        return {key: known[namespace, key] for key in keys if (namespace, key) in known}

    def kv_floor(self) -> int:
        return self._tables.next.kv_floor

    def kv_list(self, namespace: str, *, prefix: str = "", after: str = "", limit: int = 100) -> list[KvWrite]:
        mine = (write for write in self._tables.kv.values() if write.namespace == namespace)
        found = [write for write in mine if write.key.startswith(prefix) and write.key.encode() > after.encode()]
        return sorted(found, key=lambda write: write.key.encode())[:limit]

    def progress(self, run: int) -> dict[int, bytes]:
        return dict(self._tables.progress.get(run, {}))

    def dead_letter_counts(self) -> dict[str, int]:
        return dict(Counter(letter.namespace for _, letter in self._tables.dead_letters.values()))

    def dead_letters(self, namespace: str, *, after: int = 0, limit: int = 100) -> list[tuple[int, int, DeadLetter]]:
        return _page(self._tables.dead_letters, namespace, after=after, limit=limit)

    def dead_letter(self, namespace: str, number: int) -> tuple[int, DeadLetter] | None:
        found = self._tables.dead_letters.get(number)
        return found if found is not None and found[1].namespace == namespace else None

    def audit(self, namespace: str, *, after: int = 0, limit: int = 100) -> list[tuple[int, int, AuditRow]]:
        return _page(self._tables.audit, namespace, after=after, limit=limit)

    def obligations(self) -> list[Obligation]:
        return [self._tables.obligations[number] for number in sorted(self._tables.obligations)]


def _beyond(query: RunQuery, run: int) -> bool:
    if query.before == 0:
        return True
    return run > query.before if query.ascending else run < query.before


def _up_to(rows: list[StoredRow], limit: int, max_bytes: int) -> list[StoredRow]:
    """Return rows from the front until either bound is met; at least one if there is any."""
    size = 0
    for count, row in enumerate(rows[:limit]):
        size += len(row.body)
        if size > max_bytes and count:
            return rows[:count]
    return rows[:limit]


def _page(table: Numbered, namespace: str, *, after: int, limit: int) -> list[tuple[int, int, Any]]:
    found = [(number, at_ms, row) for number, (at_ms, row) in table.items() if number > after]
    return [item for item in found if item[2].namespace == namespace][:limit]
