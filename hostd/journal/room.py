"""What room a journal takes, and giving it back: a checkpoint while it serves, VACUUM while nobody else has it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from hostd.journal.faults import SQLITE_ERRORS, as_hostd_error
from hostd.journal.port import NamespaceRow, Room

_NAMESPACES = """SELECT namespace, sum(workflows), sum(runs), sum(open_runs) FROM (
    SELECT namespace, count(*) AS workflows, 0 AS runs, 0 AS open_runs FROM workflows GROUP BY namespace
    UNION ALL SELECT namespace, 0, count(*), 0 FROM runs INDEXED BY runs_workflow GROUP BY namespace
    UNION ALL SELECT namespace, 0, 0, count(*) FROM runs INDEXED BY runs_open WHERE (state < 10 OR owes) AND state < 10
        GROUP BY namespace
    UNION ALL SELECT DISTINCT namespace, 0, 0, 0 FROM own_triggers
    UNION ALL SELECT DISTINCT namespace, 0, 0, 0 FROM kv INDEXED BY kv_key
    UNION ALL SELECT DISTINCT namespace, 0, 0, 0 FROM events INDEXED BY events_namespace
) GROUP BY namespace ORDER BY namespace"""


def checkpoint(connection: sqlite3.Connection, path: Path) -> Room:
    """Begin the log anew, where no reader holds it, and return what room is taken. On the writing connection.

    The log's file keeps its size: one that got shorter is how a loss is found at the next start.
    """
    try:
        connection.execute("PRAGMA wal_checkpoint(RESTART)").fetchall()
        return room_of(connection, path)
    except SQLITE_ERRORS as error:
        raise as_hostd_error(error) from error


def vacuum(connection: sqlite3.Connection, path: Path) -> Room:
    """Write the file anew without free room; needs about as much on the disk. Nobody else may use the journal."""
    try:
        connection.execute("VACUUM").fetchall()
        connection.execute("PRAGMA wal_checkpoint(RESTART)").fetchall()
        return room_of(connection, path)
    except SQLITE_ERRORS as error:
        raise as_hostd_error(error, writing=True) from error


def room_of(connection: sqlite3.Connection, path: Path) -> Room:
    """Return what room is taken."""
    free, page = (int(connection.execute(f"PRAGMA {name}").fetchone()[0]) for name in ("freelist_count", "page_size"))
    return Room(size_of(path), free * page)


def size_of(path: Path) -> int:
    """Return the bytes of the file and its log."""
    files = (path, path.with_name(path.name + "-wal"))
    return sum(file.stat().st_size for file in files if file.exists())


def namespaces(connection: sqlite3.Connection) -> list[NamespaceRow]:
    """Return what each namespace holds, by name."""
    return [NamespaceRow(*found) for found in connection.execute(_NAMESPACES).fetchall()]
