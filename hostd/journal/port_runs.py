"""Runs as the journal's port has them: their rows, values and snapshots, and how they are read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from hostd.model.filters import Filter
from hostd.model.payload import JSON_TYPE


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


class Snapshot(msgspec.Struct, frozen=True, gc=False):
    """A run's folded state up to and without record `seq`; only the newest of a run is kept."""

    run: int
    seq: int
    ver: int
    body: bytes


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


class Progress(msgspec.Struct, frozen=True, gc=False):
    """What a step's running attempt last reported, JSON text; the newest replaces the one before."""

    run: int
    step: int
    body: bytes


class RunQuery(msgspec.Struct, frozen=True, gc=False):
    """A list of runs: newest first. `filter` is an AST of model/filters.py.

    `before` pages: runs with key < before, or > before when ascending; 0 = from the start.
    """

    namespace: str
    filter: Filter | None = None
    before: int = 0
    limit: int = 100
    ascending: bool = False


class OpenCounts(msgspec.Struct, frozen=True, gc=False):
    """How many runs are not final, by state and whether they have a timer, before the record at `next_pos`."""

    next_pos: int
    runs: dict[tuple[int, bool], int]


class RunReads(Protocol):
    """Reading what runs are made of."""

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

    def open_counts(self) -> OpenCounts:
        """Count the runs that are not final. Looks at each of them: for a start, and for what no record tells of."""
        ...

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

    def blob(self, namespace: str, digest: bytes) -> Blob | None: ...

    def kept_blobs(self, run: int) -> dict[bytes, int]:
        """Return size in bytes by digest of what a run's actions keep."""
        ...

    def progress(self, run: int) -> dict[int, bytes]:
        """Return what the steps of a live run last reported."""
        ...
