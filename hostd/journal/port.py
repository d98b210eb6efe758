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

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import msgspec

from hostd.journal.port_notes import (
    EVENT_FIXED_BYTES,
    AuditRow,
    DeadLetter,
    Dedup,
    EventRow,
    KvWrite,
    Obligation,
    OwnTriggerRow,
    Progress,
    RequestId,
    TriggerRow,
    WorkflowRow,
    WorkflowVersion,
)
from hostd.model.payload import JSON_TYPE

# Handed on: everybody takes the port's rows from here.
__all__ = [
    "EVENT_FIXED_BYTES",
    "AuditRow",
    "DeadLetter",
    "Dedup",
    "EventRow",
    "KvWrite",
    "Obligation",
    "OwnTriggerRow",
    "Progress",
    "RequestId",
    "TriggerRow",
    "WorkflowRow",
    "WorkflowVersion",
]


class Row(msgspec.Struct, frozen=True, gc=False):
    """One decision of one run. `body` is the msgpack array of its `n` records, the first of which has number `seq`."""

    run: int
    seq: int
    n: int
    body: bytes
    principal: str = ""


class StoredRow(msgspec.Struct, frozen=True, gc=False):
    """A row as it is read back: what was appended and what the store added."""

    run: int
    seq: int
    n: int
    pos: int
    at_ms: int
    epoch: int
    principal: str
    body: bytes


class NewRun(msgspec.Struct, frozen=True, gc=False):
    """A run's index row as it begins. `run` comes from `allocate_runs`; `due_at_ms` 0 = no timer.

    `keep_ms` and `keep_logs_ms`: how long the run and its logs stay after its end, 0 = as long as the operator says.
    """

    run: int
    namespace: str
    run_id: bytes  # stored form
    workflow: str
    version: str
    state: int
    key: str = ""
    labels: dict[str, str] = {}
    trigger: str = ""
    parent: str = ""
    due_at_ms: int = 0
    owes: bool = False
    keep_ms: int = 0
    keep_logs_ms: int = 0


class RunUpdate(msgspec.Struct, frozen=True, gc=False):
    """What changed in a run's index row. `due_at_ms` is the run's earliest durable timer, 0 = none.

    A final state sets ended_at to the batch's `at_ms`.
    """

    run: int
    state: int
    due_at_ms: int = 0
    owes: bool = False
    reason: str = ""


class RunRow(msgspec.Struct, frozen=True, gc=False):
    """A run's index row. `ended_at_ms` 0 while it lives."""

    run: int
    namespace: str
    run_id: bytes
    workflow: str
    version: str
    key: str
    state: int
    reason: str
    labels: dict[str, str]
    trigger: str
    parent: str
    created_at_ms: int
    ended_at_ms: int
    due_at_ms: int
    owes: bool
    keep_ms: int = 0
    keep_logs_ms: int = 0


class Blob(msgspec.Struct, frozen=True, gc=False):
    """A value kept by digest (blake2b-256 of `data`), per namespace; `run` is a run that refers to it.

    `kept`: an action of the run keeps it, which is counted (`kept_blobs`).
    """

    namespace: str
    digest: bytes
    data: bytes
    run: int
    content_type: str = JSON_TYPE
    kept: bool = False


class BlobHold(msgspec.Struct, frozen=True, gc=False):
    """A run whose values name a blob: it stays as long as the run does, too. Nothing where there is no such blob."""

    namespace: str
    digest: bytes
    run: int


class Snapshot(msgspec.Struct, frozen=True, gc=False):
    """A run's folded state up to and without record `seq`; only the newest of a run is kept."""

    run: int
    seq: int
    ver: int
    body: bytes


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


class RunQuery(msgspec.Struct, frozen=True, gc=False):
    """A list of runs: newest first. `filter` is an AST of model/filters.py.

    `before` pages: runs with key < before, or > before when ascending; 0 = from the start.
    """

    namespace: str
    filter: Any = None
    before: int = 0
    limit: int = 100
    ascending: bool = False


class JournalInfo(msgspec.Struct, frozen=True, gc=False):
    """What the journal is. `journal_id` changes with a restore; `mac_key` signs tokens and never leaves the daemon."""

    kind: str
    journal_id: str
    mac_key: bytes
    schema_version: int
    path: str = ""


class Room(msgspec.Struct, frozen=True, gc=False):
    """What a journal takes: of its file with the log, and how much inside it is free to be used again."""

    size_bytes: int
    free_bytes: int


class NamespaceRow(msgspec.Struct, frozen=True, gc=False):
    """What a namespace holds."""

    namespace: str
    workflows: int
    runs: int
    open_runs: int


class OpenCounts(msgspec.Struct, frozen=True, gc=False):
    """How many runs are not final, by state and whether they have a timer, before the record at `next_pos`."""

    next_pos: int
    runs: dict[tuple[int, bool], int]


class Journal(Protocol):
    """The durable store of records and everything else."""

    # -- life
    def open(self) -> JournalInfo:
        """Open, lock, migrate and check. Raises HostdError JOURNAL_*. Called once, before the loop serves."""
        ...

    def close(self) -> None:
        """Finish what was appended and let go of the files. May be called twice."""
        ...

    # -- writing
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

    def append_outcome(self, append_id: int) -> Appended | None:
        """Return the durable batch of that append id, None when it never happened."""
        ...

    # -- reading runs
    def find_run(self, namespace: str, run_id: bytes) -> RunRow | None: ...

    def newest_run(self, namespace: str, workflow: str, key: str, *, live: bool = False) -> RunRow | None: ...

    def run_row(self, run: int) -> RunRow | None: ...

    def history(self, run: int, *, from_seq: int = 0, max_bytes: int = 1 << 20) -> list[StoredRow]:
        """Return rows in order from the one that holds record `from_seq`; at least one if there is any.

        Checks each crc. Raises HostdError RECORD_CORRUPT naming the position.
        """
        ...

    def log_keeps(self, run_ids: Sequence[bytes]) -> dict[bytes, int]:
        """Return how many milliseconds the logs of those runs are kept that have a time of their own."""
        ...

    def snapshot(self, run: int) -> Snapshot | None:
        """Return a run's newest snapshot; None without one whose checksum fits (a damaged one is logged)."""
        ...

    def live_runs(self, *, after: int = 0, limit: int = 1000, states: Sequence[int] = ()) -> list[RunRow]:
        """Return runs that are not final or still owe, by rising run key; where states are given, of those only."""
        ...

    def due_runs(self, *, before_ms: int, limit: int = 10_000) -> list[tuple[int, int]]:
        """Return (due_at_ms, run) of runs with a timer due before a time, earliest first."""
        ...

    def query_runs(self, query: RunQuery) -> list[RunRow]: ...

    def count_runs(self, query: RunQuery) -> int: ...

    def rows_after(self, pos: int, *, limit: int = 500, max_bytes: int = 1 << 20) -> list[StoredRow]:
        """Return rows with position > pos, in position order, of all namespaces."""
        ...

    def last_pos(self) -> int: ...

    def last_at_ms(self) -> int:
        """Return the time of the newest row, 0 where there is none."""
        ...

    def first_pos(self) -> int:
        """Return the position after which every row is still kept (retention moves it)."""
        ...

    # -- reading the rest
    def blob(self, namespace: str, digest: bytes) -> Blob | None: ...

    def kept_blobs(self, run: int) -> dict[bytes, int]:
        """Return size in bytes by digest of what a run's actions keep."""
        ...

    def request_ids(self, keys: Sequence[tuple[str, str, str]]) -> dict[tuple[str, str, str], RequestId]: ...

    def version(self, namespace: str, workflow: str, version: str) -> WorkflowVersion | None: ...

    def versions(self, namespace: str, workflow: str) -> list[WorkflowVersion]:
        """Return a workflow's versions in the order of registration, newest last (documents and sources included)."""
        ...

    def workflows(self, namespace: str | None = None, *, after: str = "", limit: int = 1000) -> list[WorkflowRow]: ...

    def workflow(self, namespace: str, workflow: str) -> WorkflowRow | None: ...

    def triggers(self, namespace: str | None = None) -> list[TriggerRow]: ...

    def trigger(self, namespace: str, workflow: str, name: str) -> TriggerRow | None: ...

    def own_triggers(self, namespace: str | None = None, name: str = "") -> list[OwnTriggerRow]:
        """Return the triggers of their own, or the one of that name, by namespace and name."""
        ...

    def dedup_seen(self, namespace: str, scope: str, event_ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Return the run ids of those event ids that were seen."""
        ...

    def events(
        self, namespace: str, *, after: int = 0, limit: int = 100, topics: Sequence[str] = (), size_bytes: int = 0
    ) -> list[tuple[int, int, EventRow]]:
        """Return (number, at_ms, event) by rising number.

        Args:
            topics: only events published to these; `orders.*` is every topic that begins with `orders.`, `*` every one.
            size_bytes: end with the event that makes the bodies so large; 0 = without a bound.
        """
        ...

    def events_of(
        self, namespace: str, workflow: str, trigger: str, *, after: int, until: int
    ) -> dict[str, tuple[str, ...]]:
        """Return the run ids of a trigger's events with after < number <= until, by event id; bodies are not read."""
        ...

    def first_event(self) -> int:
        """Return the lowest number of an event that is kept, 0 where there is none."""
        ...

    def last_event(self) -> int:
        """Return the highest number an event ever got, 0 where there was none."""
        ...

    def events_gone_ms(self) -> int:
        """Return the latest time of an event that retention deleted, 0 where none was."""
        ...

    def kv(self, namespace: str, keys: Sequence[str]) -> dict[str, KvWrite]:
        """Return those keys that are set, expired ones too (the caller looks at the clock)."""
        ...

    def kv_floor(self) -> int:
        """Return the highest version that any key had when it was deleted or pruned, 0 where none was. Never falls."""
        ...

    def kv_list(self, namespace: str, *, prefix: str = "", after: str = "", limit: int = 100) -> list[KvWrite]:
        """Return keys that begin with `prefix` and come after `after`, by key (bytes of UTF-8), expired ones too."""
        ...

    def progress(self, run: int) -> dict[int, bytes]:
        """Return what the steps of a live run last reported."""
        ...

    def dead_letters(
        self, namespace: str, *, after: int = 0, limit: int = 100
    ) -> list[tuple[int, int, DeadLetter]]: ...

    def dead_letter(self, namespace: str, number: int) -> tuple[int, DeadLetter] | None:
        """Return (at_ms, letter)."""
        ...

    def obligations(self) -> list[Obligation]: ...

    def namespaces(self) -> list[NamespaceRow]:
        """Return the namespaces that have workflows, runs, triggers of their own, events or durable keys, by name."""
        ...

    def open_counts(self) -> OpenCounts:
        """Count the runs that are not final. Looks at each of them: for a start, and for what no record tells of."""
        ...

    def dead_letter_counts(self) -> dict[str, int]:
        """Count dead letters by namespace, from an index alone."""
        ...

    def events_behind(self, namespace: str, topics: Sequence[str], *, after: int, most: int) -> int:
        """Count events of topics with number > after; looks at so many of each topic or prefix at most."""
        ...

    def audit(self, namespace: str, *, after: int = 0, limit: int = 100) -> list[tuple[int, int, AuditRow]]:
        """Return (number, at_ms, row) by rising number."""
        ...

    # -- care
    def prune(self, *, now_ms: int, retention: Retention, limit: int = 500) -> int:
        """Delete up to `limit` things past retention, in one short write on the writer; return how many went.

        Call again while it returns more than 0: one call deletes at most 50 runs. Blocks; not on the loop's thread.
        """
        ...

    def checkpoint(self) -> Room:
        """Bring the write-ahead log into the file and begin it anew; return what room is taken. Blocks."""
        ...

    def backup(self, path: str, *, progress: Callable[[int, int], None] | None = None) -> int:
        """Write a consistent copy (on the writer, in steps between commits); return its size in bytes. Blocks."""
        ...

    def check(self) -> Iterator[str]:
        """Yield one line a fault: crc, sequence gaps, chain, index against records. Nothing means sound."""
        ...

    def repair(self) -> Iterator[str]:
        """Rebuild run index and labels from the records; yield one line a mend."""
        ...


class Retention(msgspec.Struct, frozen=True, gc=False):
    """How long things are kept, in milliseconds, and how many; 0 = for ever, without bound."""

    runs_ms: int = 30 * 86_400_000
    events_ms: int = 7 * 86_400_000
    events_bytes: int = 1 << 30  # bodies and 200 bytes each; the oldest go first
    dedup_ms: int = 7 * 86_400_000
    dedup_per_trigger: int = 100_000
    request_ids_ms: int = 86_400_000
    dead_letters_ms: int = 30 * 86_400_000
    logs_ms: int = 7 * 86_400_000
    audit_ms: int = 365 * 86_400_000
