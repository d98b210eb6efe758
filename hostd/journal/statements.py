"""A batch in SQL: what an append writes, table by table, inside a transaction that somebody else begins and ends."""

from __future__ import annotations

import sqlite3

import msgspec

from hostd.errors.base import HostdError, Kind
from hostd.journal.chain import BatchHead, body_crc, encode_head, next_link, row_crc, row_text
from hostd.journal.counters import Counters
from hostd.journal.notes import has_notes, write_notes
from hostd.journal.port import Appended, Batch, Blob, NewRun
from hostd.model.states import FINAL_RUN

_RECORD = "INSERT INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_RUN = "INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, '', ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_UPDATE = f"""UPDATE runs SET state = ?, due_at_ms = ?, owes = ?, reason = ?,
    ended_at_ms = CASE WHEN ended_at_ms = 0 AND ? >= {int(FINAL_RUN)} THEN ? ELSE ended_at_ms END WHERE run = ?"""
_REQUEST = """INSERT INTO request_ids (at_ms, namespace, verb, request_id, digest, reference) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT DO NOTHING"""
_REFER = "INSERT OR IGNORE INTO blob_refs (run, blob) SELECT ?, blob FROM blobs WHERE digest = ? AND namespace = ?"
_KEEP = """INSERT INTO blob_refs (run, blob, kept) SELECT ?, blob, 1 FROM blobs WHERE digest = ? AND namespace = ?
    ON CONFLICT DO UPDATE SET kept = 1"""


json_text = msgspec.json.Encoder().encode


RecordValues = tuple[int, int, int, int, int, int, str, str | None, bytes | None, int | None, int, bytes]


def record_values(batch: Batch, counters: Counters) -> tuple[list[RecordValues], Appended]:
    """Number a batch's rows, moving the counters on, and return the rows of `records` and what to answer."""
    pos, at_ms, epoch = counters.pos, batch.at_ms, batch.epoch
    appended = Appended(counters.batch + 1, pos, at_ms, counters.event if batch.events else 0)
    values: list[RecordValues] = []
    crcs: list[int] = []
    begun = {new.run: new.namespace for new in batch.new_runs} if batch.new_runs else {}
    for row in batch.rows:
        principal, namespace = row.principal, begun.get(row.run) if row.seq == 0 else None
        text = principal.encode() if namespace is None else row_text(principal.encode(), namespace.encode())
        crc = row_crc(pos, row.run, row.seq, row.n, at_ms, epoch, text, row.body)
        crcs.append(crc)
        values.append((pos, row.run, row.seq, row.n, at_ms, epoch, principal, namespace, None, None, crc, row.body))
        pos += row.n
    if not values:
        crcs.append(row_crc(pos, 0, appended.number, 1, at_ms, epoch, b"", b""))
        values.append((pos, 0, appended.number, 1, at_ms, epoch, "", None, None, None, crcs[0], b""))
        pos += 1
    counters.link = next_link(counters.link, appended.number, crcs)
    counters.batch, counters.pos = appended.number, pos
    head = encode_head(BatchHead(appended.number, len(crcs), counters.link))
    values[0] = (*values[0][:8], head, batch.append_id or None, *values[0][10:])
    return values, appended


def rows_only(batch: Batch) -> bool:
    """Say whether a batch is one row of one run and nothing else: a single statement is its transaction."""
    return len(batch.rows) < 2 and not (
        batch.new_runs
        or batch.run_updates
        or batch.blobs
        or batch.blob_holds
        or batch.snapshots
        or batch.snapshot_deletes
        or batch.request_ids
        or batch.run_deletes
        or has_notes(batch)
    )


def write_rows(cursor: sqlite3.Cursor, batch: Batch, counters: Counters) -> Appended:
    """Write a batch's rows of `records`, and nothing else of it. Raises sqlite3.Error, as write_batch."""
    values, appended = record_values(batch, counters)
    if len(values) == 1:
        cursor.execute(_RECORD, values[0])
    else:
        cursor.executemany(_RECORD, values)
    return appended


def write_batch(cursor: sqlite3.Cursor, batch: Batch, counters: Counters) -> Appended:
    """Write a batch. Raises sqlite3.Error or HostdError with part written: the caller rolls back, counters too."""
    appended = write_rows(cursor, batch, counters)
    if batch.new_runs:
        _write_runs(cursor, batch, counters)
    if batch.run_updates:
        _update_runs(cursor, batch)
        if counters.progress:
            _drop_progress(cursor, batch)
    for blob in batch.blobs:
        _write_blob(cursor, blob)
    if batch.blob_holds:
        cursor.executemany(_REFER, [(hold.run, hold.digest, hold.namespace) for hold in batch.blob_holds])
    if batch.snapshots:
        write_snapshots(cursor, batch)
    if batch.snapshot_deletes:
        cursor.executemany("DELETE FROM snapshots WHERE run = ?", [(run,) for run in batch.snapshot_deletes])
    if batch.request_ids:
        requests = [(batch.at_ms, *msgspec.structs.astuple(request)) for request in batch.request_ids]
        cursor.executemany(_REQUEST, requests)
    if has_notes(batch):
        write_notes(cursor, batch, counters)
    return appended


def _write_runs(cursor: sqlite3.Cursor, batch: Batch, counters: Counters) -> None:
    cursor.executemany(_RUN, [_run_values(new, batch.at_ms) for new in batch.new_runs])
    labels = [(new.namespace, name, value, new.run) for new in batch.new_runs for name, value in new.labels.items()]
    if labels:
        cursor.executemany("INSERT INTO labels VALUES (?, ?, ?, ?)", labels)
    counters.run = max(counters.run, max(new.run for new in batch.new_runs) + 1)


def _run_values(new: NewRun, at_ms: int) -> tuple[int | str | bytes, ...]:
    labels = json_text(new.labels).decode() if new.labels else ""
    ended_at_ms = at_ms if new.state >= FINAL_RUN else 0
    return (
        new.run,
        new.namespace,
        new.run_id,
        new.workflow,
        new.version,
        new.key,
        new.state,
        labels,
        new.trigger,
        new.parent,
        at_ms,
        ended_at_ms,
        new.due_at_ms,
        new.owes,
        new.keep_ms,
        new.keep_logs_ms,
    )


def _update_runs(cursor: sqlite3.Cursor, batch: Batch) -> None:
    at_ms = batch.at_ms
    updates = [
        (item.state, item.due_at_ms, item.owes, item.reason, item.state, at_ms, item.run) for item in batch.run_updates
    ]
    cursor.executemany(_UPDATE, updates)
    if cursor.rowcount != len(updates):
        raise HostdError(Kind.CONFLICT, "JOURNAL_CONFLICT", "Nothing was written: a run that changes is not there.")


def _drop_progress(cursor: sqlite3.Cursor, batch: Batch) -> None:
    ended = [(item.run,) for item in batch.run_updates if item.state >= FINAL_RUN]
    cursor.executemany("DELETE FROM progress WHERE run = ?", ended)


def _write_blob(cursor: sqlite3.Cursor, blob: Blob) -> None:
    values = (blob.namespace, blob.digest, blob.content_type, blob.data)
    cursor.execute(
        "INSERT INTO blobs (namespace, digest, content_type, data) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", values
    )
    cursor.execute(_KEEP if blob.kept else _REFER, (blob.run, blob.digest, blob.namespace))


def write_snapshots(cursor: sqlite3.Cursor, batch: Batch) -> None:
    """Write snapshots; only the newest of a run is kept."""
    rows = [
        (item.run, item.seq, item.ver, body_crc(item.seq, item.ver, item.run, item.body), item.body)
        for item in batch.snapshots
    ]
    cursor.executemany("INSERT OR REPLACE INTO snapshots VALUES (?, ?, ?, ?, ?)", rows)
