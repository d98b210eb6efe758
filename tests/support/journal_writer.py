"""A process that writes a journal until it is killed, telling on stdout what was acknowledged.

Run as a program: `journal_writer.py PATH [FSIZE]`. A line per durable batch: `run seq`. With FSIZE no file may grow
past so many bytes: then a commit fails in a way that nobody can judge.
"""

from __future__ import annotations

import asyncio
import os
import random
import resource
import sys

from journals import append, end_batch, start_batch, step_row

from hostd.journal.port import Batch
from hostd.journal.sqlite import SqliteJournal

STEPS = 6


async def one_run(journal: SqliteJournal) -> None:
    """Drive one run, a batch a decision, telling each as soon as it is durable."""
    run = journal.allocate_runs(1)
    await append(journal, start_batch(run, labels={"n": str(run % 7)}))
    tell(run, 0)
    for step in range(STEPS):
        row = step_row(run, step)
        await append(journal, Batch(at_ms=1, rows=[row]))
        tell(run, row.seq)
    await append(journal, end_batch(run, STEPS))
    tell(run, 2 + 2 * STEPS)


def tell(run: int, seq: int) -> None:
    """Write a line that is out before anything else happens."""
    os.write(1, b"%d %d\n" % (run, seq))


async def main(path: str) -> None:
    """Write for ever, ten runs at a time."""
    journal = SqliteJournal(path, randomness=random.Random(), wal_pages=100)
    journal.open()
    if len(sys.argv) > 2:
        limit = int(sys.argv[2])
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    while True:
        await asyncio.gather(*(one_run(journal) for _ in range(10)))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
