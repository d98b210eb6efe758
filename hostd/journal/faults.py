"""SQLite's errors in hostd's words: which reason each code has, and what it means for the writer."""

from __future__ import annotations

import sqlite3

from hostd.errors.base import HostdError, Kind

SQLITE_ERRORS = (sqlite3.Error, UnicodeDecodeError)
"""What `sqlite3` raises: over a damaged schema it stumbles over the text of SQLite's own message."""

FULL, BUSY = sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY
_REASONS = {
    sqlite3.SQLITE_FULL: (Kind.UNAVAILABLE, "JOURNAL_FULL", "The disk is full"),
    sqlite3.SQLITE_BUSY: (Kind.UNAVAILABLE, "JOURNAL_BUSY", "Another program holds the journal's file"),
    sqlite3.SQLITE_LOCKED: (Kind.UNAVAILABLE, "JOURNAL_BUSY", "The journal's table is in use"),
    sqlite3.SQLITE_READONLY: (Kind.UNAVAILABLE, "JOURNAL_READ_ONLY", "The journal's file cannot be written"),
    sqlite3.SQLITE_CANTOPEN: (Kind.UNAVAILABLE, "JOURNAL_READ_ONLY", "The journal's file cannot be opened"),
    sqlite3.SQLITE_PERM: (Kind.UNAVAILABLE, "JOURNAL_READ_ONLY", "The journal's file may not be used"),
    sqlite3.SQLITE_CORRUPT: (Kind.CORRUPT, "JOURNAL_CORRUPT", "The journal's file is damaged"),
    sqlite3.SQLITE_NOTADB: (Kind.CORRUPT, "JOURNAL_CORRUPT", "The journal's file is not a journal"),
    sqlite3.SQLITE_CONSTRAINT: (Kind.CONFLICT, "JOURNAL_CONFLICT", "A batch contradicts what the journal holds"),
}


def primary_code(error: BaseException) -> int:
    """Return SQLite's primary result code, 0 for errors that have none."""
    return int(getattr(error, "sqlite_errorcode", 0) or 0) & 0xFF


def as_hostd_error(error: BaseException, *, writing: bool = False) -> HostdError:
    """Return what to tell a caller. With `writing` the message says that nothing was written."""
    if isinstance(error, HostdError):
        return error
    code = primary_code(error)
    if isinstance(error, UnicodeDecodeError) or "decode to UTF-8" in str(error):  # has no code of its own
        code = sqlite3.SQLITE_CORRUPT
    kind, reason, what = _REASONS.get(code, (Kind.UNAVAILABLE, "JOURNAL_FAILED", "The journal failed"))
    end = "; nothing was written" if writing else ""
    retry_s = 1.0 if reason in ("JOURNAL_FULL", "JOURNAL_BUSY") else None
    return HostdError(kind, reason, f"{what}{end} ({error}).", retry_after_s=retry_s)


def can_wait(error: BaseException) -> bool:
    """Say whether trying again later may help: the disk is full, or somebody holds the file."""
    return primary_code(error) in (FULL, BUSY, sqlite3.SQLITE_LOCKED)
