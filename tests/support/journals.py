"""Histories and batches to fill a journal with, and appending that waits for the disk."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import Any

from hostd.journal.codec import encode_records
from hostd.journal.port import Appended, Batch, Journal, NewRun, Row, RunUpdate
from hostd.journal.sqlite import SqliteJournal
from hostd.model.ids import make_run_id, stored_id
from hostd.model.records import AttemptStarted, AttemptSucceeded, RunEnded, RunStarted
from hostd.model.states import RunState

HOUR_MS = 3_600_000


async def append(journal: Journal, batch: Batch, *, alone: bool = False) -> Appended:
    """Append and wait until it is durable."""
    future: asyncio.Future[Appended] = asyncio.get_running_loop().create_future()

    def done(appended: Appended | None, error: BaseException | None) -> None:
        if error is not None:
            future.set_exception(error)
        else:
            assert appended is not None
            future.set_result(appended)

    at_once = journal.append(batch, done, alone=alone)
    return await future if at_once is None else at_once


def text_run_id(number: int) -> str:
    """Return a run id that stands for a number."""
    return make_run_id(number * 7919 & 0xFFFF, 1_700_000_000_000 + number, number)


def new_run(run: int, **fields: Any) -> NewRun:
    """Return the index row of a run."""
    given: dict[str, Any] = {"namespace": "default", "workflow": "order", "version": "1.0.0"}
    given |= {"state": int(RunState.RUNNING), "run_id": stored_id(text_run_id(run))}
    return NewRun(run=run, **(given | fields))


def started(new: NewRun) -> RunStarted:
    """Return the first record of a run with that index row."""
    return RunStarted(
        run_id=new.run_id,
        workflow=new.workflow,
        version=new.version,
        key=new.key,
        labels=new.labels,
        trigger=new.trigger,
        parent=new.parent,
        input=b'{"n":1}',
    )


def start_batch(run: int, *, at_ms: int = 1_000, **fields: Any) -> Batch:
    """Return the batch in which a run starts: two records, index row."""
    new = new_run(run, **fields)
    body = encode_records([started(new), AttemptStarted(step=0)])
    return Batch(at_ms=at_ms, rows=[Row(run, 0, 2, body, "unix:0")], new_runs=[new])


def step_row(run: int, step: int) -> Row:
    """Return the row in which step `step` succeeds and the next starts; steps count from 0."""
    records = [AttemptSucceeded(step=step, output=b'{"ok":true}'), AttemptStarted(step=step + 1)]
    return Row(run, 2 + 2 * step, 2, encode_records(records))


def end_batch(run: int, steps: int, *, at_ms: int = 2_000, state: RunState = RunState.SUCCEEDED) -> Batch:
    """Return the batch in which a run ends after `steps` step rows."""
    records = [AttemptSucceeded(step=steps), RunEnded(outcome=int(state))]
    row = Row(run, 2 + 2 * steps, 2, encode_records(records))
    return Batch(at_ms=at_ms, rows=[row], run_updates=[RunUpdate(run, int(state))])


async def whole_run(journal: Journal, *, steps: int = 3, at_ms: int = 1_000, **fields: Any) -> int:
    """Append a run from start to end, a batch a decision; return its key."""
    run = journal.allocate_runs(1)
    await append(journal, start_batch(run, at_ms=at_ms, **fields))
    for step in range(steps):
        await append(journal, Batch(at_ms=at_ms + step, rows=[step_row(run, step)]))
    await append(journal, end_batch(run, steps, at_ms=at_ms + steps))
    return run


def open_journal(path: Path, *, accept_loss: bool = False) -> SqliteJournal:
    """Open a journal with a small WAL."""
    journal = SqliteJournal(path, randomness=random.Random(5), accept_loss=accept_loss, wal_pages=40)
    journal.open()
    return journal
