"""What the one writer numbers by, and how it finds its place again at start."""

from __future__ import annotations

import sqlite3

import msgspec

from hostd.journal.chain import FIRST_LINK, BatchHead, decode_head


class Counters(msgspec.Struct):
    """What comes next. `link` is the last batch's, `event_total` the bytes of all events ever.

    `progress`: the table may hold some, so a run that ends has to look there.
    """

    pos: int
    run: int
    batch: int
    link: bytes
    event: int = 1
    event_total: int = 0
    progress: bool = False


def keep_counters(cursor: sqlite3.Cursor, counters: Counters) -> None:
    """Write the counters down: after a delete the highest row no longer tells them."""
    values = {"next_pos": counters.pos, "next_run": counters.run, "batch": counters.batch, "link": counters.link}
    cursor.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", list(values.items()))


def load_counters(connection: sqlite3.Connection) -> Counters:
    """Return the counters of runs: what was written down, or what the last batch shows where that is further.

    From a file of any schema.
    """
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


def load_notes(connection: sqlite3.Connection, counters: Counters) -> None:
    """Set the counters of what is not a run's, in a file of this build's schema.

    SQLite itself remembers the highest number that a table ever gave out (AUTOINCREMENT).
    """
    highest = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'events'").fetchone()
    last = connection.execute("SELECT total FROM events ORDER BY number DESC LIMIT 1").fetchone()
    counters.event = int(highest[0]) + 1 if highest else 1
    counters.event_total = int(last[0]) if last else 0
    counters.progress = connection.execute("SELECT EXISTS (SELECT 1 FROM progress)").fetchone()[0] == 1


def skip_events(cursor: sqlite3.Cursor, counters: Counters, count: int) -> None:
    """Let the next event have a number `count` further on."""
    counters.event += count
    cursor.execute("DELETE FROM sqlite_sequence WHERE name = 'events'")
    cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('events', ?)", (counters.event - 1,))


def last_head(connection: sqlite3.Connection) -> BatchHead | None:
    """Return the head of the last batch that is there."""
    sql = "SELECT batch FROM records WHERE batch IS NOT NULL ORDER BY pos DESC LIMIT 1"
    row = connection.execute(sql).fetchone()
    return decode_head(row[0]) if row else None
