"""One line of the results, and how it is made from rounds."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

import msgspec


class Measurement(msgspec.Struct, frozen=True, kw_only=True):
    """What one workload measured.

    Args:
        workload: P1 and so on, as in docs/performance.md.
        value: median over rounds, in `unit`.
        floor: median over rounds of what the value is held against, in the same unit; None where there is nothing.
        ratio: median over rounds of value / floor, both of the same round.
        spread: how far apart the middle half of the rounds lies, as a share of the median (of the ratio where there is
            one, else of the value); 0.1 = 10 %.
    """

    workload: str
    name: str
    value: float
    unit: str
    floor: float | None = None
    ratio: float | None = None
    rounds: int = 1
    spread: float = 0.0


def against_floor(
    workload: str, name: str, values: Sequence[float], floors: Sequence[float], *, unit: str, floor_scale: float = 1.0
) -> Measurement:
    """Return a measurement whose ratio is taken within each round.

    Args:
        floor_scale: what a floor counts, for floors that did more or less work than the value.
    """
    floors = [floor * floor_scale for floor in floors]
    ratios = [value / floor for value, floor in zip(values, floors, strict=True)]
    return Measurement(
        workload=workload,
        name=name,
        value=statistics.median(values),
        unit=unit,
        floor=statistics.median(floors),
        ratio=statistics.median(ratios),
        rounds=len(values),
        spread=spread(ratios),
    )


def plain(workload: str, name: str, values: Sequence[float], *, unit: str) -> Measurement:
    """Return a measurement with nothing to hold it against."""
    return Measurement(
        workload=workload,
        name=name,
        value=statistics.median(values),
        unit=unit,
        rounds=len(values),
        spread=spread(values),
    )


def spread(values: Sequence[float]) -> float:
    """Return the interquartile range over the median; 0 for a single value."""
    middle = statistics.median(values)
    if len(values) < 2 or not middle:
        return 0.0
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return (high - low) / abs(middle)
