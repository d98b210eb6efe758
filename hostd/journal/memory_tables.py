"""The memory store's tables, and the deleting that keeps them consistent. One owner: MemoryJournal."""

from __future__ import annotations

from bisect import bisect_right
from typing import Any

import msgspec

from hostd.errors.base import HostdError, Kind
from hostd.journal.port import (
    EVENT_FIXED_BYTES,
    Appended,
    Batch,
    Blob,
    Dedup,
    EventRow,
    KvWrite,
    NewRun,
    Obligation,
    OwnTriggerRow,
    RequestId,
    RunRow,
    RunUpdate,
    Snapshot,
    StoredRow,
    TriggerRow,
    WorkflowRow,
    WorkflowVersion,
)
from hostd.model.states import run_is_final

Numbered = dict[int, tuple[int, Any]]
"""number -> (at_ms, thing), by rising number."""


class Counters(msgspec.Struct):
    """What is given out next, and never again."""

    batch: int = 0
    pos: int = 1
    run: int = 1
    event: int = 1
    dead_letter: int = 1
    audit: int = 1
    pruned_pos: int = 0
    kv_floor: int = 0  # the highest version of a key that is gone


class Tables:
    """Everything the memory store keeps."""

    def __init__(self) -> None:
        self.next = Counters()
        self.log: list[StoredRow] = []  # by rising pos
        self.positions: list[int] = []  # of `log`, for bisecting
        self.rows: dict[int, list[StoredRow]] = {}
        self.runs: dict[int, RunRow] = {}
        self.run_ids: dict[bytes, int] = {}
        self.blobs: dict[tuple[str, bytes], Blob] = {}
        self.blob_runs: dict[tuple[str, bytes], set[int]] = {}
        self.blob_keepers: dict[tuple[str, bytes], set[int]] = {}  # of these, those whose actions keep it
        self.snapshots: dict[int, Snapshot] = {}
        self.request_ids: dict[tuple[str, str, str], tuple[int, RequestId]] = {}
        self.versions: dict[tuple[str, str, str], WorkflowVersion] = {}
        self.workflows: dict[tuple[str, str], WorkflowRow] = {}
        self.triggers: dict[tuple[str, str, str], TriggerRow] = {}
        self.own_triggers: dict[tuple[str, str], OwnTriggerRow] = {}
        self.events_gone_ms = 0  # the latest time of an event that retention deleted
        self.events_gone_to = 0  # the highest number of one
        self.events: Numbered = {}
        self.dedup: dict[tuple[str, str, str], tuple[int, Dedup]] = {}
        self.dead_letters: Numbered = {}
        self.kv: dict[tuple[str, str], KvWrite] = {}
        self.progress: dict[int, dict[int, bytes]] = {}
        self.audit: Numbered = {}
        self.obligations: dict[int, Obligation] = {}
        self.appends: dict[int, Appended] = {}

    def log_after(self, pos: int) -> int:
        """Return the index in `log` of the first row with position > pos."""
        return bisect_right(self.positions, pos)

    def delete_runs(self, runs: set[int]) -> int:
        """Forget runs with all that is theirs; return the highest position that went, 0 for none."""
        gone = [row.pos for run in runs for row in self.rows.pop(run, ())]
        if gone:
            self.log = [row for row in self.log if row.run not in runs]
            self.positions = [row.pos for row in self.log]
        for run in runs:
            row = self.runs.pop(run, None)
            if row is not None:
                del self.run_ids[row.run_id]
            self.snapshots.pop(run, None)
            self.progress.pop(run, None)
        self._drop_blobs(runs)
        return max(gone, default=0)

    def _drop_blobs(self, runs: set[int]) -> None:
        for key, holders in list(self.blob_runs.items()):
            if holders & runs:
                holders -= runs
                self.blob_keepers.get(key, set()).difference_update(runs)
                if not holders:
                    del self.blob_runs[key], self.blobs[key]
                    self.blob_keepers.pop(key, None)


def new_run_row(new: NewRun, at_ms: int) -> RunRow:
    """Return the index row of a run that begins."""
    return RunRow(
        run=new.run,
        namespace=new.namespace,
        run_id=new.run_id,
        workflow=new.workflow,
        version=new.version,
        key=new.key,
        state=new.state,
        reason="",
        labels=dict(new.labels),
        trigger=new.trigger,
        parent=new.parent,
        created_at_ms=at_ms,
        ended_at_ms=at_ms if run_is_final(new.state) else 0,
        due_at_ms=new.due_at_ms,
        owes=new.owes,
        keep_ms=new.keep_ms,
        keep_logs_ms=new.keep_logs_ms,
    )


def updated_run_row(row: RunRow, update: RunUpdate, at_ms: int) -> RunRow:
    """Return the index row after a change; the end of a run is set once."""
    ended = at_ms if run_is_final(update.state) and not row.ended_at_ms else row.ended_at_ms
    return msgspec.structs.replace(
        row,
        state=update.state,
        due_at_ms=update.due_at_ms,
        owes=update.owes,
        reason=update.reason,
        ended_at_ms=ended,
    )


def refuse_conflicts(tables: Tables, batch: Batch) -> None:
    """Raise HostdError JOURNAL_CONFLICT for a batch that contradicts what is there, before anything is touched."""
    starts = {(row.run, row.seq) for row in batch.rows}
    taken = any(_is_taken(tables.rows.get(run, []), seq) for run, seq in starts)
    _refuse(len(starts) < len(batch.rows) or taken, "a run's record is written twice")
    _refuse(batch.append_id in tables.appends, f"append id {batch.append_id} was used before")
    runs = {new.run for new in batch.new_runs}
    ids = {new.run_id for new in batch.new_runs}
    _refuse(len(ids) < len(batch.new_runs) or not ids.isdisjoint(tables.run_ids), "a run id is there already")
    _refuse(len(runs) < len(batch.new_runs) or not runs.isdisjoint(tables.runs), "a run key is there already")
    known = all(update.run in runs or update.run in tables.runs for update in batch.run_updates)
    _refuse(not known, "a run that changes is not there")
    versions = {(item.namespace, item.workflow, item.version) for item in batch.versions}
    again = len(versions) < len(batch.versions) or not versions.isdisjoint(tables.versions)
    _refuse(again, "a workflow version is there already")


def _is_taken(rows: list[StoredRow], seq: int) -> bool:
    """Say whether a row with that number is there; what comes after the last one is not, the usual case."""
    return bool(rows) and seq <= rows[-1].seq and any(row.seq == seq for row in rows)


def _refuse(conflict: bool, what: str) -> None:
    if conflict:
        raise HostdError(Kind.CONFLICT, "JOURNAL_CONFLICT", f"Nothing was written: {what}.")


def drop_past(table: dict[Any, tuple[int, Any]], before_ms: int, limit: int) -> int:
    """Delete up to `limit` entries not younger than a time; return how many went."""
    past = [key for key, (at_ms, _) in table.items() if at_ms <= before_ms][: max(0, limit)]
    for key in past:
        del table[key]
    return len(past)


def drop_beyond(events: Numbered, keep_bytes: int, limit: int) -> int:
    """Delete up to `limit` of the oldest events while all count more than `keep_bytes` (0 = any); return how many."""
    over = sum(_event_bytes(row) for _, row in events.values()) - keep_bytes if keep_bytes else 0
    past: list[int] = []
    for number, (_, row) in events.items():
        if over <= 0 or len(past) >= limit:
            break
        over -= _event_bytes(row)
        past.append(number)
    for number in past:
        del events[number]
    return len(past)


def _event_bytes(row: EventRow) -> int:
    return len(row.body) + EVENT_FIXED_BYTES
