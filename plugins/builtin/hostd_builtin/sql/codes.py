"""What failures of actions on databases are called."""

from __future__ import annotations

CODES = {
    "<sqlstate>": (
        "PostgreSQL's own, such as `23505`; `error.details` has constraint, table and column. Classes 40 "
        "(conflicts), 08, 53, 57P and 55P03 are retryable."
    ),
    "SQLITE_<word>": (
        "SQLite's own, such as `SQLITE_CONSTRAINT_UNIQUE`. `SQLITE_BUSY` and `SQLITE_LOCKED` are retryable; "
        "`SQLITE_AUTH` is something that is not permitted here."
    ),
    "STATEMENT": "The database refused the statement without a code of its own; the message holds what it says.",
    "READ_ONLY": "A change on a connection that the operator says is read only. Use another, or `sql.query`.",
    "CONNECTION_UNKNOWN": (
        "There is no connection of that name for this namespace. See `plugins.settings.sql.connections`."
    ),
    "CONNECTION": "Nobody answers, or the connection string is wrong. Retryable where nobody answers: add `retry`.",
    "TIMEOUT": "It took longer than `timeout`, waiting included; nothing was done. Retryable.",
    "COMMIT_UNKNOWN": "The connection was lost while it was committed. Look whether it was done before trying again.",
    "TOO_LARGE": "More than `max_rows` or `max_bytes`. Ask for less, or raise them.",
    "COLUMN_TWICE": "Two columns of one name. Name them with AS.",
    "ROWS_UNEXPECTED": "A statement changed another number of rows than `expect_rows`; everything was rolled back.",
    "PATH_DENIED": "`file` lies outside of `roots` or is a link.",
    "NOT_FOUND": "There is no such database file.",
    "NO_PERMISSION": "The daemon's user may not. See who owns the path in the message.",
    "IO": "The system failed for another reason, as the message says. Retryable where it may pass.",
}
