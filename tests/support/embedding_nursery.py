"""A program that embeds a host, to be killed: `python embedding_nursery.py FOLDER` starts one run of each workflow.

It prints a line with the runs' ids, then one for each call of a function, which it notes in `FOLDER/calls` as well.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from hostd.embedding import Host, Workflow, action


def functions(calls: Path, *, hang: bool) -> list[Any]:
    """Return the program's actions; each notes that it was called, and returns or hangs."""

    async def called(name: str) -> str:
        with calls.open("a") as file:
            file.write(f"{name}\n")
        print(name, flush=True)
        if hang:
            await asyncio.Event().wait()
        return f"{name} done"

    @action("shop.often")
    async def often() -> str:
        return await called("often")

    @action("shop.once", effects="at_most_once")
    async def once() -> str:
        return await called("once")

    return [often, once]


def workflows() -> list[Workflow]:
    """Return a workflow for each function."""
    found = []
    for name in ("often", "once"):
        wf = Workflow(name)
        wf.output(wf.step("it", f"shop.{name}").output)
        found.append(wf)
    return found


async def main(folder: Path) -> None:
    """Start the runs and wait to be killed."""
    async with Host.open(folder / "data", actions=functions(folder / "calls", hang=True)) as host:
        runs = {wf.name: (await host.start(wf)).id for wf in workflows()}
        print(json.dumps(runs), flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
