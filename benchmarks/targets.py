"""The first targets, as in docs/performance.md: what a measurement must reach to be called met."""

from __future__ import annotations

from typing import Literal

import msgspec

from benchmarks.measurement import Measurement


class Target(msgspec.Struct, frozen=True):
    """A bound on the ratio, or on the value where there is no floor or the promise is a count."""

    way: Literal["<=", ">="]
    bound: float
    of: Literal["ratio", "value"] = "ratio"

    def met(self, measured: Measurement) -> bool:
        """Say whether a measurement reaches the target."""
        figure = measured.value if self.of == "value" else measured.ratio
        if figure is None:
            return False
        return figure <= self.bound if self.way == "<=" else figure >= self.bound

    def __str__(self) -> str:
        unit = " ×" if self.of == "ratio" else ""
        return f"{self.way} {self.bound:,g}{unit}"


_TARGETS: tuple[tuple[str, str, Target], ...] = (
    ("P1", "one run", Target("<=", 2.3)),
    ("P2", "runs of", Target("<=", 12)),
    ("P3", "over gRPC", Target(">=", 0.5)),
    ("P4", "StartRun", Target(">=", 0.5)),
    ("P5", "StartRuns", Target(">=", 6)),
    ("P6", "watch", Target(">=", 10)),
    ("P7", "a step", Target("<=", 1.2)),
    ("P7", "at once", Target("<=", 30, "value")),
    ("P8", "starts", Target(">=", 0.7)),
    ("P9", "recovery", Target(">=", 0.12)),
    ("P10", "in memory", Target("<=", 2_000, "value")),
    ("P10", "on disk", Target("<=", 2_500, "value")),
    ("P11", "insert", Target("<=", 5)),
    ("P12", "--version", Target("<=", 7)),
    ("P12", "rpc", Target("<=", 14)),
    ("P12", "daemon", Target("<=", 45)),
    ("P13", "Lua", Target("<=", 2)),
    ("P14", "a call", Target("<=", 2)),
    ("P14", "at once", Target(">=", 0.15)),
)


def target_of(measured: Measurement) -> Target | None:
    """Return what a measurement is held to; None for those that are only told."""
    for workload, word, target in _TARGETS:
        if measured.workload == workload and word in measured.name:
            return target
    return None
