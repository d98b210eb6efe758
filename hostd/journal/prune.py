"""Retention: each call deletes a bounded number of things in one short transaction on the writer."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from hostd.journal.counters import Counters
from hostd.journal.deletes import delete_runs, move_pruned
from hostd.journal.notes import raise_floor
from hostd.journal.port import EVENT_FIXED_BYTES, Retention
from hostd.model.ids import stored_id
from hostd.model.states import FINAL_RUN

SCAN_RUNS = 5_000
PAGES_A_CALL = 20
RUNS_A_CALL = 50  # a run may have thousands of records
_MARKS = """SELECT seq, at_ms FROM records WHERE run = 0 AND pos < (SELECT max(pos) FROM records) AND seq > ?
    ORDER BY seq LIMIT ?"""
_BY_AGE = (
    ("request_ids", "request_ids_ms"),
    ("events", "events_ms"),
    ("dead_letters", "dead_letters_ms"),
    ("dedup", "dedup_ms"),
    ("audit", "audit_ms"),
)
_EXPIRED = """SELECT number, version FROM kv INDEXED BY kv_expires
    WHERE expires_at_ms > 0 AND expires_at_ms <= ? ORDER BY expires_at_ms LIMIT ?"""
_GONE = """INSERT INTO meta VALUES ('events_gone_ms', ?), ('events_gone_to', ?)
    ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)"""
_RUNS = f"""SELECT run, ended_at_ms, owes, state, parent, run_id, keep_ms FROM runs WHERE run > ?
    ORDER BY run LIMIT {SCAN_RUNS}"""


class Pruner:
    """Remembers how far it has looked, so that old runs that stay are not looked at on every call."""

    def __init__(self) -> None:
        self._looked_at = 0
        self._aged = {name: _Aged() for name in (*(table for table, _ in _BY_AGE), "marks")}
        self.deleted: list[bytes] = []  # run ids (stored form) of the last call, for their logs

    def prune(
        self, cursor: sqlite3.Cursor, counters: Counters, *, now_ms: int, retention: Retention, limit: int
    ) -> int:
        """Delete up to `limit` things; return how many. Inside a transaction of the caller's."""
        self.deleted = []
        gone = self._runs(cursor, counters, now_ms=now_ms, keep_ms=retention.runs_ms, limit=limit)
        for table, field in _BY_AGE:
            keep_ms = getattr(retention, field)
            if keep_ms and gone < limit:
                gone += _by_age(cursor, table, self._aged[table], now_ms=now_ms, keep_ms=keep_ms, limit=limit - gone)
        if retention.dedup_per_trigger and gone < limit:
            gone += _dedup_beyond(cursor, retention.dedup_per_trigger, limit - gone)
        if retention.events_bytes and gone < limit:
            gone += _events_beyond(cursor, retention.events_bytes, limit - gone)
        if gone < limit:
            gone += _expired(cursor, now_ms, limit - gone)
        if retention.runs_ms and gone < limit:
            _drop_marks(cursor, self._aged["marks"], now_ms=now_ms, keep_ms=retention.runs_ms, limit=limit - gone)
        return gone

    def _runs(self, cursor: sqlite3.Cursor, counters: Counters, *, now_ms: int, keep_ms: int, limit: int) -> int:
        found = cursor.execute(_RUNS, (self._looked_at,)).fetchall()
        past: list[int] = []
        for run, ended_at_ms, owes, state, parent, run_id, own_ms in found:
            if len(past) >= min(limit, RUNS_A_CALL):
                break
            self._looked_at = run
            keep = own_ms or keep_ms
            final = state >= FINAL_RUN and not owes and keep and 0 < ended_at_ms <= now_ms - keep
            if final and not (parent and _lives(cursor, parent)):
                past.append(run)
                self.deleted.append(run_id)
        else:
            self._looked_at = 0 if len(found) < SCAN_RUNS else self._looked_at
        if past:
            move_pruned(cursor, delete_runs(cursor, past, counters))
        return len(past)


def _lives(cursor: sqlite3.Cursor, parent: str) -> bool:
    sql = f"SELECT 1 FROM runs WHERE run_id = ? AND state < {int(FINAL_RUN)}"
    return cursor.execute(sql, (stored_id(parent),)).fetchone() is not None


class _Aged:
    """The oldest rows of a table. What a clock that was ahead has written keeps nobody from looking behind it."""

    def __init__(self) -> None:
        self._begin = 0  # rows up to here are of times to come
        self._soonest_ms = 0

    def past(self, cursor: sqlite3.Cursor, sql: str, *, now_ms: int, keep_ms: int, limit: int) -> list[tuple[int, int]]:
        """Return up to `limit` rows (number, at_ms) past retention. `sql` takes a number and how many behind it."""
        before_ms = now_ms - keep_ms
        if self._soonest_ms <= before_ms:
            self._begin, self._soonest_ms = 0, 0
        for _ in range(PAGES_A_CALL):
            page = cursor.execute(sql, (self._begin, limit)).fetchall()
            past = [row for row in page if row[1] <= before_ms]
            if past or len(page) < limit or any(at_ms <= now_ms for _, at_ms in page):
                return past
            self._begin = page[-1][0]
            self._soonest_ms = min(at_ms for _, at_ms in [*page, (0, self._soonest_ms or page[0][1])])
        return []


def _by_age(cursor: sqlite3.Cursor, table: str, aged: _Aged, *, now_ms: int, keep_ms: int, limit: int) -> int:
    oldest = f"SELECT number, at_ms FROM {table} WHERE number > ? ORDER BY number LIMIT ?"
    past = aged.past(cursor, oldest, now_ms=now_ms, keep_ms=keep_ms, limit=limit)
    if table == "events":
        _note_gone(cursor, past)
    cursor.executemany(f"DELETE FROM {table} WHERE number = ?", [(number,) for number, _ in past])
    return len(past)


def _note_gone(cursor: sqlite3.Cursor, past: list[tuple[int, int]]) -> None:
    """Keep the latest time and number of events that go: after the wall went back no event that is left tells them."""
    if past:
        cursor.execute(_GONE, (max(at_ms for _, at_ms in past), max(number for number, _ in past)))


def _events_beyond(cursor: sqlite3.Cursor, keep_bytes: int, limit: int) -> int:
    """Delete the oldest events while they and all after them count more. `total` rises from event to event."""
    newest = cursor.execute("SELECT total FROM events ORDER BY number DESC LIMIT 1").fetchone()
    if newest is None:
        return 0
    sql = f"SELECT number, at_ms, total - length(body) - {EVENT_FIXED_BYTES} FROM events ORDER BY number LIMIT ?"
    past = []
    with closing(cursor.connection.execute(sql, (limit,))) as oldest:
        for number, at_ms, before in oldest:
            if newest[0] - before <= keep_bytes:
                break
            past.append((number, at_ms))
    _note_gone(cursor, past)
    cursor.executemany("DELETE FROM events WHERE number = ?", [(number,) for number, _ in past])
    return len(past)


def _dedup_beyond(cursor: sqlite3.Cursor, keep: int, limit: int) -> int:
    crowded = "SELECT namespace, scope, count(*) FROM dedup GROUP BY namespace, scope HAVING count(*) > ?"
    gone = 0
    for namespace, scope, count in cursor.execute(crowded, (keep,)).fetchall():
        oldest = "SELECT number FROM dedup WHERE namespace = ? AND scope = ? ORDER BY number LIMIT ?"
        past = cursor.execute(oldest, (namespace, scope, min(count - keep, limit - gone))).fetchall()
        cursor.executemany("DELETE FROM dedup WHERE number = ?", past)
        gone += len(past)
    return gone


def _expired(cursor: sqlite3.Cursor, now_ms: int, limit: int) -> int:
    past = cursor.execute(_EXPIRED, (now_ms, limit)).fetchall()
    if past:
        raise_floor(cursor, max(version for _, version in past))
        cursor.executemany("DELETE FROM kv WHERE number = ?", [(number,) for number, _ in past])
    return len(past)


def _drop_marks(cursor: sqlite3.Cursor, aged: _Aged, *, now_ms: int, keep_ms: int, limit: int) -> None:
    """Delete old marks of batches without records, but never the newest: it tells the batch number."""
    past = aged.past(cursor, _MARKS, now_ms=now_ms, keep_ms=keep_ms, limit=limit)
    cursor.executemany("DELETE FROM records WHERE run = 0 AND seq = ?", [(seq,) for seq, _ in past])
