"""The journal's port: what every store promises, and the rows that cross it.

Promises
- An append is all or nothing, for every table it touches. `done` is called on the loop's thread after the commit is
  durable, never before, and exactly once. Appends become durable in the order they were made.
- A killed process loses nothing that `done` acknowledged; a power cut neither, if the disk honours flushes.
- After a batch failed, every batch that was appended before its `done` came fails too: it was decided upon records
  that do not exist.
- Readers see a prefix: nobody reads a row without being able to read every row before it in position order.
- Damage inside the file is found row by row (crc) and named; nothing is skipped in silence.
- After an append whose outcome is unknown the store tells whether it happened (`append_id`).
- Positions rise with every row, are never given out twice (not even after deletes or compaction), and index the
  first record of a row; record i of the row has position pos + i.

Threads: `append` is called on the loop's thread. All reads block, may be called from any thread, and are short
(pages); the runtime calls them in a reader thread. Times are wall milliseconds, UTC.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import msgspec

from hostd.errors.base import HostdError
from hostd.journal.port_care import JournalCare, Retention, Room
from hostd.journal.port_events import EVENT_FIXED_BYTES, DeadLetter, Dedup, EventReads, EventRow
from hostd.journal.port_notes import (
    AuditRow,
    KvWrite,
    NamespaceRow,
    NoteReads,
    Obligation,
    OwnTriggerRow,
    RequestId,
    TriggerRow,
    WorkflowRow,
    WorkflowVersion,
)
from hostd.journal.port_runs import (
    Blob,
    BlobHold,
    NewRun,
    OpenCounts,
    Progress,
    Row,
    RunQuery,
    RunReads,
    RunRow,
    RunUpdate,
    Snapshot,
    StoredRow,
)

# Handed on: this is the room's front door, and everybody takes rows from here.
__all__ = [
    "EVENT_FIXED_BYTES",
    "AuditRow",
    "Blob",
    "BlobHold",
    "DeadLetter",
    "Dedup",
    "EventRow",
    "KvWrite",
    "NamespaceRow",
    "NewRun",
    "Obligation",
    "OpenCounts",
    "OwnTriggerRow",
    "Progress",
    "RequestId",
    "Retention",
    "Room",
    "Row",
    "RunQuery",
    "RunRow",
    "RunUpdate",
    "Snapshot",
    "StoredRow",
    "TriggerRow",
    "WorkflowRow",
    "WorkflowVersion",
]


class Batch(msgspec.Struct, gc=False):
    """Everything one turn makes durable. Applied in the order of the fields; empty lists cost nothing."""

    at_ms: int
    epoch: int = 0
    append_id: int = 0  # 0 = the caller will never ask; else unlike any before, 63 bits
    rows: list[Row] = []
    new_runs: list[NewRun] = []
    run_updates: list[RunUpdate] = []
    blobs: list[Blob] = []
    blob_holds: list[BlobHold] = []
    snapshots: list[Snapshot] = []
    snapshot_deletes: list[int] = []  # runs that need theirs no more
    request_ids: list[RequestId] = []  # the first answer to an id stays
    versions: list[WorkflowVersion] = []
    version_deletes: list[tuple[str, str, str]] = []  # namespace, workflow, version
    workflows: list[WorkflowRow] = []  # upsert
    workflow_deletes: list[tuple[str, str]] = []
    triggers: list[TriggerRow] = []  # upsert
    trigger_deletes: list[tuple[str, str, str]] = []
    own_triggers: list[OwnTriggerRow] = []  # upsert
    own_trigger_deletes: list[tuple[str, str]] = []  # namespace, name
    events: list[EventRow] = []
    dedup: list[Dedup] = []
    dead_letters: list[DeadLetter] = []
    dead_letters_met: list[int] = []  # numbers of letters that are redriven or purged
    kv: list[KvWrite] = []  # upsert
    progress: list[Progress] = []  # upsert; gone when the run is final
    obligations: list[Obligation] = []
    obligations_met: list[int] = []
    audit: list[AuditRow] = []
    run_deletes: list[int] = []  # finished runs with all that is theirs


class Appended(msgspec.Struct, frozen=True, gc=False):
    """A durable batch. Rows lie at `first_pos` and on, each as wide as its record count.

    Events have numbers from `first_event` on; 0 where the batch had none, and from `append_outcome`.
    """

    number: int
    first_pos: int
    at_ms: int
    first_event: int = 0


Done = Callable[[Appended | None, BaseException | None], None]
"""Called on the loop's thread: (appended, None), or (None, error) when nothing was written."""


class JournalInfo(msgspec.Struct, frozen=True, gc=False):
    """What the journal is. `journal_id` changes with a restore; `mac_key` signs tokens and never leaves the daemon."""

    kind: str
    journal_id: str
    mac_key: bytes
    schema_version: int
    path: str = ""


class Journal(RunReads, EventReads, NoteReads, JournalCare, Protocol):
    """The durable store of records and everything else."""

    def open(self) -> JournalInfo:
        """Open, lock, migrate and check. Raises HostdError JOURNAL_*. Called once, before the loop serves."""
        ...

    def close(self) -> None:
        """Finish what was appended and let go of the files. May be called twice."""
        ...

    def allocate_runs(self, count: int) -> int:
        """Return the first of `count` fresh run keys; a key that an append carried is never given out again."""
        ...

    def append(self, batch: Batch, done: Done, *, alone: bool = False) -> Appended | None:
        """Write a batch.

        Args:
            alone: nothing else is ready or in flight; the store may then commit at once on the caller's thread.

        Returns:
            What was appended when it was committed at once (`done` is then not called), else None.

        Raises:
            HostdError: JOURNAL_* when it was tried at once and failed.
        """
        ...

    @property
    def refusing(self) -> HostdError | None:
        """Why nothing can be written just now, as far as is known; None where it can. Any thread, at once."""
        ...

    def look(self) -> None:
        """Find out whether the file still lies where it was opened; `refusing` says so then. Any thread; blocks."""
        ...

    def append_outcome(self, append_id: int) -> Appended | None:
        """Return the durable batch of that append id, None when it never happened."""
        ...
