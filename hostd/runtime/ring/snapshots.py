"""Snapshots of runs: when one is due, and how a run comes back from its newest one and the records behind it.

What is due is one number a run, the distance to its next snapshot. A record takes its bytes off it and 524 more, so a
snapshot comes after 500 records or 256 KiB of them at the latest; a large state waits for half its own size, so that
snapshots never cost more than twice what records do.
"""

from __future__ import annotations

import logging
from typing import NamedTuple

from hostd.definition.plan import Plan
from hostd.engine.evolve import evolve
from hostd.engine.snapshot import SNAPSHOT_VER, decode_snapshot, encode_snapshot
from hostd.engine.state import Run
from hostd.errors.base import HostdError, Kind
from hostd.journal.codec import decode_records
from hostd.journal.port import Journal, RunRow, Snapshot
from hostd.model.ids import text_id
from hostd.runtime.ports import Plans

_log = logging.getLogger("hostd.runtime")

DISTANCE = 256 * 1024  # bytes
RECORDS_MAX = 500
RECORD_WEIGHT = DISTANCE // RECORDS_MAX  # bytes that a record counts beside its own


def snapshot_of(key: int, run: Run) -> Snapshot:
    """Return what to write beside a run's records."""
    return Snapshot(key, run.seq, SNAPSHOT_VER, encode_snapshot(run))


def distance_behind(snapshot: Snapshot) -> int:
    """Return how far the next snapshot is when this one has just been written."""
    return max(DISTANCE, len(snapshot.body) // 2)


class ReadRun(NamedTuple):
    """A run as the journal has it. `distance`: to its next snapshot; one that could not be used counts, too."""

    run: Run
    distance: int
    has_snapshot: bool


def read_run(journal: Journal, plans: Plans, row: RunRow) -> ReadRun:
    """Return a run's state from its newest snapshot and the records behind it. Blocks; for reader threads.

    Raises:
        HostdError: RECORD_TOO_NEW, RECORD_CORRUPT, or the plan's version is missing.
    """
    plan = plans.get(row.namespace, row.workflow, row.version)
    snapshot = journal.snapshot(row.run)
    run = None if snapshot is None else run_of_snapshot(journal, plan, snapshot)
    distance = DISTANCE if run is None or snapshot is None else distance_behind(snapshot)
    run = run or Run(plan)
    first = run.seq
    size_bytes = _fold_on(journal, run, row)
    return ReadRun(run, distance - (run.seq - first) * RECORD_WEIGHT - size_bytes, snapshot is not None)


def fold_run(journal: Journal, plans: Plans, row: RunRow) -> Run:
    """Return a run's state folded from all of its records, whatever a snapshot says. Blocks; for reader threads.

    Raises:
        HostdError: RECORD_TOO_NEW, RECORD_CORRUPT, or the plan's version is missing.
    """
    run = Run(plans.of_run(row))
    _fold_on(journal, run, row)
    return run


def run_before(journal: Journal, plans: Plans, row: RunRow, seq: int) -> Run:
    """Return a run's state as it was before a record. Blocks; for reader threads.

    Raises:
        HostdError: RECORD_TOO_NEW, RECORD_CORRUPT, or the plan's version is missing.
    """
    plan = plans.of_run(row)
    snapshot = journal.snapshot(row.run)
    run = run_of_snapshot(journal, plan, snapshot) if snapshot is not None and snapshot.seq <= seq else None
    run = run or Run(plan)
    if run.seq < seq:
        _fold_on(journal, run, row, until_seq=seq)
    return run


def run_of_snapshot(journal: Journal, plan: Plan, snapshot: Snapshot) -> Run | None:
    """Return the state of a snapshot; None where it is not readable or does not end where a row does."""
    key, seq = snapshot.run, snapshot.seq
    try:
        run = decode_snapshot(plan, snapshot.body)
    except ValueError as error:
        _log.warning("snapshot_ignored run=%d seq=%d why=%s", key, seq, error)
        return None
    before = journal.history(key, from_seq=seq - 1, max_bytes=1)
    if run.seq != seq or not before or before[0].seq + before[0].n != seq:
        _log.warning("snapshot_ignored run=%d seq=%d why=%s", key, seq, "no record stands before it")
        return None
    return run


def _fold_on(journal: Journal, run: Run, row: RunRow, *, until_seq: int | None = None) -> int:
    """Fold the records from `run.seq` on, up to and without the row at `until_seq`; return the rows' size in bytes."""
    size_bytes = 0
    while True:
        rows = journal.history(row.run, from_seq=run.seq)
        if not rows or rows[0].seq != run.seq:
            if rows or run.seq == 0:
                message = f"the history of {text_id(row.run_id)} has a gap before record {run.seq}"
                raise HostdError(Kind.CORRUPT, "RECORD_CORRUPT", message)
            return size_bytes
        for stored in rows:
            if until_seq is not None and stored.seq >= until_seq:
                return size_bytes
            size_bytes += len(stored.body)
            for record in decode_records(stored.body):
                evolve(run, record, stored.at_ms)
