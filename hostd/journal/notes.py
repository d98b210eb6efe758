"""A batch in SQL, second half: what is not a run's. Inside a transaction that somebody else begins and ends.

Events are numbered here, by the one writer, so that a batch can say which numbers its events got.
"""

from __future__ import annotations

import sqlite3

import msgspec

from hostd.journal.chain import body_crc, key_crc
from hostd.journal.counters import Counters
from hostd.journal.port import EVENT_FIXED_BYTES, Batch, EventRow, KvWrite
from hostd.model.states import FINAL_RUN

_VERSION = """INSERT INTO versions (namespace, workflow, version, digest, document, source, description,
    registered_at_ms, principal) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"""
_EVENT = """INSERT INTO events (number, at_ms, namespace, workflow, trigger, event_id, body, outcome, run_ids, topic,
    type, total) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
_DEDUP = "INSERT INTO dedup (at_ms, namespace, scope, event_id, run_ids) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
_LETTER = """INSERT INTO dead_letters (at_ms, namespace, workflow, trigger, event_id, body, reason, message)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)"""
_KV = """INSERT INTO kv (namespace, key, version, expires_at_ms, crc, value) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (namespace, key) DO UPDATE SET version = excluded.version, expires_at_ms = excluded.expires_at_ms,
    crc = excluded.crc, value = excluded.value"""
_PROGRESS = f"""INSERT OR REPLACE INTO progress SELECT ?, ?, ?, ?
    WHERE EXISTS (SELECT 1 FROM runs WHERE run = ? AND state < {int(FINAL_RUN)})"""

_json_text = msgspec.json.Encoder().encode


def has_notes(batch: Batch) -> bool:
    """Say whether a batch holds anything that `write_notes` writes."""
    return bool(
        batch.versions
        or batch.version_deletes
        or batch.workflows
        or batch.workflow_deletes
        or batch.triggers
        or batch.trigger_deletes
        or batch.own_triggers
        or batch.own_trigger_deletes
        or batch.events
        or batch.dedup
        or batch.dead_letters
        or batch.dead_letters_met
        or batch.kv
        or batch.progress
        or batch.obligations
        or batch.obligations_met
        or batch.audit
    )


def write_notes(cursor: sqlite3.Cursor, batch: Batch, counters: Counters) -> None:
    """Write definitions, triggers, events and the like, moving the counters on."""
    _write_definitions(cursor, batch)
    _write_events(cursor, batch, counters)
    for write in batch.kv:
        _write_key(cursor, write)
    if batch.progress:
        counters.progress = True
        rows = [
            (item.run, item.step, body_crc(item.step, 0, item.run, item.body), item.body, item.run)
            for item in batch.progress
        ]
        cursor.executemany(_PROGRESS, rows)
    if batch.obligations:
        obligations = [msgspec.structs.astuple(item) for item in batch.obligations]
        cursor.executemany("INSERT OR REPLACE INTO obligations VALUES (?, ?, ?, ?)", obligations)
    if batch.obligations_met:
        cursor.executemany("DELETE FROM obligations WHERE number = ?", [(number,) for number in batch.obligations_met])
    if batch.audit:
        audit = [(batch.at_ms, *msgspec.structs.astuple(item)) for item in batch.audit]
        sql = "INSERT INTO audit (at_ms, namespace, principal, verb, resource, details) VALUES (?, ?, ?, ?, ?, ?)"
        cursor.executemany(sql, audit)


def _write_definitions(cursor: sqlite3.Cursor, batch: Batch) -> None:
    many, values = cursor.executemany, msgspec.structs.astuple
    if batch.versions:
        many(_VERSION, [values(item) for item in batch.versions])
    if batch.version_deletes:
        many("DELETE FROM versions WHERE namespace = ? AND workflow = ? AND version = ?", batch.version_deletes)
    if batch.workflows:
        many("INSERT OR REPLACE INTO workflows VALUES (?, ?, ?, ?, ?)", [values(item) for item in batch.workflows])
    if batch.workflow_deletes:
        many("DELETE FROM workflows WHERE namespace = ? AND workflow = ?", batch.workflow_deletes)
    if batch.triggers:
        rows = [values(item) for item in batch.triggers]
        many("INSERT OR REPLACE INTO triggers VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
    if batch.trigger_deletes:
        many("DELETE FROM triggers WHERE namespace = ? AND workflow = ? AND name = ?", batch.trigger_deletes)
    if batch.own_triggers:
        own = [values(item) for item in batch.own_triggers]
        many("INSERT OR REPLACE INTO own_triggers VALUES (?, ?, ?, ?, ?, ?, ?, ?)", own)
    if batch.own_trigger_deletes:
        many("DELETE FROM own_triggers WHERE namespace = ? AND name = ?", batch.own_trigger_deletes)


def _write_events(cursor: sqlite3.Cursor, batch: Batch, counters: Counters) -> None:
    many, at_ms = cursor.executemany, batch.at_ms
    if batch.events:
        many(_EVENT, [_event_values(event, at_ms, counters) for event in batch.events])
    if batch.dedup:
        many(_DEDUP, [(at_ms, d.namespace, d.scope, d.event_id, _texts(d.run_ids)) for d in batch.dedup])
    if batch.dead_letters:
        many(_LETTER, [(at_ms, *msgspec.structs.astuple(letter)) for letter in batch.dead_letters])
    if batch.dead_letters_met:
        many("DELETE FROM dead_letters WHERE number = ?", [(number,) for number in batch.dead_letters_met])


def _event_values(event: EventRow, at_ms: int, counters: Counters) -> tuple[int | str | bytes, ...]:
    number = counters.event
    counters.event += 1
    counters.event_total += len(event.body) + EVENT_FIXED_BYTES
    return (
        number,
        at_ms,
        event.namespace,
        event.workflow,
        event.trigger,
        event.event_id,
        event.body,
        event.outcome,
        _texts(event.run_ids),
        event.topic,
        event.type,
        counters.event_total,
    )


def _write_key(cursor: sqlite3.Cursor, write: KvWrite) -> None:
    if not write.value:
        raise_floor(cursor, write.version)
        cursor.execute("DELETE FROM kv WHERE namespace = ? AND key = ?", (write.namespace, write.key))
        return
    values = (write.namespace, write.key, write.version, write.expires_at_ms, key_crc(write), write.value)
    cursor.execute(_KV, values)


def raise_floor(cursor: sqlite3.Cursor, version: int) -> None:
    """Remember that a key of that version goes: none that begins anew may have it again."""
    sql = """INSERT INTO meta VALUES ('kv_floor', ?)
        ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)"""
    cursor.execute(sql, (version,))


def _texts(texts: tuple[str, ...]) -> str:
    """Return a JSON array, or nothing for none."""
    return _json_text(texts).decode() if texts else ""
