"""Bring a journal file to this build's schema: `sql/NNNN_*.sql` in order, each once, each with a checksum.

A migration that was applied must be the one carried here, byte for byte; a number beyond ours means a newer hostd.
"""

from __future__ import annotations

import hashlib
import sqlite3
from functools import cache
from importlib import resources
from typing import NamedTuple

from hostd.errors.base import HostdError, Kind

_TABLE = """CREATE TABLE IF NOT EXISTS schema_migrations (
    number INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL
)"""


class Migration(NamedTuple):
    """One file of `sql/`."""

    number: int
    name: str
    script: str

    @property
    def checksum(self) -> str:
        """Return the hex blake2b-128 of the script."""
        return hashlib.blake2b(self.script.encode(), digest_size=16).hexdigest()


@cache
def migrations() -> tuple[Migration, ...]:
    """Return the migrations this build carries, in order."""
    files = resources.files("hostd.journal").joinpath("sql").iterdir()
    found = [
        Migration(int(file.name[:4]), file.name, file.read_text("utf-8")) for file in files if file.name[:4].isdigit()
    ]
    return tuple(sorted(found))


def migrate(connection: sqlite3.Connection, known: tuple[Migration, ...] | None = None) -> int:
    """Apply what is missing, all in one transaction, and return the schema version.

    Args:
        connection: in autocommit mode, with the right to write.
        known: the migrations to go by; None = those of this build.

    Raises:
        HostdError: JOURNAL_TOO_NEW, JOURNAL_MIGRATION.
    """
    known = migrations() if known is None else known
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.execute(_TABLE)
        applied = connection.execute("SELECT number, name, checksum FROM schema_migrations ORDER BY number").fetchall()
        _compare(applied, known)
        for migration in known[len(applied) :]:
            _apply(connection, migration)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return known[-1].number


def check_version(connection: sqlite3.Connection) -> None:
    """Refuse a journal that this build cannot use, by reading alone. Raises as `migrate`."""
    applied = connection.execute("SELECT number, name, checksum FROM schema_migrations ORDER BY number").fetchall()
    _compare(applied, migrations())


def _compare(applied: list[tuple[int, str, str]], known: tuple[Migration, ...]) -> None:
    if len(applied) > len(known):
        newest = applied[-1][0]
        message = f"The journal has schema {newest}, this hostd knows up to {known[-1].number}; use the newer hostd."
        raise HostdError(Kind.CORRUPT, "JOURNAL_TOO_NEW", message, details={"schema": str(newest)})
    for (number, name, checksum), migration in zip(applied, known, strict=False):
        if (number, checksum) != (migration.number, migration.checksum):
            message = f"Migration {name} was applied with another content than {migration.name} has here."
            raise HostdError(Kind.CORRUPT, "JOURNAL_MIGRATION", message, details={"migration": name})


def _apply(connection: sqlite3.Connection, migration: Migration) -> None:
    """Run a script statement by statement (`executescript` would commit first)."""
    statement = ""
    for line in migration.script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            connection.execute(statement)
            statement = ""
    values = (migration.number, migration.name, migration.checksum)
    connection.execute("INSERT INTO schema_migrations VALUES (?, ?, ?)", values)
