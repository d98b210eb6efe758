"""Opening a journal file: settings, migrations, identity, and whether something acknowledged is missing."""

from __future__ import annotations

import os
import random
import sqlite3
import sys
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import msgspec

from hostd.errors.base import HostdError, Kind
from hostd.journal.chain import FIRST_LINK, decode_head
from hostd.journal.counters import Counters, keep_counters, load_counters, load_notes, skip_events
from hostd.journal.faults import SQLITE_ERRORS, as_hostd_error
from hostd.journal.schema import migrate
from hostd.journal.sidecar import LastSeen
from hostd.journal.wal import WalFrames

BUSY_MS = 100
WAL_PAGES = 1_000
NUMBERS_SKIPPED = 1_000_000
"""How far positions and run keys jump after a loss was accepted: past any that were given out and are gone."""

_SETTINGS = (
    f"PRAGMA busy_timeout = {BUSY_MS}",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = OFF",
    "PRAGMA temp_store = MEMORY",
)
_MAC_SETTINGS = ("PRAGMA fullfsync = 1", "PRAGMA checkpoint_fullfsync = 1")


class Opened(NamedTuple):
    """A journal file that is open for writing."""

    connection: sqlite3.Connection
    counters: Counters
    journal_id: str
    mac_key: bytes
    schema_version: int
    notices: tuple[str, ...]


def connect(path: Path, *, wal_pages: int = WAL_PAGES) -> sqlite3.Connection:
    """Return the writing connection, in autocommit mode, set for durability. Raises HostdError JOURNAL_*."""
    _make_private(path)
    try:
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    except SQLITE_ERRORS as error:
        raise as_hostd_error(error) from error
    settings = (
        *_SETTINGS,
        f"PRAGMA wal_autocheckpoint = {wal_pages}",
        *(_MAC_SETTINGS if sys.platform == "darwin" else ()),
    )
    try:
        for setting in settings:
            connection.execute(setting).fetchall()
    except SQLITE_ERRORS as error:
        connection.close()
        told = as_hostd_error(error)
        raise HostdError(told.kind, told.reason, f"{path}: {told.message}", retry_after_s=told.retry_after_s) from error
    return connection


def _make_private(path: Path) -> None:
    """Make a new file readable by its owner only, whatever the folder and the umask allow; SQLite's files follow it."""
    with suppress(OSError):  # it is there, or SQLite will say why it cannot be
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))


def open_file(
    path: Path,
    *,
    frames: WalFrames,
    seen: LastSeen | None,
    accept_loss: bool,
    randomness: random.Random,
    wal_pages: int,
) -> Opened:
    """Open, migrate and verify.

    Args:
        frames: what the WAL file showed before (`read_wal`).
        seen: what the sidecar says.
        accept_loss: go on where acknowledged batches are missing.

    Raises:
        HostdError: JOURNAL_CORRUPT, JOURNAL_TRUNCATED, JOURNAL_TOO_NEW, JOURNAL_MIGRATION, JOURNAL_READ_ONLY, ...
    """
    if seen is not None and seen.number and not accept_loss and not (path.exists() and path.stat().st_size):
        message = f"There is no journal at {path}, and {seen.number} batches were durable there."
        raise HostdError(Kind.CORRUPT, "JOURNAL_TRUNCATED", message)
    connection = connect(path, wal_pages=wal_pages)
    try:
        taken = _frames_taken(connection)
        version = migrate(connection)
        journal_id, mac_key = _identity(connection, randomness)
        counters = load_counters(connection)
        load_notes(connection, counters)
        ours = seen if seen is not None and seen.journal_id == journal_id else None
        loss, notices = _missing(connection, counters, frames=frames, taken=taken, seen=ours)
        if loss and not accept_loss:
            raise HostdError(Kind.CORRUPT, "JOURNAL_TRUNCATED", loss)
        if loss:
            journal_id = _go_on(connection, counters, seen=ours, randomness=randomness)
            notices = (*notices, f"accepted: {loss}")
    except (*SQLITE_ERRORS, msgspec.DecodeError, TypeError) as error:
        connection.close()
        raise _damaged(error) from error
    except BaseException:
        connection.close()
        raise
    return Opened(connection, counters, journal_id, mac_key, version, notices)


def _damaged(error: BaseException) -> HostdError:
    if isinstance(error, sqlite3.Error):
        return as_hostd_error(error)
    return HostdError(Kind.CORRUPT, "JOURNAL_CORRUPT", f"The journal's file is damaged: {error}.")


def _identity(connection: sqlite3.Connection, randomness: random.Random) -> tuple[str, bytes]:
    """Return journal id and MAC key, made when the journal is new."""
    new = {"journal_id": randomness.randbytes(16).hex(), "mac_key": randomness.randbytes(32)}
    connection.executemany("INSERT OR IGNORE INTO meta VALUES (?, ?)", list(new.items()))
    kept = dict(connection.execute("SELECT name, value FROM meta WHERE name IN ('journal_id', 'mac_key')"))
    return kept["journal_id"], kept["mac_key"]


def _frames_taken(connection: sqlite3.Connection) -> int:
    """Return how many frames of the WAL SQLite takes; a checkpoint tells (and moves them, which loses nothing)."""
    return max(0, int(connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()[1]))


def journal_id_of(connection: sqlite3.Connection) -> str:
    """Return the id of an open journal file; empty where it has none."""
    found = connection.execute("SELECT value FROM meta WHERE name = 'journal_id'").fetchone()
    return str(found[0]) if found else ""


def missing_batches(
    connection: sqlite3.Connection, *, frames: WalFrames, seen: LastSeen
) -> tuple[str, tuple[str, ...]]:
    """Say, of a file that is only read, what acknowledged batches are missing and what else is worth a line."""
    counters = load_counters(connection)
    return _missing(connection, counters, frames=frames, taken=frames.last_of_pass, seen=seen)


def _missing(
    connection: sqlite3.Connection, counters: Counters, *, frames: WalFrames, taken: int, seen: LastSeen | None
) -> tuple[str, tuple[str, ...]]:
    """Return what acknowledged batches are missing (empty for none), and what is worth a line in the log."""
    if seen is not None and counters.batch < seen.number:
        lost = seen.number - counters.batch
        return (
            f"The journal lost {lost} acknowledged batches: it ends at {counters.batch}, {seen.number} was durable.",
            (),
        )
    if seen is not None and not _same_history(connection, counters, seen):
        return f"Batch {seen.number} is not the one that was acknowledged: the file is of another time.", ()
    beyond = frames.lost_after(taken)
    if beyond > 1:
        return f"The journal's WAL is damaged after frame {taken}; it lost up to {beyond} acknowledged batches.", ()
    if seen is not None and not seen.clean and frames.size_bytes >= 0 and frames.was_cut(seen.wal_bytes):
        was = f"{frames.size_bytes} of {seen.wal_bytes} bytes are left"
        return f"The journal's WAL was cut ({was}); it may have lost acknowledged batches after {counters.batch}.", ()
    if frames.last_of_pass > taken:
        return "", ("the last transaction was not whole and was dropped, as when power fails while it is written",)
    return "", ()


def _same_history(connection: sqlite3.Connection, counters: Counters, seen: LastSeen) -> bool:
    """Say whether the batch that was seen is in this file; a batch that retention took proves nothing."""
    if counters.batch == seen.number:
        return counters.link == seen.link
    sql = "SELECT batch FROM records WHERE pos < ? AND batch IS NOT NULL ORDER BY pos DESC LIMIT 1"
    found = connection.execute(sql, (seen.next_pos,)).fetchone()
    head = decode_head(found[0]) if found else None
    return head is None or head.number != seen.number or head.link == seen.link


def _go_on(
    connection: sqlite3.Connection, counters: Counters, *, seen: LastSeen | None, randomness: random.Random
) -> str:
    """Continue past what was lost: no number is given out twice, and tokens of the old history end with its id."""
    counters.pos = max(counters.pos, seen.next_pos if seen else 0) + NUMBERS_SKIPPED
    counters.run = max(counters.run, seen.next_run if seen else 0) + NUMBERS_SKIPPED
    counters.batch = max(counters.batch, seen.number if seen else 0) + 1
    counters.link = FIRST_LINK
    skip_events(connection.cursor(), counters, NUMBERS_SKIPPED)
    return renew(connection, counters, randomness)


def renew(connection: sqlite3.Connection, counters: Counters, randomness: random.Random) -> str:
    """Give the journal a new id (a restore or an accepted loss: watchers must begin anew) and return it."""
    journal_id = randomness.randbytes(16).hex()
    cursor = connection.cursor()
    cursor.execute("BEGIN IMMEDIATE")
    keep_counters(cursor, counters)
    cursor.execute("UPDATE meta SET value = ? WHERE name = 'journal_id'", (journal_id,))
    cursor.execute("COMMIT")
    return journal_id
