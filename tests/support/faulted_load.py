"""A load on a journal, under the layer of faulty_disk.c, and what must be true of whatever a fault leaves of it.

Run as a program it reads one JSON object a line: {"folder", "record", "calls", "at", "error", "stays", "torn"}, forks,
does the load there, and answers its exit code. `"careless": true` makes a journal that does not wait for the disk. What
is durable is told by lines in `<folder>/told`:
    RUN BATCH       batch number BATCH (from 0) of a run
    -               runs that have ended may be deleted from here on

Batch b of a run is one row. An even b writes version b + 1 of key `run-RUN` too, b = 2 publishes an event, b = 0 makes
run index, label and blob. So whatever part of a load survives, it shows whether a batch came in parts.
"""

from __future__ import annotations

import asyncio
import ctypes
import json
import os
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from journals import append, end_batch, start_batch, step_row

from hostd.errors.base import HostdError
from hostd.journal import opening, writer
from hostd.journal.port import Batch, Blob, EventRow, KvWrite, Retention
from hostd.journal.sqlite import SqliteJournal
from hostd.model.payload import blob_digest

STEPS = 4
WAL_PAGES = 12
GAVE_UP = 3
PRUNE = Retention(runs_ms=1, events_ms=0, dedup_ms=0, request_ids_ms=0, dead_letters_ms=0)
Tell = Callable[[str], object]


def opened(folder: Path, **options: Any) -> SqliteJournal:
    """Return the open journal of a folder. Its WAL is so small that checkpoints are many."""
    journal = SqliteJournal(folder / "journal.db", randomness=random.Random(1), wal_pages=WAL_PAGES, **options)
    journal.open()
    return journal


def blob_of(run: int) -> bytes:
    """Return a run's value: of one to three pages."""
    return b"%d." % run * (1_000 * (1 + run % 3))


def batch_of(run: int, number: int) -> Batch:
    """Return one batch of a run."""
    if number == 0:
        batch = start_batch(run, labels={"n": str(run)})
        batch.blobs = [Blob("default", blob_digest(blob_of(run)), blob_of(run), run)]
    elif number <= STEPS:
        batch = Batch(at_ms=1_000, rows=[step_row(run, number - 1)])
    else:
        batch = end_batch(run, STEPS)
    if number % 2 == 0:
        batch.kv = [KvWrite("default", f"run-{run}", b"v" * 50, number + 1)]
    if number == 2:
        batch.events = [EventRow("default", "", "", f"run-{run}", b"{}", "PUBLISHED", topic="runs")]
    return batch


async def one_run(journal: SqliteJournal, tell: Tell) -> None:
    """Write a run, telling each batch as soon as it is durable; a refusal is tried again."""
    run = journal.allocate_runs(1)
    for number in range(STEPS + 2):
        while True:
            try:
                await append(journal, batch_of(run, number))
                break
            except HostdError as error:
                if error.reason not in ("JOURNAL_FULL", "JOURNAL_BUSY"):
                    raise
                await asyncio.sleep(0.002)
        tell(f"{run} {number}")


async def load(folder: Path, tell: Tell) -> None:
    """Write runs, delete them, close, open again, write more, and leave the journal as it is."""
    journal = opened(folder)
    await one_run(journal, tell)
    await asyncio.gather(*(one_run(journal, tell) for _ in range(4)))
    tell("-")
    await asyncio.to_thread(journal.prune, now_ms=10**12, retention=PRUNE, limit=3)
    await one_run(journal, tell)
    journal.close()
    journal = opened(folder)
    await asyncio.gather(*(one_run(journal, tell) for _ in range(3)))


def faults_of(folder: Path, told: bytes) -> list[str]:
    """Open what is left, and return what is wrong with it; nothing where all that was told is there.

    Raises:
        HostdError: what the start refused with.
    """
    journal = opened(folder)
    try:
        faults = [*journal.check(), *_missing(journal, told)]
        faults += [fault for run in _runs(journal) for fault in _parts(journal, run)]
    finally:
        journal.close()
    return faults


def _missing(journal: SqliteJournal, told: bytes) -> list[str]:
    forgotten: set[int] = set()
    newest: dict[int, int] = {}
    for line in told.decode().splitlines():
        first, *rest = line.split()
        if first == "-":
            forgotten.update(run for run, number in newest.items() if number >= STEPS)  # its end may not be told
        else:
            newest[int(first)] = int(rest[0])
    counts = {run: len(journal.history(run)) for run in newest}
    return [
        f"run {run}: {counts[run]} batches are left, {number + 1} were told"
        for run, number in newest.items()
        if counts[run] <= number and not (run in forgotten and not counts[run])
    ]


def _runs(journal: SqliteJournal) -> list[int]:
    return sorted({row.run for row in journal.rows_after(0, limit=10_000)})


def _parts(journal: SqliteJournal, run: int) -> list[str]:
    """Say where a run's batches did not come whole."""
    rows = journal.history(run)
    key = journal.kv("default", [f"run-{run}"]).get(f"run-{run}")
    expected = (len(rows) - 1) // 2 * 2 + 1
    events = [row for _, _, row in journal.events("default", topics=["runs"]) if row.event_id == f"run-{run}"]
    blob = journal.blob("default", blob_digest(blob_of(run)))
    return [
        f"run {run}: {what} with {len(rows)} batches"
        for what, wrong in (
            ("no index row", journal.run_row(run) is None),
            ("key", key is None or key.version != expected),
            ("event", len(events) != (len(rows) > 2)),
            ("blob", blob is None or blob.data != blob_of(run)),
        )
        if wrong
    ]


# -- as a program


def _child(spec: dict[str, Any], layer: ctypes.CDLL) -> None:
    folder = Path(spec["folder"])
    calls = (spec.get("calls", 0), ctypes.c_long(spec.get("at", 0)), spec.get("error", 0))
    how = (int(spec.get("stays", False)), int(spec.get("torn", False)))
    layer.disk_watch(os.fsencode(folder), os.fsencode(spec.get("record", "")), *calls, *how)
    if spec.get("careless"):
        opening._SETTINGS = tuple(text.replace("FULL", "OFF") for text in opening._SETTINGS)
    told = os.open(folder / "told", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def count() -> None:
        layer.disk_calls.restype = ctypes.c_long
        counts = [layer.disk_calls(kind) for kind in (1, 2)]
        folder.with_name(folder.name + ".counts").write_text(json.dumps(counts))

    try:
        asyncio.run(load(folder, lambda line: os.write(told, line.encode() + b"\n")))
        count()
    except HostdError:
        os._exit(GAVE_UP)
    os._exit(0)


def main() -> None:
    """Serve loads until the input ends."""
    writer.RETRY_S = 0.001
    layer = ctypes.CDLL(None)
    for line in sys.stdin:
        spec = msgspec.json.decode(line, type=dict[str, Any])
        child = os.fork()
        if child == 0:
            try:
                _child(spec, layer)
            except BaseException:  # the child must never go on as a second server
                import traceback

                traceback.print_exc()
            os._exit(99)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
