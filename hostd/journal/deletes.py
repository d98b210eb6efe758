"""Deleting runs with all that is theirs."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from hostd.journal.counters import Counters, keep_counters

_OF_A_RUN = ("records", "snapshots", "progress", "runs")


def delete_runs(cursor: sqlite3.Cursor, runs: Sequence[int], counters: Counters) -> int:
    """Delete runs, their records, labels, snapshots, progress and blob references, and blobs nobody else refers to.

    Inside a transaction of the caller's. Returns the highest position that went, 0 for none.
    """
    keys = [(run,) for run in runs]
    highest = 0
    for key in keys:
        highest = max(
            highest, cursor.execute("SELECT coalesce(max(pos), 0) FROM records WHERE run = ?", key).fetchone()[0]
        )
        _delete_labels(cursor, key)
        _delete_blobs(cursor, key)
    for table in _OF_A_RUN:
        cursor.executemany(f"DELETE FROM {table} WHERE run = ?", keys)
    keep_counters(cursor, counters)
    return highest


def move_pruned(cursor: sqlite3.Cursor, pos: int) -> None:
    """Remember up to where records may be missing: what resumes from before cannot be complete."""
    sql = """INSERT INTO meta VALUES ('pruned_pos', ?)
        ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)"""
    cursor.execute(sql, (pos,))


def _delete_labels(cursor: sqlite3.Cursor, key: tuple[int]) -> None:
    found = cursor.execute(
        "SELECT namespace, label.key, label.value, run FROM runs, json_each(nullif(runs.labels, '')) AS label"
        " WHERE run = ? AND runs.labels <> ''",
        key,
    ).fetchall()
    cursor.executemany("DELETE FROM labels WHERE namespace = ? AND name = ? AND value = ? AND run = ?", found)


def _delete_blobs(cursor: sqlite3.Cursor, key: tuple[int]) -> None:
    blobs = cursor.execute("SELECT blob FROM blob_refs WHERE run = ?", key).fetchall()
    if not blobs:
        return
    cursor.execute("DELETE FROM blob_refs WHERE run = ?", key)
    unreferenced = "DELETE FROM blobs WHERE blob = ? AND NOT EXISTS (SELECT 1 FROM blob_refs WHERE blob = ?)"
    cursor.executemany(unreferenced, [(blob, blob) for (blob,) in blobs])
