"""What a workload is given: where it may write, how many rounds, and chance."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeAlias

from benchmarks.measurement import Measurement
from benchmarks.rounds import Variant, interleave


class Skipped(Exception):
    """A workload that this machine, or this build, cannot run; says why."""


class Bench:
    """One invocation.

    Args:
        rounds: how often each variant runs; a workload with quick variants takes more.
        size: share of the work of a full measurement, for a quick look that everything runs; 1 = all of it.
        full: measure also what takes longer than the short form may.
    """

    def __init__(self, folder: Path, *, rounds: int, size: float = 1.0, full: bool = False, seed: int = 0) -> None:
        self.folder = folder
        self.rounds = rounds
        self.size = size
        self.full = full
        self.dice = random.Random(seed)

    def scaled(self, count: int, *, least: int = 2) -> int:
        """Return a count of things to do, cut to this invocation's size."""
        return max(least, round(count * self.size))

    def scratch(self, name: str) -> Path:
        """Return a new, empty folder on the disk that is measured."""
        return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.folder))

    async def interleave(self, rounds: int | None = None, **variants: Variant) -> dict[str, list[float]]:
        """Return each variant's samples, one a round."""
        return await interleave(variants, rounds=rounds or self.rounds, dice=self.dice)


Workload: TypeAlias = Callable[[Bench], Awaitable[list[Measurement]]]
