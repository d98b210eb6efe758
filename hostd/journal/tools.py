"""Checking and backing up a journal file that no daemon has open: what `hostd journal` does by itself."""

from __future__ import annotations

import random
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from hostd.errors.base import HostdError, Kind
from hostd.journal.backup import copy_journal
from hostd.journal.check import check_journal, structure_faults
from hostd.journal.faults import SQLITE_ERRORS, as_hostd_error
from hostd.journal.lock import JournalLock
from hostd.journal.logs import AttemptLogs
from hostd.journal.opening import journal_id_of, missing_batches
from hostd.journal.pool import ReadPool
from hostd.journal.port import Retention
from hostd.journal.room import size_of
from hostd.journal.schema import migrations
from hostd.journal.sidecar import Sidecar
from hostd.journal.sqlite import SqliteJournal
from hostd.journal.wal import read_wal


def check_file(path: str | Path, repair: bool = False) -> Iterator[str]:
    """Yield one line a fault; nothing means sound.

    A file that a daemon has open is read in short pages beside it; one that nobody has open is also checked page by
    page of SQLite's, and against its sidecar. Nothing is changed and no file is left beside it, but with `repair`,
    which needs the file for itself.

    Raises:
        HostdError: MISSING where there is no file; JOURNAL_LOCKED for `repair` of a file that is open.
    """
    path = Path(path).absolute()
    if not path.exists():
        raise HostdError(Kind.MISSING, "JOURNAL_MISSING", f"There is no journal at {path}.")
    if repair:
        yield from _repair(path)
        return
    lock = JournalLock(path.with_suffix(".lock"))
    try:
        alone = _try(lock)
        if alone:
            yield from check_at_rest(path)
        if alone and _is_older(path):
            yield from _check_migrated(path)
        else:
            yield from check_rows(path, still=alone and not _has_wal(path))
    finally:
        lock.release()


def check_at_rest(path: Path) -> Iterator[str]:
    """Yield what only shows while nobody writes, a line a fault. Opened read-only: the WAL stays as it was found."""
    frames = read_wal(path.with_name(path.name + "-wal"))
    connection = read_still(path)
    try:
        yield from structure_faults(connection)
        seen = Sidecar(path.with_suffix(".last")).read()
        if seen is not None and seen.journal_id == journal_id_of(connection):
            loss, notices = missing_batches(connection, frames=frames, seen=seen)
            yield from (f"file: {text}" for text in (loss, *notices) if text)
    except (*SQLITE_ERRORS, msgspec.DecodeError) as error:
        yield f"file: {as_hostd_error(error)}"
    finally:
        connection.close()


def read_still(path: Path) -> sqlite3.Connection:
    """Return a connection to a file that nobody writes, which leaves nothing behind beside it."""
    target = f"{path.as_uri()}?mode=ro{'' if _has_wal(path) else '&immutable=1'}"
    return sqlite3.connect(target, uri=True, isolation_level=None)


def _is_older(path: Path) -> bool:
    """Say whether an older hostd wrote a journal, whose tables are not all there yet."""
    connection = read_still(path)
    try:
        (applied,) = connection.execute("SELECT count(*) FROM schema_migrations").fetchone()
        return 0 < int(applied) < len(migrations())
    except SQLITE_ERRORS:
        return False
    finally:
        connection.close()


def _check_migrated(path: Path) -> Iterator[str]:
    """Check what a start would make of a journal that an older hostd wrote."""
    with tempfile.TemporaryDirectory(prefix="hostd-check-") as folder:
        migrated = Path(folder) / "journal.db"
        source = read_still(path)
        try:
            copy_journal(source, migrated, between=_nothing, progress=None, randomness=random.SystemRandom())
        except HostdError as error:
            yield f"file: {error}"
            return
        finally:
            source.close()
        yield from check_rows(migrated, still=True)


def _nothing() -> None:
    """Nobody waits for a file at rest."""


def check_rows(path: Path, *, still: bool) -> Iterator[str]:
    """Yield one line a fault of what a journal of this build's schema holds.

    Args:
        still: nobody writes the file and it has no WAL.
    """
    pool = ReadPool(path, read_only=True, still=still)
    try:
        yield from check_journal(pool)
    except HostdError as error:
        yield f"file: {error}"
    finally:
        pool.close()


def _try(lock: JournalLock) -> bool:
    try:
        lock.take(make=False)
    except HostdError as error:
        return error.reason != "JOURNAL_LOCKED"  # a file on a read-only medium is nobody's
    return True


def _has_wal(path: Path) -> bool:
    wal = path.with_name(path.name + "-wal")
    return wal.exists() and wal.stat().st_size > 0


def _repair(path: Path) -> Iterator[str]:
    journal = SqliteJournal(path, randomness=random.SystemRandom())
    journal.open()
    try:
        yield from journal.repair()
        yield from journal.check()
    finally:
        journal.close()


def backup_file(path: str | Path, target: str | Path) -> int:
    """Copy a journal that no daemon has open; return the copy's size in bytes.

    Raises:
        HostdError: JOURNAL_LOCKED where a daemon has it (ask the daemon), JOURNAL_* as opening does.
    """
    path = Path(path).absolute()
    if not path.exists():
        raise HostdError(Kind.MISSING, "JOURNAL_MISSING", f"There is no journal at {path}.")
    journal = SqliteJournal(path, randomness=random.SystemRandom())
    journal.open()
    try:
        return journal.backup(str(Path(target).absolute()))
    finally:
        journal.close()


class Compacted(NamedTuple):
    """What compacting did. Sizes in bytes, of the file with its log."""

    deleted: int
    size_before_bytes: int
    size_bytes: int


def compact_file(
    path: str | Path, *, retention: Retention, now_ms: int, progress: Callable[[str, int], None]
) -> Compacted:
    """Delete what retention lets go from a journal that no daemon has open, and write the file anew without free room.

    Args:
        progress: called with what is being done and how much was deleted so far.

    Raises:
        HostdError: JOURNAL_LOCKED where a daemon has it, JOURNAL_FULL where the disk has no room for a second copy,
            JOURNAL_* as opening does.
    """
    path = Path(path).absolute()
    if not path.exists():
        raise HostdError(Kind.MISSING, "JOURNAL_MISSING", f"There is no journal at {path}.")
    before = size_of(path)
    journal = SqliteJournal(path, randomness=random.SystemRandom(), logs=AttemptLogs(path.parent / "logs"))
    journal.open()
    try:
        deleted = 0
        while gone := journal.prune(now_ms=now_ms, retention=retention):
            deleted += gone
            progress("pruning", deleted)
        progress("writing the file anew", deleted)
        journal.vacuum()
    finally:
        journal.close()
    return Compacted(deleted, before, size_of(path))
