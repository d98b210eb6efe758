"""What a run's index row must say, read from its records: the ground for checking and for mending the index."""

from __future__ import annotations

import sqlite3
from typing import Any

import msgspec

from hostd.errors.base import HostdError
from hostd.journal import rows
from hostd.journal.codec import decode_records
from hostd.journal.port import RunRow, StoredRow
from hostd.journal.rows import RECORD_COLUMNS, RUN_COLUMNS
from hostd.model.records import RunEnded, RunOutcome, RunStarted, Terminated
from hostd.model.states import RunState, run_is_final

_ROW = f"SELECT {RECORD_COLUMNS} FROM records WHERE run = ? ORDER BY seq"
_END_ROWS = 8  # what a run still owed may be met after its end
_FIXED = ("namespace", "run_id", "workflow", "version", "key", "labels", "trigger", "parent", "created_at_ms")


def expected_row(connection: sqlite3.Connection, run: int) -> RunRow | None:
    """Return a run's index row as far as its first and last rows tell; None where they are gone or not readable.

    A run that has not ended is RUNNING here with a timer that is due: whoever loads it finds the rest in its records.
    """
    first = connection.execute(_ROW + " LIMIT 1", (run,)).fetchone()
    last = connection.execute(f"{_ROW} DESC LIMIT {_END_ROWS}", (run,)).fetchall()
    if first is None:
        return None
    try:
        started = decode_records(rows.stored_row(first).body)[0]
        state, reason, ended_at_ms = _end([rows.stored_row(values) for values in last])
    except (HostdError, IndexError, ValueError):
        return None
    if not isinstance(started, RunStarted):
        return None
    return RunRow(
        run=run,
        namespace=(first[7] or b"").decode("utf-8", "replace"),
        run_id=started.run_id,
        workflow=started.workflow,
        version=started.version,
        key=started.key,
        state=int(state),
        reason=reason,
        labels=started.labels,
        trigger=started.trigger,
        parent=started.parent,
        created_at_ms=first[4],
        ended_at_ms=ended_at_ms,
        due_at_ms=0 if run_is_final(state) else 1,
        owes=False,
    )


def _end(last: list[StoredRow]) -> tuple[RunState, str, int]:
    """Return state, reason and time of a run's end, from its newest rows first; RUNNING where it has none there."""
    for row in last:
        reason = ""
        for record in decode_records(row.body):
            if isinstance(record, RunOutcome):
                reason = record.reason
            elif isinstance(record, RunEnded):
                return RunState(record.outcome), record.reason or reason, row.at_ms
            elif isinstance(record, Terminated):
                return RunState.CANCELED, record.reason, row.at_ms
    return RunState.RUNNING, "", 0


def index_fault(connection: sqlite3.Connection, expected: RunRow) -> str:
    """Return what the index says otherwise than the records, empty for nothing."""
    found = connection.execute(f"SELECT {RUN_COLUMNS} FROM runs WHERE run = ?", (expected.run,)).fetchone()
    if found is None:
        return "it has records, but the index does not list it"
    try:
        row = rows.run_row(found)
    except HostdError as error:
        return error.message
    for name in _FIXED:
        if getattr(row, name) != getattr(expected, name):
            return f"the index has another {name} than its records"
    if run_is_final(expected.state) and (row.state, row.ended_at_ms) != (expected.state, expected.ended_at_ms):
        return "it has ended, and the index says otherwise"
    if run_is_final(row.state) and not run_is_final(expected.state):
        return "the index says that it has ended, its records do not"
    return _labels_fault(connection, expected)


def _labels_fault(connection: sqlite3.Connection, expected: RunRow) -> str:
    sql = "SELECT 1 FROM labels WHERE namespace = ? AND name = ? AND value = ? AND run = ?"
    for name, value in expected.labels.items():
        if connection.execute(sql, (expected.namespace, name, value, expected.run)).fetchone() is None:
            return f"its label {name} is not in the label index"
    return ""


def index_values(row: RunRow) -> tuple[Any, ...]:
    """Return a row of `runs` in RUN_COLUMNS order."""
    labels = msgspec.json.encode(row.labels).decode() if row.labels else ""
    values = msgspec.structs.astuple(row)
    return (*values[:8], labels, *values[9:])
