"""The memory store: a real journal that forgets everything when its process ends. For tests and throw-away hosts.

`append` applies at once; `done` comes with a later turn of the loop, as it would from a disk.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator

from hostd.errors.base import HostdError, Kind
from hostd.journal.memory_reads import MemoryReads
from hostd.journal.memory_tables import Tables, drop_beyond, drop_past, new_run_row, refuse_conflicts, updated_run_row
from hostd.journal.port import (
    Appended,
    Batch,
    Blob,
    Done,
    JournalInfo,
    Retention,
    Room,
    RunRow,
    StoredRow,
)
from hostd.model.ids import stored_id
from hostd.model.states import run_is_final


class MemoryJournal(MemoryReads):
    """The port over plain containers. Everything is called on one thread."""

    def __init__(self, *, randomness: random.Random) -> None:
        self._tables = Tables()
        self._failing: list[HostdError] = []  # failures that have not come back yet
        self._info = JournalInfo("memory", randomness.randbytes(16).hex(), randomness.randbytes(32), 1)

    def open(self) -> JournalInfo:
        """Return what the journal is."""
        return self._info

    def close(self) -> None:
        """Do nothing; the containers go with the object."""

    def allocate_runs(self, count: int) -> int:
        """Return the first of `count` fresh run keys."""
        first = self._tables.next.run
        self._tables.next.run += count
        return first

    def append(self, batch: Batch, done: Done, *, alone: bool = False) -> Appended | None:
        """Apply a batch; see the port."""
        try:
            if self._failing:
                raise self._failing[0]
            appended = self._apply(batch)
        except HostdError as error:
            if alone:
                raise
            self._failing.append(error)
            asyncio.get_running_loop().call_soon(self._fail, done, error)
            return None
        if alone:
            return appended
        asyncio.get_running_loop().call_soon(done, appended, None)
        return None

    def _fail(self, done: Done, error: HostdError) -> None:
        self._failing.pop()
        done(None, error)

    @property
    def refusing(self) -> None:
        """Memory takes everything."""
        return

    def look(self) -> None:
        """There is no file."""

    def append_outcome(self, append_id: int) -> Appended | None:
        """Return the batch of that append id."""
        return self._tables.appends.get(append_id)

    def _apply(self, batch: Batch) -> Appended:
        refuse_conflicts(self._tables, batch)
        appended = self._apply_rows(batch)
        self._apply_runs(batch)
        self._apply_rest(batch)
        self._apply_notes(batch)
        if batch.run_deletes:
            gone = self._tables.delete_runs(set(batch.run_deletes))
            self._tables.next.pruned_pos = max(self._tables.next.pruned_pos, gone)
        return appended

    def _apply_rows(self, batch: Batch) -> Appended:
        tables, counters = self._tables, self._tables.next
        counters.batch += 1
        first_event = counters.event if batch.events else 0
        appended = Appended(counters.batch, counters.pos, batch.at_ms, first_event)
        for row in batch.rows:
            stored = StoredRow(row.run, row.seq, row.n, counters.pos, batch.at_ms, batch.epoch, row.principal, row.body)
            counters.pos += row.n
            tables.log.append(stored)
            tables.positions.append(stored.pos)
            tables.rows.setdefault(row.run, []).append(stored)
        if not batch.rows:
            counters.pos += 1
        if batch.append_id:
            tables.appends[batch.append_id] = appended
        return appended

    def _apply_runs(self, batch: Batch) -> None:
        tables = self._tables
        for new in batch.new_runs:
            tables.runs[new.run] = new_run_row(new, batch.at_ms)
            tables.run_ids[new.run_id] = new.run
            tables.next.run = max(tables.next.run, new.run + 1)
        for update in batch.run_updates:
            tables.runs[update.run] = updated_run_row(tables.runs[update.run], update, batch.at_ms)
            if run_is_final(update.state):
                tables.progress.pop(update.run, None)
        for blob in batch.blobs:
            self._apply_blob(blob)
        for hold in batch.blob_holds:
            if (hold.namespace, hold.digest) in tables.blobs:
                tables.blob_runs[hold.namespace, hold.digest].add(hold.run)
        for snapshot in batch.snapshots:
            tables.snapshots[snapshot.run] = snapshot
        for run in batch.snapshot_deletes:
            tables.snapshots.pop(run, None)

    def _apply_blob(self, blob: Blob) -> None:
        key = (blob.namespace, blob.digest)
        self._tables.blobs.setdefault(key, blob)
        self._tables.blob_runs.setdefault(key, set()).add(blob.run)
        if blob.kept:
            self._tables.blob_keepers.setdefault(key, set()).add(blob.run)

    def _apply_rest(self, batch: Batch) -> None:
        tables = self._tables
        for version in batch.versions:
            tables.versions[version.namespace, version.workflow, version.version] = version
        for version_key in batch.version_deletes:
            tables.versions.pop(version_key, None)
        for workflow in batch.workflows:
            tables.workflows[workflow.namespace, workflow.workflow] = workflow
        for workflow_key in batch.workflow_deletes:
            tables.workflows.pop(workflow_key, None)
        for trigger in batch.triggers:
            tables.triggers[trigger.namespace, trigger.workflow, trigger.name] = trigger
        for own in batch.own_triggers:
            tables.own_triggers[own.namespace, own.name] = own
        for own_key in batch.own_trigger_deletes:
            tables.own_triggers.pop(own_key, None)
        for trigger_key in batch.trigger_deletes:
            tables.triggers.pop(trigger_key, None)

    def _apply_notes(self, batch: Batch) -> None:
        tables, counters = self._tables, self._tables.next
        for request in batch.request_ids:
            key = (request.namespace, request.verb, request.request_id)
            tables.request_ids.setdefault(key, (batch.at_ms, request))
        for event in batch.events:
            tables.events[counters.event] = (batch.at_ms, event)
            counters.event += 1
        for seen in batch.dedup:
            tables.dedup.setdefault((seen.namespace, seen.scope, seen.event_id), (batch.at_ms, seen))
        for letter in batch.dead_letters:
            tables.dead_letters[counters.dead_letter] = (batch.at_ms, letter)
            counters.dead_letter += 1
        for met in batch.dead_letters_met:
            tables.dead_letters.pop(met, None)
        self._apply_keys(batch)
        for obligation in batch.obligations:
            tables.obligations[obligation.number] = obligation
        for number in batch.obligations_met:
            tables.obligations.pop(number, None)
        for row in batch.audit:
            tables.audit[counters.audit] = (batch.at_ms, row)
            counters.audit += 1

    def _apply_keys(self, batch: Batch) -> None:
        tables = self._tables
        for write in batch.kv:
            tables.kv.pop((write.namespace, write.key), None)
            if write.value:
                tables.kv[write.namespace, write.key] = write
            else:
                tables.next.kv_floor = max(tables.next.kv_floor, write.version)
        for item in batch.progress:
            row = tables.runs.get(item.run)
            if row is not None and not run_is_final(row.state):
                tables.progress.setdefault(item.run, {})[item.step] = item.body

    def prune(self, *, now_ms: int, retention: Retention, limit: int = 500) -> int:
        """Delete up to `limit` things past retention."""
        tables = self._tables
        ended = sorted(run for run in tables.runs if self._run_is_past(run, now_ms, retention))[:limit]
        gone = tables.delete_runs(set(ended))
        tables.next.pruned_pos = max(tables.next.pruned_pos, gone)
        count = len(ended)
        kept = dict(tables.events)
        past = (
            (tables.events, retention.events_ms),
            (tables.dead_letters, retention.dead_letters_ms),
            (tables.request_ids, retention.request_ids_ms),
            (tables.dedup, retention.dedup_ms),
            (tables.audit, retention.audit_ms),
        )
        for table, keep_ms in past:
            count += drop_past(table, now_ms - keep_ms if keep_ms else 0, limit - count)
        count += drop_beyond(tables.events, retention.events_bytes, limit - count)
        events_gone = {number: at_ms for number, (at_ms, _) in kept.items() if number not in tables.events}
        tables.events_gone_ms = max(tables.events_gone_ms, *events_gone.values(), 0)
        tables.events_gone_to = max(tables.events_gone_to, *events_gone, 0)
        count += self._prune_keys(now_ms, limit - count)
        return count + self._prune_dedup(retention.dedup_per_trigger, limit - count)

    def _prune_keys(self, now_ms: int, limit: int) -> int:
        known = self._tables.kv
        past = [key for key, write in known.items() if 0 < write.expires_at_ms <= now_ms][: max(0, limit)]
        for key in past:
            self._tables.next.kv_floor = max(self._tables.next.kv_floor, known.pop(key).version)
        return len(past)

    def _prune_dedup(self, keep: int, limit: int) -> int:
        scopes: dict[tuple[str, str], list[tuple[str, str, str]]] = {}
        for key in self._tables.dedup:
            scopes.setdefault(key[:2], []).append(key)
        past = [key for keys in scopes.values() if keep for key in keys[: max(0, len(keys) - keep)]][: max(0, limit)]
        for key in past:
            del self._tables.dedup[key]
        return len(past)

    def _run_is_past(self, run: int, now_ms: int, retention: Retention) -> bool:
        row = self._tables.runs[run]
        keep_ms = row.keep_ms or retention.runs_ms
        if not keep_ms or row.owes or not 0 < row.ended_at_ms <= now_ms - keep_ms:
            return False
        return not self._parent_lives(row)

    def _parent_lives(self, row: RunRow) -> bool:
        parent = self._tables.run_ids.get(stored_id(row.parent)) if row.parent else None
        return parent is not None and not run_is_final(self._tables.runs[parent].state)

    def checkpoint(self) -> Room:
        """Return that nothing takes room on a disk."""
        return Room(0, 0)

    def backup(self, path: str, *, progress: Callable[[int, int], None] | None = None) -> int:
        """Refuse: there is no file."""
        raise HostdError(Kind.UNSUPPORTED, "JOURNAL_FAILED", "A memory journal has no file to back up.")

    def check(self) -> Iterator[str]:
        """Yield nothing: there is no medium that could be damaged."""
        return iter(())

    def repair(self) -> Iterator[str]:
        """Yield nothing: there is nothing to mend."""
        return iter(())
