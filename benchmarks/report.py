"""The table for people and the file for programs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.machine import Machine
from benchmarks.measurement import Measurement
from benchmarks.targets import target_of

HEAD = ("workload", "name", "value", "unit", "floor", "ratio", "target", "met", "rounds", "spread")


def table(measurements: Sequence[Measurement]) -> str:
    """Return a Markdown table whose columns line up."""
    lines = [HEAD, *(_line(measured) for measured in measurements)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEAD))]
    rows = [_row(line, widths) for line in lines]
    return "\n".join([rows[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *rows[1:]])


def _row(line: Sequence[str], widths: Sequence[int]) -> str:
    return "| " + " | ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)) + " |"


def _line(measured: Measurement) -> tuple[str, ...]:
    target = target_of(measured)
    return (
        measured.workload,
        measured.name,
        number(measured.value),
        measured.unit,
        "" if measured.floor is None else number(measured.floor),
        "" if measured.ratio is None else number(measured.ratio),
        "" if target is None else str(target),
        "" if target is None else "yes" if target.met(measured) else "NO",
        str(measured.rounds),
        f"{measured.spread:.0%}",
    )


def number(value: float) -> str:
    """Return three digits that matter, and whole thousands."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def write_json(path: Path, measurements: Sequence[Measurement], machine: Machine) -> None:
    """Write the results: one object a measurement, and one at the end with the workload `machine`."""
    rows: list[dict[str, Any]] = [msgspec.to_builtins(measured) for measured in measurements]
    rows.append({"workload": "machine", **msgspec.to_builtins(machine)})
    path.write_bytes(msgspec.json.format(msgspec.json.encode(rows), indent=2) + b"\n")
