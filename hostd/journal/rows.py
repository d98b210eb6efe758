"""Rows of SQLite's tables to the port's structs, each checked where it carries a checksum."""

from __future__ import annotations

import struct
from typing import Any

import msgspec

from hostd.errors.base import HostdError, Kind
from hostd.journal.chain import body_crc, key_crc, row_crc, row_text
from hostd.journal.port import (
    Blob,
    DeadLetter,
    EventRow,
    KvWrite,
    Progress,
    RunRow,
    Snapshot,
    StoredRow,
    TriggerRow,
)
from hostd.model.payload import blob_digest

RECORD_COLUMNS = (
    "pos, run, seq, n, at_ms, epoch, CAST(principal AS BLOB), CAST(namespace AS BLOB), crc, CAST(body AS BLOB)"
)
"""Texts as bytes: one that is damaged must not keep the others from being read."""


RUN_COLUMNS = (
    "run, namespace, run_id, workflow, version, key, state, reason, labels, trigger, parent,"
    " created_at_ms, ended_at_ms, due_at_ms, owes, keep_ms, keep_logs_ms"
)
_labels = msgspec.json.Decoder(dict[str, str]).decode
_texts = msgspec.json.Decoder(tuple[str, ...]).decode


def stored_row(values: tuple[Any, ...]) -> StoredRow:
    """Return a row of `records` (RECORD_COLUMNS). Raises HostdError RECORD_CORRUPT naming run and position."""
    pos, run, seq, n, at_ms, epoch, principal, namespace, crc, body = values
    try:
        sound = row_crc(pos, run, seq, n, at_ms, epoch, row_text(principal, namespace), body) == crc
    except (TypeError, ValueError, AttributeError, struct.error):  # a damaged type
        sound = False
    if not sound:
        raise _corrupt_row(pos, run)
    return StoredRow(run, seq, n, pos, at_ms, epoch, principal.decode(), body)


def _corrupt_row(pos: int, run: object) -> HostdError:
    message = f"The row at position {pos} (run key {run}) does not fit its checksum."
    return HostdError(Kind.CORRUPT, "RECORD_CORRUPT", message, details={"pos": str(pos), "run": str(run)})


def run_row(values: tuple[Any, ...]) -> RunRow:
    """Return a row of `runs` (RUN_COLUMNS). Raises HostdError JOURNAL_CORRUPT."""
    try:
        labels = _labels(values[8]) if values[8] else {}
    except msgspec.DecodeError as error:
        message = f"The index row of run key {values[0]} is damaged; `hostd journal check --repair` rebuilds it."
        raise HostdError(Kind.CORRUPT, "JOURNAL_CORRUPT", message, details={"run": str(values[0])}) from error
    fields = (*values[:8], labels, *values[9:14], bool(values[14]), *values[15:])
    return RunRow(*fields)


def snapshot(values: tuple[Any, ...]) -> Snapshot | None:
    """Return a snapshot, or None where it is damaged: the run folds from its records instead."""
    run, seq, ver, crc, body = values
    try:
        fits = body_crc(seq, ver, run, body) == crc
    except (TypeError, OverflowError, struct.error):  # damage can change a value's type
        fits = False
    return Snapshot(run, seq, ver, body) if fits else None


def blob(namespace: str, digest: bytes, values: tuple[str, bytes, int]) -> Blob:
    """Return a blob. Raises HostdError RECORD_CORRUPT where its bytes are not those its digest names."""
    content_type, data, run = values
    if blob_digest(data) != digest:
        message = f"Blob {digest.hex()} does not hold the bytes its digest names."
        raise HostdError(Kind.CORRUPT, "RECORD_CORRUPT", message, details={"blob": digest.hex()})
    return Blob(namespace, digest, data, run, content_type)


def texts(text: str) -> tuple[str, ...]:
    """Return the texts of a JSON array; none for empty. Raises HostdError JOURNAL_CORRUPT."""
    try:
        return _texts(text) if text else ()
    except msgspec.DecodeError as error:
        message = "A list of run ids in the journal is damaged; `hostd journal check` looks for more."
        raise HostdError(Kind.CORRUPT, "JOURNAL_CORRUPT", message) from error


def event(values: tuple[Any, ...]) -> tuple[int, int, EventRow]:
    """Return (number, at_ms, event)."""
    fields = (*values[2:8], texts(values[8]), *values[9:])
    return values[0], values[1], EventRow(*fields)


def dead_letter(values: tuple[Any, ...]) -> tuple[int, int, DeadLetter]:
    """Return (number, at_ms, letter)."""
    return values[0], values[1], DeadLetter(*values[2:])


def key(values: tuple[Any, ...]) -> KvWrite:
    """Return a durable key. Raises HostdError RECORD_CORRUPT where its value does not fit its checksum."""
    namespace, name, value, version, expires_at_ms, crc = values
    found = KvWrite(namespace, name, value, version, expires_at_ms)
    try:
        fits = key_crc(found) == crc
    except (TypeError, AttributeError, struct.error):  # damage can change a value's type
        fits = False
    if not fits:
        message = f"The value of key {name!r} in namespace {namespace!r} does not fit its checksum."
        raise HostdError(Kind.CORRUPT, "RECORD_CORRUPT", message, details={"key": str(name)})
    return found


def progress(values: tuple[Any, ...]) -> Progress | None:
    """Return what a step reported, or None where it is damaged: nobody decides upon it."""
    run, step, crc, body = values
    try:
        fits = body_crc(step, 0, run, body) == crc
    except (TypeError, OverflowError, struct.error):
        fits = False
    return Progress(run, step, body) if fits else None


def trigger(values: tuple[Any, ...]) -> TriggerRow:
    """Return a trigger."""
    fields = (*values[:5], bool(values[5]), *values[6:])
    return TriggerRow(*fields)
