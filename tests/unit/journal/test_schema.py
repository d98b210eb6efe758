"""Migrations: each once, in order, and never another than was applied."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from hostd.errors.base import HostdError
from hostd.journal.schema import Migration, migrate, migrations

FIRST = Migration(1, "0001_a.sql", "CREATE TABLE a (x);\n-- with; a comment\nCREATE TABLE b (x);\n")
SECOND = Migration(2, "0002_b.sql", "ALTER TABLE a ADD COLUMN y;\n")


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    """Return an empty database in autocommit mode."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        yield connection


def test_what_is_missing_is_applied_once(connection: sqlite3.Connection) -> None:
    """An older file is brought up, a current one is left alone."""
    assert migrate(connection, (FIRST,)) == 1
    assert migrate(connection, (FIRST, SECOND)) == 2
    assert migrate(connection, (FIRST, SECOND)) == 2
    assert connection.execute("SELECT x, y FROM a").fetchall() == []


def test_a_newer_schema_is_refused(connection: sqlite3.Connection) -> None:
    """A file with more migrations than this build has was written by a newer hostd."""
    migrate(connection, (FIRST, SECOND))
    with pytest.raises(HostdError, match="JOURNAL_TOO_NEW"):
        migrate(connection, (FIRST,))


def test_a_changed_migration_is_refused(connection: sqlite3.Connection) -> None:
    """A migration whose text is not what was applied is named."""
    migrate(connection, (FIRST,))
    changed = FIRST._replace(script=FIRST.script + "CREATE TABLE c (x);\n")
    with pytest.raises(HostdError, match=r"JOURNAL_MIGRATION.*0001_a\.sql"):
        migrate(connection, (changed, SECOND))


def test_a_migration_that_fails_leaves_nothing(connection: sqlite3.Connection) -> None:
    """All that is missing is one transaction: half a schema is never left behind."""
    broken = Migration(2, "0002_bad.sql", "CREATE TABLE c (x);\nCREATE TABLE a (x);\n")
    with pytest.raises(sqlite3.OperationalError):
        migrate(connection, (FIRST, broken))
    assert connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)


def test_the_carried_migrations_are_in_order() -> None:
    """Files are numbered from 1 without gaps."""
    assert [migration.number for migration in migrations()] == list(range(1, len(migrations()) + 1))
