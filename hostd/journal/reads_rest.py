"""Reading SQLite: what is not a run. Short statements, pages by number; see pool.py."""

from __future__ import annotations

from collections.abc import Sequence

from hostd.journal import rows
from hostd.journal.pool import ReadPool
from hostd.journal.port import (
    Blob,
    KvWrite,
    Obligation,
    OwnTriggerRow,
    RequestId,
    TriggerRow,
    WorkflowRow,
    WorkflowVersion,
)

_VERSION = (
    "SELECT namespace, workflow, version, digest, document, source, description, registered_at_ms, principal"
    " FROM versions WHERE namespace = ? AND workflow = ?"
)
_KEY = "SELECT namespace, key, value, version, expires_at_ms, crc FROM kv WHERE namespace = ?"
_REQUEST = "SELECT digest, reference FROM request_ids WHERE namespace = ? AND verb = ? AND request_id = ?"
_EVENTS_OF = """SELECT event_id, run_ids FROM events INDEXED BY events_namespace
    WHERE namespace = ? AND number > ? AND number <= ? AND workflow = ? AND trigger = ?"""
_SEEN = "SELECT run_ids FROM dedup WHERE namespace = ? AND scope = ? AND event_id = ?"
_BLOB = """SELECT content_type, data, coalesce((SELECT min(run) FROM blob_refs WHERE blob_refs.blob = blobs.blob), 0)
    FROM blobs WHERE digest = ? AND namespace = ?"""
_KEPT = "SELECT digest, length(data) FROM blob_refs JOIN blobs USING (blob) WHERE run = ? AND kept"


class RestReads:
    """The part of the port that reads workflows, triggers, durable keys and the like."""

    _pool: ReadPool

    def blob(self, namespace: str, digest: bytes) -> Blob | None:
        with self._pool.connection() as connection:
            found = connection.execute(_BLOB, (digest, namespace)).fetchone()
        return rows.blob(namespace, digest, found) if found else None

    def kept_blobs(self, run: int) -> dict[bytes, int]:
        with self._pool.connection() as connection:
            return dict(connection.execute(_KEPT, (run,)).fetchall())

    def request_ids(self, keys: Sequence[tuple[str, str, str]]) -> dict[tuple[str, str, str], RequestId]:
        known: dict[tuple[str, str, str], RequestId] = {}
        with self._pool.connection() as connection:
            for key in keys:
                found = connection.execute(_REQUEST, key).fetchone()
                if found:
                    known[key] = RequestId(*key, *found)
        return known

    def version(self, namespace: str, workflow: str, version: str) -> WorkflowVersion | None:
        with self._pool.connection() as connection:
            found = connection.execute(_VERSION + " AND version = ?", (namespace, workflow, version)).fetchone()
        return WorkflowVersion(*found) if found else None

    def versions(self, namespace: str, workflow: str) -> list[WorkflowVersion]:
        with self._pool.connection() as connection:
            found = connection.execute(_VERSION + " ORDER BY number", (namespace, workflow)).fetchall()
        return [WorkflowVersion(*values) for values in found]

    def workflows(self, namespace: str | None = None, *, after: str = "", limit: int = 1000) -> list[WorkflowRow]:
        where, values = _namespace(namespace)
        sql = f"SELECT * FROM workflows WHERE {where} AND workflow > ? ORDER BY namespace, workflow LIMIT ?"
        with self._pool.connection() as connection:
            page = connection.execute(sql, (*values, after, limit)).fetchall()
        return [WorkflowRow(*found) for found in page]

    def workflow(self, namespace: str, workflow: str) -> WorkflowRow | None:
        sql = "SELECT * FROM workflows WHERE namespace = ? AND workflow = ?"
        with self._pool.connection() as connection:
            found = connection.execute(sql, (namespace, workflow)).fetchone()
        return WorkflowRow(*found) if found else None

    def triggers(self, namespace: str | None = None) -> list[TriggerRow]:
        where, values = _namespace(namespace)
        sql = f"SELECT * FROM triggers WHERE {where} ORDER BY namespace, workflow, name"
        with self._pool.connection() as connection:
            page = connection.execute(sql, values).fetchall()
        return [rows.trigger(found) for found in page]

    def trigger(self, namespace: str, workflow: str, name: str) -> TriggerRow | None:
        sql = "SELECT * FROM triggers WHERE namespace = ? AND workflow = ? AND name = ?"
        with self._pool.connection() as connection:
            found = connection.execute(sql, (namespace, workflow, name)).fetchone()
        return rows.trigger(found) if found else None

    def own_triggers(self, namespace: str | None = None, name: str = "") -> list[OwnTriggerRow]:
        where, values = _namespace(namespace)
        if name:
            where, values = f"{where} AND name = ?", (*values, name)
        sql = f"SELECT * FROM own_triggers WHERE {where} ORDER BY namespace, name"
        with self._pool.connection() as connection:
            page = connection.execute(sql, values).fetchall()
        return [OwnTriggerRow(*found) for found in page]

    def events_of(
        self, namespace: str, workflow: str, trigger: str, *, after: int, until: int
    ) -> dict[str, tuple[str, ...]]:
        with self._pool.connection() as connection:
            page = connection.execute(_EVENTS_OF, (namespace, after, until, workflow, trigger)).fetchall()
        return {event_id: rows.texts(run_ids) for event_id, run_ids in page}

    def first_event(self) -> int:
        with self._pool.connection() as connection:
            found = connection.execute("SELECT coalesce(min(number), 0) FROM events").fetchone()
        return int(found[0])

    def events_gone_ms(self) -> int:
        return self._number("events_gone_ms")

    def events_gone_to(self) -> int:
        return self._number("events_gone_to")

    def _number(self, name: str) -> int:
        with self._pool.connection() as connection:
            found = connection.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return int(found[0]) if found else 0

    def dedup_seen(self, namespace: str, scope: str, event_ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
        seen: dict[str, tuple[str, ...]] = {}
        with self._pool.connection() as connection:
            for event_id in event_ids:
                found = connection.execute(_SEEN, (namespace, scope, event_id)).fetchone()
                if found:
                    seen[event_id] = rows.texts(found[0])
        return seen

    def kv(self, namespace: str, keys: Sequence[str]) -> dict[str, KvWrite]:
        found: dict[str, KvWrite] = {}
        with self._pool.connection() as connection:
            for key in keys:
                values = connection.execute(_KEY + " AND key = ?", (namespace, key)).fetchone()
                if values:
                    found[key] = rows.key(values)
        return found

    def kv_floor(self) -> int:
        return self._number("kv_floor")

    def kv_list(self, namespace: str, *, prefix: str = "", after: str = "", limit: int = 100) -> list[KvWrite]:
        sql = f"{_KEY} AND key >= ? AND key > ? ORDER BY key LIMIT ?"
        with self._pool.connection() as connection:
            page = connection.execute(sql, (namespace, prefix, after, limit)).fetchall()
        return [rows.key(values) for values in page if values[1].startswith(prefix)]  # they lie together, first

    def progress(self, run: int) -> dict[int, bytes]:
        with self._pool.connection() as connection:
            page = connection.execute("SELECT run, step, crc, body FROM progress WHERE run = ?", (run,)).fetchall()
        sound = [item for item in map(rows.progress, page) if item is not None]
        return {item.step: item.body for item in sound}

    def obligations(self) -> list[Obligation]:
        sql = "SELECT number, namespace, kind, body FROM obligations ORDER BY number"
        with self._pool.connection() as connection:
            page = connection.execute(sql).fetchall()
        return [Obligation(*found) for found in page]


def _namespace(namespace: str | None) -> tuple[str, tuple[str, ...]]:
    return ("1", ()) if namespace is None else ("namespace = ?", (namespace,))
