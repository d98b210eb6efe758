"""Putting a copy in the place of the journal of a data folder that no daemon has open.

    check the copy -> stage it beside the journal -> link the old journal into aside-TIME -> rename: it is the journal

Until the rename the old journal is in place, from then on the new one: whatever ends this between two steps leaves the
one or the other, whole. For that the old journal's WAL is moved into its file first; played into the new file, what
it holds would be damage.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from hostd.errors.base import HostdError, Kind
from hostd.journal.backup import copy_journal
from hostd.journal.filesystem import prepare_folder
from hostd.journal.lock import JournalLock
from hostd.journal.schema import check_version
from hostd.journal.tools import check_at_rest, check_rows, read_still

Progress = Callable[[str], None]
FAULTS_TOLD = 3
_STAGED = "journal.restoring"
_BESIDE = ("-wal", "-shm", "-journal")
"""What SQLite lays beside a file."""


class Restored(NamedTuple):
    """What restoring did. `aside` holds the old journal, None where there was none; `earlier` what a restore before
    this one left behind that was cut off, in a sentence."""

    path: Path
    size_bytes: int
    aside: Path | None
    earlier: str


def restore_file(copy: str | Path, path: str | Path, *, now_ms: int, progress: Progress) -> Restored:
    """Check a copy of a journal and put it at `path`; what is there goes into a folder beside it.

    The journal gets an id of its own, so that nobody goes on where the old one was.

    Args:
        progress: called with what is being done.

    Raises:
        HostdError: JOURNAL_MISSING; JOURNAL_LOCKED where a daemon has either open; JOURNAL_CORRUPT, JOURNAL_TOO_NEW and
            JOURNAL_MIGRATION for a copy that will not do; JOURNAL_FULL, JOURNAL_FAILED. What was in place still is.
    """
    copy, path = Path(copy).absolute(), Path(path).absolute()
    if not copy.is_file():
        raise HostdError(Kind.MISSING, "JOURNAL_MISSING", f"There is no journal at {copy}.")
    if path.exists() and path.samefile(copy):
        raise HostdError(Kind.INVALID, "ARGUMENT_INVALID", f"{copy} is the journal itself; name a copy of it.")
    prepare_folder(path.parent)
    lock, copies_lock = JournalLock(path.with_suffix(".lock")), JournalLock(copy.with_suffix(".lock"))
    lock.take()
    try:
        _give_to_owner(path.parent, path.with_suffix(".lock"))
        if copy.with_suffix(".lock") != path.with_suffix(".lock") and os.access(copy.parent, os.W_OK):
            copies_lock.take(make=False)
        return _restore(copy, path, now_ms=now_ms, progress=progress)
    except OSError as error:
        message = f"The copy could not be put in place: {error}. Restore again: it says which journal is in place."
        raise HostdError(Kind.UNAVAILABLE, "JOURNAL_FAILED", message) from error
    finally:
        copies_lock.release()
        lock.release()


def _restore(copy: Path, path: Path, *, now_ms: int, progress: Progress) -> Restored:
    earlier = _clean_up(path)
    progress("checking the copy")
    _refuse_damaged(copy, check_at_rest(copy))
    staged = path.with_name(_STAGED)
    size_bytes = _stage(copy, staged)
    try:
        _refuse_damaged(copy, check_rows(staged, still=True))  # by this build's schema, which the copy need not have
    except HostdError:
        staged.unlink()
        raise
    _give_to_owner(path.parent, staged)
    progress("putting it in place")
    aside = _put_aside(path, now_ms=now_ms)
    staged.rename(path)
    _flush(path.parent)
    for file in (*_beside(path), path.with_suffix(".last")):
        file.unlink(missing_ok=True)
    _flush(path.parent)
    return Restored(path, size_bytes, aside, earlier)


# -- the copy


def _refuse_damaged(copy: Path, faults: Iterator[str]) -> None:
    first = list(itertools.islice(faults, FAULTS_TOLD))
    if first:
        message = f"{copy} is damaged, and nothing was changed: {'; '.join(first)}"
        raise HostdError(Kind.CORRUPT, "JOURNAL_CORRUPT", message)


def _stage(copy: Path, staged: Path) -> int:
    """Write the copy as one file, with all that its own WAL holds; return its size in bytes."""
    source = read_still(copy)
    try:
        _refuse_other_files(copy, source)
        return copy_journal(source, staged, between=lambda: None, progress=None, randomness=random.SystemRandom())
    finally:
        source.close()


def _refuse_other_files(copy: Path, source: sqlite3.Connection) -> None:
    try:
        check_version(source)
    except sqlite3.Error as error:
        message = f"{copy} is no journal, and nothing was changed: {error}"
        raise HostdError(Kind.CORRUPT, "JOURNAL_CORRUPT", message) from error


# -- what was there


def _put_aside(path: Path, *, now_ms: int) -> Path | None:
    """Give the old journal a second name in a new folder, and leave it whole in one file; None where there is none."""
    old = [file for file in (path, *_beside(path), path.with_suffix(".last")) if file.exists()]
    if not old:
        return None
    aside = _new_folder(path.parent, now_ms)
    for file in old:
        if file == path or file.suffix == ".last":
            _link(file, aside / file.name)
        elif not file.name.endswith("-shm"):
            shutil.copy2(file, aside / file.name)  # as it was found: what follows takes it apart
            _flush(aside / file.name)
    _give_to_owner(path.parent, aside, *aside.iterdir())
    _flush(aside)
    _flush(path.parent)
    if _beside(path):
        _settle(path)
    return aside


def _settle(path: Path) -> None:
    """Move what lies beside the old journal into it. A damaged one that cannot be opened is whole in its folder."""
    with contextlib.suppress(sqlite3.Error, UnicodeDecodeError):
        connection = sqlite3.connect(path, isolation_level=None)
        try:
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        finally:
            connection.close()
    for file in _beside(path):
        file.unlink(missing_ok=True)
    _flush(path)
    _flush(path.parent)


def _new_folder(beside: Path, now_ms: int) -> Path:
    stamp = datetime.fromtimestamp(now_ms / 1000, UTC).strftime("%Y%m%dT%H%M%SZ")
    for number in range(1, 1_000):
        folder = beside / (f"aside-{stamp}" if number == 1 else f"aside-{stamp}-{number}")
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o700)
            return folder
    raise FileExistsError(f"{beside}/aside-{stamp} and many more are there")


def _link(file: Path, target: Path) -> None:
    try:
        target.hardlink_to(file)
    except OSError:  # a file system without links
        shutil.copy2(file, target)
        _flush(target)


# -- what an earlier one left


def _clean_up(path: Path) -> str:
    """Take away what a restore that was cut off had begun; say whether the old or the new journal is in place."""
    said = ""
    staged = path.with_name(_STAGED)
    for ending in ("", ".partial", *(f".partial{each}" for each in _BESIDE)):
        left = staged.with_name(staged.name + ending)
        if left.exists():
            left.unlink()
            said = f"an earlier restore was cut off before its copy was in place: {path} was still the old journal"
    last = path.with_suffix(".last")
    for aside in sorted(path.parent.glob("aside-*")):
        if _same(aside / path.name, path):
            for twin in (path.name, last.name):  # second names of what is in place
                (aside / twin).unlink(missing_ok=True)
            with contextlib.suppress(OSError):  # it keeps what was copied
                aside.rmdir()
            said = f"an earlier restore was cut off before its copy was in place: {path} was still the old journal"
        elif _same(aside / last.name, last):
            said = f"an earlier restore was cut off after its copy was in place; the journal before it is in {aside}"
    return said


def _same(one: Path, other: Path) -> bool:
    return one.exists() and other.exists() and one.samefile(other)


def _beside(path: Path) -> list[Path]:
    """Return the files of SQLite's that lie beside a journal."""
    found = (path.with_name(path.name + ending) for ending in _BESIDE)
    return [file for file in found if file.exists()]


def _give_to_owner(folder: Path, *files: Path) -> None:
    """Root works for whom the data folder belongs to."""
    if os.geteuid() == 0:
        owner = folder.stat()
        for file in files:
            os.chown(file, owner.st_uid, owner.st_gid)


def _flush(path: Path) -> None:
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
