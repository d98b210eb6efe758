"""A host in a forked process that its own steps may kill: opened again and again until all its runs have ended."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

from lab import Lab

LIVES_MAX = 20


def live(folder: Path, text: str, count: int) -> int:
    """Open the host once in a child, starting `count` runs of the text in the first life; return its exit code.

    0: every run has ended.
    """
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        return os.waitstatus_to_exitcode(status)
    try:
        asyncio.run(_live(folder, text, count))
    except BaseException:  # the child must never go on as a second pytest
        import traceback

        traceback.print_exc()
        os._exit(99)
    os._exit(0)


async def _live(folder: Path, text: str, count: int) -> None:
    async with asyncio.timeout(200):
        lab = await Lab(folder).open()
        for document in text.split("\n---\n") if text else ():
            workflow = await lab.register(document)
            await lab.try_start(workflow, count=count)
        await lab.until(lambda: not lab.core.journal.live_runs(limit=1))
        await lab.close()


def live_till_all_have_ended(folder: Path, text: str, count: int = 1) -> list[int]:
    """Return the exit codes of all lives, the last of which is 0."""
    codes = [live(folder, text, count)]
    while codes[-1] != 0 and len(codes) < LIVES_MAX:
        codes.append(live(folder, "", 0))
        if codes[-1] == 99:
            break
    return codes


def read(folder: Path) -> list[tuple[Any, list[Any]]]:
    """Return every run's row and history, from a host in this process."""

    async def look() -> list[tuple[Any, list[Any]]]:
        from hostd.runtime.ring.intake import Started

        lab = await Lab(folder).open()
        found = []
        for row in lab.runs():
            from hostd.model.ids import text_id

            found.append((row, lab.records(Started(text_id(row.run_id), row.run))))
        await lab.close()
        return found

    return asyncio.run(look())
