"""A file that an older hostd wrote, brought to this build's schema."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from journals import open_journal

from hostd.journal.port import Retention, WorkflowRow
from hostd.journal.schema import migrate, migrations
from hostd.journal.tools import check_file


def first_schema(path: Path, events: int) -> None:
    """Write a journal of the first schema with so many events of 300 bytes."""
    connection = sqlite3.connect(path, isolation_level=None)
    migrate(connection, migrations()[:1])
    sql = """INSERT INTO events (at_ms, namespace, workflow, trigger, event_id, body, outcome, run_ids)
        VALUES (5, 'default', 'w', 't', ?, ?, 'STARTED', '')"""
    connection.executemany(sql, [(f"e{number}", bytes(100)) for number in range(events)])
    connection.close()


def test_events_of_an_older_schema_are_counted_and_numbered_on(tmp_path: Path) -> None:
    """What stood there counts towards the bound, has no topic, and no number comes again."""
    first_schema(tmp_path / "journal.db", events=5)
    journal = open_journal(tmp_path / "journal.db")
    assert list(journal.check()) == []
    assert [(number, row.topic) for number, _, row in journal.events("default")] == [(n, "") for n in range(1, 6)]
    assert journal.last_event() == 5
    assert journal.events("default", topics=["*"]) == []
    assert journal.prune(now_ms=6, retention=Retention(events_bytes=600)) == 3
    journal.close()


def test_where_a_subscription_of_an_older_schema_begins_is_not_known(tmp_path: Path) -> None:
    """A version that was activated before positions were kept has none; its time is still there."""
    first_schema(tmp_path / "journal.db", events=1)
    connection = sqlite3.connect(tmp_path / "journal.db", isolation_level=None)
    connection.execute("INSERT INTO workflows VALUES ('default', 'w', '1.0.0', 7)")
    connection.close()
    journal = open_journal(tmp_path / "journal.db")
    assert journal.workflow("default", "w") == WorkflowRow("default", "w", "1.0.0", 7, -1)
    journal.close()


def test_a_file_of_an_older_schema_is_checked_as_it_is(tmp_path: Path) -> None:
    """Checking migrates nothing, and does not take a table that came later for a damage."""
    first_schema(tmp_path / "journal.db", events=1)
    before = (tmp_path / "journal.db").read_bytes()
    named = list(check_file(tmp_path / "journal.db"))
    assert (tmp_path / "journal.db").read_bytes() == before
    assert named == []
