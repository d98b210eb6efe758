"""Copying a live journal: SQLite's backup on the writing connection, in steps between which waiting batches commit.

From any other connection every commit makes SQLite begin the copy again (measured: never finished under load).
"""

from __future__ import annotations

import os
import random
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from hostd.errors.base import HostdError, Kind
from hostd.journal.counters import load_counters
from hostd.journal.faults import as_hostd_error
from hostd.journal.opening import renew
from hostd.journal.schema import migrate

STEP_PAGES = 256
Progress = Callable[[int, int], None]
"""Called with (pages done, pages in all)."""


def copy_journal(
    source: sqlite3.Connection,
    target: Path,
    *,
    between: Callable[[], None],
    progress: Progress | None,
    randomness: random.Random,
) -> int:
    """Write a consistent copy and return its size in bytes.

    The copy has a journal id of its own, so that no token or sidecar of the source is taken for the copy's. It appears
    under its name when it is whole and flushed.

    Args:
        between: called between steps; may write to `source`.

    Raises:
        HostdError: ARGUMENT_INVALID where something is in the way, JOURNAL_FULL and the like.
    """
    if target.exists():
        raise HostdError(Kind.EXISTS, "ARGUMENT_INVALID", f"{target} exists; a backup overwrites nothing.")
    partial = target.with_name(target.name + ".partial")
    try:
        _clear(partial)  # of a backup that was killed
        os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        _copy(source, partial, between=between, progress=progress, randomness=randomness)
        _flush(partial)
        os.rename(partial, target)
        _flush(target.parent)
    except sqlite3.Error as error:
        raise as_hostd_error(error) from error
    except OSError as error:
        message = f"The backup to {target} failed: {error}."
        raise HostdError(Kind.UNAVAILABLE, "JOURNAL_FAILED", message) from error
    finally:
        with suppress(OSError):
            _clear(partial)
    return target.stat().st_size


def _copy(
    source: sqlite3.Connection,
    partial: Path,
    *,
    between: Callable[[], None],
    progress: Progress | None,
    randomness: random.Random,
) -> None:
    def step(_status: int, remaining: int, total: int) -> None:
        if progress is not None:
            progress(total - remaining, total)
        between()

    copy = sqlite3.connect(partial, isolation_level=None)
    try:
        source.backup(copy, pages=STEP_PAGES, progress=step, sleep=0.01)
        copy.execute("PRAGMA journal_mode = DELETE").fetchall()  # one file, nothing beside it
        migrate(copy)  # of a journal that an older hostd left
        renew(copy, load_counters(copy), randomness)
    finally:
        copy.close()


def _clear(partial: Path) -> None:
    """Remove an unfinished copy and what SQLite left beside it, which would be played into the next one."""
    for ending in ("", "-journal", "-wal", "-shm"):
        partial.with_name(partial.name + ending).unlink(missing_ok=True)


def _flush(path: Path) -> None:
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
