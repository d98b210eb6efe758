"""Deleting runs with all that is theirs, and what keeps numbers from being given out again afterwards."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from hostd.journal.chain import FIRST_LINK, BatchHead, decode_head
from hostd.journal.statements import Counters

_OF_A_RUN = ("records", "snapshots", "runs")


def delete_runs(cursor: sqlite3.Cursor, runs: Sequence[int], counters: Counters) -> int:
    """Delete runs, their records, labels, snapshots and blob references, and blobs nobody else refers to.

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
    unreferenced = "DELETE FROM blobs WHERE blob = ?1 AND NOT EXISTS (SELECT 1 FROM blob_refs WHERE blob = ?1)"
    cursor.executemany(unreferenced, blobs)


def keep_counters(cursor: sqlite3.Cursor, counters: Counters) -> None:
    """Write the counters down: after a delete the highest row no longer tells them."""
    values = {"next_pos": counters.pos, "next_run": counters.run, "batch": counters.batch, "link": counters.link}
    cursor.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", list(values.items()))


def load_counters(connection: sqlite3.Connection) -> Counters:
    """Return the counters: what was written down, or what the last batch shows where that is further."""
    kept = dict(
        connection.execute("SELECT name, value FROM meta WHERE name IN ('next_pos', 'next_run', 'batch', 'link')")
    )
    counters = Counters(
        kept.get("next_pos", 1), kept.get("next_run", 1), kept.get("batch", 0), kept.get("link", FIRST_LINK)
    )
    pos = connection.execute(
        "SELECT max(pos + n) FROM (SELECT pos, n FROM records ORDER BY pos DESC LIMIT 1)"
    ).fetchone()[0]
    run = connection.execute(
        "SELECT max((SELECT coalesce(max(run), 0) FROM runs), (SELECT coalesce(max(run), 0) FROM records))"
    )
    counters.pos = max(counters.pos, pos or 0)
    counters.run = max(counters.run, run.fetchone()[0] + 1)
    head = last_head(connection)
    if head is not None and head.number > counters.batch:
        counters.batch, counters.link = head.number, head.link
    return counters


def last_head(connection: sqlite3.Connection) -> BatchHead | None:
    """Return the head of the last batch that is there."""
    sql = "SELECT batch FROM records WHERE batch IS NOT NULL ORDER BY pos DESC LIMIT 1"
    row = connection.execute(sql).fetchone()
    return decode_head(row[0]) if row else None
