"""Other programs, and the processor time they take: on a busy machine it says more than the time on the wall."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Sequence
from typing import NamedTuple


class Taken(NamedTuple):
    """Seconds of processor (user and system, threads and ended children included) and of wall."""

    cpu_s: float
    wall_s: float


async def run(arguments: Sequence[str]) -> Taken:
    """Run `python <arguments>` to its end. Raises RuntimeError when it fails."""
    return await asyncio.to_thread(_run, [sys.executable, *arguments])


def _run(command: list[str]) -> Taken:
    started_s = time.perf_counter()
    with open(os.devnull, "w") as nowhere:
        actions = [(os.POSIX_SPAWN_DUP2, nowhere.fileno(), 1)]
        pid = os.posix_spawn(command[0], command, environment(), file_actions=actions)
        _, status, used = os.wait4(pid, 0)
    wall_s = time.perf_counter() - started_s
    if status:
        raise RuntimeError(f"{' '.join(command)} ended with status {status}")
    return Taken(used.ru_utime + used.ru_stime, wall_s)


def environment() -> dict[str, str]:
    """Return this process's environment without what would change a start: byte code is written and used."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HOSTD_", "PYTHON"))}
    kept["PYTHONPATH"] = os.environ.get("PYTHONPATH", "")
    return kept
