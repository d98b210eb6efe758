"""Runs as readers see them without their plan: the index row, what the records say by themselves, the records."""

from __future__ import annotations

import msgspec

from hostd.errors.base import HostdError
from hostd.journal.codec import decode_records
from hostd.journal.port import Journal, RunRow, StoredRow
from hostd.model.ids import text_id
from hostd.model.records import (
    AnyRecord,
    CancelRequested,
    RunEnded,
    RunOutcome,
    RunStarted,
    Terminated,
)
from hostd.model.states import run_is_final
from hostd.model.views import HistoryItem, RunView

_NO_STEP = -1


def row_view(row: RunRow) -> RunView:
    """Return a run as lists show it."""
    return RunView(
        run_id=text_id(row.run_id),
        number=row.run,
        namespace=row.namespace,
        workflow=row.workflow,
        version=row.version,
        state=row.state,
        key=row.key,
        outcome=row.state if run_is_final(row.state) else 0,
        reason=row.reason,
        labels=row.labels,
        trigger=row.trigger,
        parent=row.parent,
        created_at_ms=row.created_at_ms,
        ended_at_ms=row.ended_at_ms,
        due_at_ms=row.due_at_ms,
    )


def plain_view(journal: Journal, row: RunRow) -> RunView:
    """Return what a run's records say without its plan: no steps, and nothing behind a record that cannot be read."""
    view = row_view(row)
    from_seq = 0
    while rows := journal.history(row.run, from_seq=from_seq):
        for stored in rows:
            try:
                records = decode_records(stored.body)
            except HostdError as error:
                return msgspec.structs.replace(view, message=error.message)
            for record in records:
                view = _with_record(view, record, stored.principal)
        from_seq = rows[-1].seq + rows[-1].n
    return view


def _with_record(view: RunView, record: AnyRecord, principal: str) -> RunView:
    if isinstance(record, RunStarted):
        return msgspec.structs.replace(view, input=record.input, principal=principal)
    if isinstance(record, RunOutcome | RunEnded) and not view.message and not view.output:
        return msgspec.structs.replace(view, outcome=record.outcome, message=record.message, output=record.output)
    if isinstance(record, Terminated | CancelRequested):
        return msgspec.structs.replace(view, message=record.reason)
    return view


def items_of(rows: list[StoredRow], from_seq: int) -> list[HistoryItem]:
    """Return the records of rows from `from_seq` on. Raises HostdError RECORD_TOO_NEW, RECORD_CORRUPT."""
    return [
        HistoryItem(stored.seq + at, stored.at_ms, stored.principal, record)
        for stored in rows
        for at, record in enumerate(decode_records(stored.body))
        if stored.seq + at >= from_seq
    ]
