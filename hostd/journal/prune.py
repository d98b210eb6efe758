"""Retention: each call deletes a bounded number of things in one short transaction on the writer."""

from __future__ import annotations

import sqlite3

from hostd.journal.deletes import delete_runs, move_pruned
from hostd.journal.port import Retention
from hostd.journal.statements import Counters
from hostd.model.ids import stored_id
from hostd.model.states import FINAL_RUN

SCAN_RUNS = 5_000
RUNS_A_CALL = 50  # a run may have thousands of records
_BY_AGE = (
    ("request_ids", "request_ids_ms"),
    ("events", "events_ms"),
    ("dead_letters", "dead_letters_ms"),
    ("dedup", "dedup_ms"),
)
_RUNS = f"SELECT run, ended_at_ms, owes, state, parent, run_id FROM runs WHERE run > ? ORDER BY run LIMIT {SCAN_RUNS}"


class Pruner:
    """Remembers how far it has looked, so that old runs that stay are not looked at on every call."""

    def __init__(self) -> None:
        self._looked_at = 0
        self.deleted: list[bytes] = []  # run ids (stored form) of the last call, for their logs

    def prune(
        self, cursor: sqlite3.Cursor, counters: Counters, *, now_ms: int, retention: Retention, limit: int
    ) -> int:
        """Delete up to `limit` things; return how many. Inside a transaction of the caller's."""
        self.deleted = []
        gone = (
            self._runs(cursor, counters, before_ms=now_ms - retention.runs_ms, limit=limit) if retention.runs_ms else 0
        )
        for table, field in _BY_AGE:
            keep_ms = getattr(retention, field)
            if keep_ms and gone < limit:
                gone += _by_age(cursor, table, now_ms - keep_ms, limit - gone)
        if retention.dedup_per_trigger and gone < limit:
            gone += _dedup_beyond(cursor, retention.dedup_per_trigger, limit - gone)
        if retention.runs_ms and gone < limit:
            _drop_marks(cursor, now_ms - retention.runs_ms, limit - gone)
        return gone

    def _runs(self, cursor: sqlite3.Cursor, counters: Counters, *, before_ms: int, limit: int) -> int:
        found = cursor.execute(_RUNS, (self._looked_at,)).fetchall()
        past: list[int] = []
        for run, ended_at_ms, owes, state, parent, run_id in found:
            if len(past) >= min(limit, RUNS_A_CALL):
                break
            self._looked_at = run
            final = state >= FINAL_RUN and not owes and 0 < ended_at_ms <= before_ms
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


def _by_age(cursor: sqlite3.Cursor, table: str, before_ms: int, limit: int) -> int:
    oldest = f"SELECT number, at_ms FROM {table} ORDER BY number LIMIT ?"
    past = [(number,) for number, at_ms in cursor.execute(oldest, (limit,)).fetchall() if at_ms <= before_ms]
    cursor.executemany(f"DELETE FROM {table} WHERE number = ?", past)
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


def _drop_marks(cursor: sqlite3.Cursor, before_ms: int, limit: int) -> None:
    """Delete old marks of batches without records, but never the newest: it tells the batch number."""
    sql = "SELECT pos, at_ms FROM records WHERE run = 0 AND pos < (SELECT max(pos) FROM records) ORDER BY seq LIMIT ?"
    past = [(pos,) for pos, at_ms in cursor.execute(sql, (limit,)).fetchall() if at_ms <= before_ms]
    cursor.executemany("DELETE FROM records WHERE pos = ?", past)
