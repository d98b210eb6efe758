"""How SQLite walks through a list of runs: in the order of the list, so that a page costs what it shows."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from journals import append, start_batch

from hostd.journal.port import RunQuery
from hostd.journal.sqlite import SqliteJournal
from hostd.model.filters import And, Compare, Filter, StartsWith
from hostd.model.states import RunState

WORKFLOW = Compare("workflow", "=", "order")
OLD = Compare("created_at", "<", 5_000)


@pytest.mark.parametrize("ascending", [False, True])
@pytest.mark.parametrize(
    "tree",
    [
        None,
        WORKFLOW,
        OLD,
        And((WORKFLOW, OLD)),
        StartsWith("workflow", "o"),
        Compare("state", "=", int(RunState.RUNNING)),
        Compare("state", "=", int(RunState.FAILED)),
        Compare("labels.team", "=", "blue"),
    ],
    ids=["all", "workflow", "time", "workflow and time", "prefix", "open", "failed", "label"],
)
async def test_a_page_is_not_sorted(tmp_path: Path, tree: Filter | None, ascending: bool) -> None:
    """Whatever the filter, no page sorts the runs it comes from: a namespace may have millions."""
    journal = SqliteJournal(tmp_path / "journal.db", randomness=random.Random(1))
    journal.open()
    asked: list[str] = []
    try:
        await append(journal, start_batch(journal.allocate_runs(1), labels={"team": "blue"}))
        with journal._pool.connection() as connection:
            connection.set_trace_callback(asked.append)
        journal.query_runs(RunQuery("default", tree, ascending=ascending))
        with journal._pool.connection() as connection:
            connection.set_trace_callback(None)
            lists = [sql for sql in asked if "FROM runs" in sql and "ORDER BY" in sql]
            plans = [row[3] for sql in lists for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}")]
    finally:
        journal.close()
    assert plans
    assert not [line for line in plans if "TEMP B-TREE" in line]
