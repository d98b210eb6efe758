"""Reading SQLite: runs, histories and the log. Every statement is short or bounded by a page; see pool.py.

A list that may have to look at many runs looks at `SLICE` run keys a statement, so that no read transaction lives long.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing

from hostd.journal import rows
from hostd.journal.filters import filter_sql
from hostd.journal.pool import ReadPool
from hostd.journal.port import OpenCounts, RunQuery, RunRow, Snapshot, StoredRow
from hostd.journal.rows import RECORD_COLUMNS, RUN_COLUMNS
from hostd.model.filters import And, Compare, Filter, In
from hostd.model.states import FINAL_RUN, RunState

_log = logging.getLogger("hostd.journal")

SLICE = 50_000
_OPEN = f"(state < {int(FINAL_RUN)} OR owes)"
_ONE_RUN = f"SELECT {RUN_COLUMNS} FROM runs WHERE "
_HISTORY = f"""SELECT {RECORD_COLUMNS} FROM records WHERE run = ? AND seq >=
    coalesce((SELECT seq FROM records WHERE run = ? AND seq <= ? ORDER BY seq DESC LIMIT 1), 0) ORDER BY seq"""

_LAST_POS = """SELECT max(coalesce((SELECT value - 1 FROM meta WHERE name = 'next_pos'), 0),
    coalesce((SELECT pos + n - 1 FROM records ORDER BY pos DESC LIMIT 1), 0))"""
_OPEN_COUNTS = f"""SELECT 0, 0, ({_LAST_POS}) UNION ALL SELECT * FROM (SELECT state, due_at_ms > 0, count(*)
    FROM runs INDEXED BY runs_open WHERE {_OPEN} AND state < {int(FINAL_RUN)} GROUP BY 1, 2)"""


class RunReads:
    """The part of the port that reads runs and records."""

    _pool: ReadPool

    def find_run(self, namespace: str, run_id: bytes) -> RunRow | None:
        return self._one_run("run_id = ? AND namespace = ?", run_id, namespace)

    def newest_run(self, namespace: str, workflow: str, key: str, *, live: bool = False) -> RunRow | None:
        keyed = "key <> '' AND " if key else ""  # lets the partial index serve
        alive = f" AND state < {int(FINAL_RUN)}" if live else ""
        where = f"{keyed}namespace = ? AND workflow = ? AND key = ?{alive} ORDER BY run DESC LIMIT 1"
        return self._one_run(where, namespace, workflow, key)

    def run_row(self, run: int) -> RunRow | None:
        return self._one_run("run = ?", run)

    def _one_run(self, where: str, *values: object) -> RunRow | None:
        with self._pool.connection() as connection:
            found = connection.execute(_ONE_RUN + where, values).fetchone()
        return rows.run_row(found) if found else None

    def history(self, run: int, *, from_seq: int = 0, max_bytes: int = 1 << 20) -> list[StoredRow]:
        with self._pool.connection() as connection:
            found = _up_to(connection.execute(_HISTORY, (run, run, from_seq)), max_bytes)
        return found[1:] if found and found[0].seq + found[0].n <= from_seq else found

    def log_keeps(self, run_ids: Sequence[bytes]) -> dict[bytes, int]:
        marks = ", ".join("?" * len(run_ids))
        sql = f"SELECT run_id, keep_logs_ms FROM runs WHERE run_id IN ({marks}) AND keep_logs_ms > 0"
        with self._pool.connection() as connection:
            return dict(connection.execute(sql, tuple(run_ids)).fetchall())

    def snapshot(self, run: int) -> Snapshot | None:
        with self._pool.connection() as connection:
            sql = "SELECT run, seq, ver, crc, body FROM snapshots WHERE run = ?"
            found = connection.execute(sql, (run,)).fetchone()
        snapshot = rows.snapshot(found) if found else None
        if found and snapshot is None:
            why = "its checksum does not fit; the run folds from its records"
            _log.warning("snapshot_damaged run=%d message=%s", run, why)
        return snapshot

    def live_runs(self, *, after: int = 0, limit: int = 1000, states: Sequence[int] = ()) -> list[RunRow]:
        wanted = f"AND state IN ({', '.join(str(int(state)) for state in states)})" if states else ""
        sql = f"""SELECT {RUN_COLUMNS} FROM runs INDEXED BY runs_open WHERE {_OPEN} AND run > ? {wanted}
            ORDER BY run LIMIT ?"""
        with self._pool.connection() as connection:
            found = connection.execute(sql, (after, limit)).fetchall()
        return [rows.run_row(values) for values in found]

    def due_runs(self, *, before_ms: int, limit: int = 10_000) -> list[tuple[int, int]]:
        sql = """SELECT due_at_ms, run FROM runs INDEXED BY runs_due WHERE due_at_ms > 0 AND due_at_ms < ?
            ORDER BY due_at_ms, run LIMIT ?"""
        with self._pool.connection() as connection:
            return connection.execute(sql, (before_ms, limit)).fetchall()

    def query_runs(self, query: RunQuery) -> list[RunRow]:
        found: list[RunRow] = []
        condition, values = filter_sql(query.filter, query.namespace)
        source = _source(query.filter) or ("WHERE" if _names_workflow(query.filter) else "NOT INDEXED WHERE")
        order = "ASC" if query.ascending else "DESC"
        sql = f"""SELECT {RUN_COLUMNS} FROM runs {source} namespace = ? AND run BETWEEN ? AND ? AND ({condition})
            ORDER BY run {order} LIMIT ?"""
        for low, high in self._slices(query):
            with self._pool.connection() as connection:
                left = query.limit - len(found)
                page = connection.execute(sql, (query.namespace, low, high, *values, left)).fetchall()
            found += [rows.run_row(row) for row in page]
            if len(found) >= query.limit:
                break
        return found

    def count_runs(self, query: RunQuery) -> int:
        condition, values = filter_sql(query.filter, query.namespace)
        sql = f"""SELECT count(*) FROM runs {_source(query.filter) or "WHERE"} namespace = ? AND run BETWEEN ? AND ?
            AND ({condition})"""
        total = 0
        for low, high in self._slices(RunQuery(query.namespace)):
            with self._pool.connection() as connection:
                total += connection.execute(sql, (query.namespace, low, high, *values)).fetchone()[0]
        return total

    def _slices(self, query: RunQuery) -> Iterator[tuple[int, int]]:
        """Yield ranges of run keys, in the order of the list."""
        with self._pool.connection() as connection:
            lowest, highest = connection.execute(
                "SELECT (SELECT min(run) FROM runs), (SELECT max(run) FROM runs)"
            ).fetchone()
        if lowest is None:
            return
        if query.ascending:
            for low in range(max(lowest, query.before + 1), highest + 1, SLICE):
                yield low, low + SLICE - 1
            return
        if query.before:
            highest = min(highest, query.before - 1)
        for high in range(highest, lowest - 1, -SLICE):
            yield high - SLICE + 1, high

    def open_counts(self) -> OpenCounts:
        with self._pool.connection() as connection:
            (first, *others) = connection.execute(_OPEN_COUNTS).fetchall()  # one statement: all of one moment
        return OpenCounts(first[2] + 1, {(state, bool(due)): count for state, due, count in others})

    def rows_after(self, pos: int, *, limit: int = 500, max_bytes: int = 1 << 20) -> list[StoredRow]:
        sql = f"SELECT {RECORD_COLUMNS} FROM records WHERE pos > ? AND run > 0 ORDER BY pos LIMIT ?"
        with self._pool.connection() as connection:
            return _up_to(connection.execute(sql, (pos, limit)), max_bytes)

    def last_at_ms(self) -> int:
        with self._pool.connection() as connection:
            found = connection.execute("SELECT at_ms FROM records ORDER BY pos DESC LIMIT 1").fetchone()
        return int(found[0]) if found else 0

    def last_pos(self) -> int:
        with self._pool.connection() as connection:
            return int(connection.execute(_LAST_POS).fetchone()[0])

    def first_pos(self) -> int:
        sql = "SELECT (SELECT min(pos) - 1 FROM records), (SELECT value FROM meta WHERE name = 'pruned_pos')"
        with self._pool.connection() as connection:
            first, pruned = connection.execute(sql).fetchone()
        return max(self.last_pos() if first is None else first, pruned or 0)


def _up_to(cursor: sqlite3.Cursor, max_bytes: int) -> list[StoredRow]:
    """Return checked rows until the bound is met; at least one if there is any."""
    found: list[StoredRow] = []
    size = 0
    with closing(cursor):  # an open cursor is an open read transaction
        for values in cursor:
            size += len(values[9])
            if size > max_bytes and found:
                break
            found.append(rows.stored_row(values))
    return found


def _source(tree: Filter | None) -> str:
    """Return the index and condition that a filter on `state` allows: open and unhappy runs are few and indexed.

    Empty for other filters. A list then must not go by the index over workflows, which would sort all runs of the
    namespace for every page; unless the filter names the workflow: within one, that index is in order.
    """
    states = _states(tree)
    if states and all(state < FINAL_RUN for state in states):
        return f"INDEXED BY runs_open WHERE {_OPEN} AND"
    if states and all(state > RunState.SUCCEEDED for state in states):
        return f"INDEXED BY runs_unhappy WHERE state > {int(RunState.SUCCEEDED)} AND"
    return ""


def _names_workflow(tree: Filter | None) -> bool:
    """Say whether every match is of a workflow that the filter names."""
    if isinstance(tree, And):
        return any(_names_workflow(term) for term in tree.terms)
    if isinstance(tree, Compare):
        return tree.field == "workflow" and tree.op == "="
    return isinstance(tree, In) and tree.field == "workflow"


def _states(tree: Filter | None) -> tuple[int, ...]:
    """Return the states that every match has one of; none where the filter does not say."""
    if isinstance(tree, And):
        return next((states for term in tree.terms if (states := _states(term))), ())
    if isinstance(tree, Compare) and tree.field == "state" and tree.op == "=":
        return (int(tree.value),)
    if isinstance(tree, In) and tree.field == "state":
        return tuple(int(value) for value in tree.values)
    return ()
