"""The benchmarks: each workload runs and says what it promises to say; how fast it was is nobody's business here."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest

from benchmarks.__main__ import WORKLOADS, workload
from benchmarks.bench import Bench, Skipped
from benchmarks.machine import notes
from benchmarks.measurement import Measurement, against_floor
from benchmarks.report import table, write_json
from benchmarks.targets import target_of

TINY = 0.005


QUICK = ("P1", "P2", "P11")


@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in WORKLOADS]
)
def test_a_workload_runs_and_holds_its_figures_against_a_floor_or_a_target(name: str, tmp_path: Path) -> None:
    """One tiny round of each workload gives figures above nothing, at least one of them with a target."""
    try:
        measured = asyncio.run(workload(name)(Bench(tmp_path, rounds=1, size=TINY)))
    except Skipped as reason:
        pytest.skip(str(reason))
    assert {each.workload for each in measured} == {name}
    assert all(each.value >= 0 for each in measured)
    assert any(target_of(each) is not None for each in measured)
    assert all(each.ratio is None or each.floor for each in measured)


def test_ratios_are_taken_within_a_round() -> None:
    """A round in which everything was slow does not change the ratio."""
    measured = against_floor("P1", "one run", [2.0, 40.0, 2.0], [1.0, 20.0, 1.0], unit="ms")
    assert (measured.value, measured.floor, measured.ratio, measured.spread) == (2.0, 1.0, 2.0, 0.0)


def test_results_are_a_list_with_the_promised_keys(tmp_path: Path) -> None:
    """results.json holds an object a measurement, with every key that programs read, and the machine at the end."""
    measured = Measurement(workload="P1", name="one run", value=2.0, unit="ms", floor=1.0, ratio=2.0, rounds=3)
    write_json(tmp_path / "results.json", [measured], notes(tmp_path, 0.5))
    first, machine = msgspec.json.decode((tmp_path / "results.json").read_bytes())
    assert set(first) == {"workload", "name", "value", "unit", "floor", "ratio", "rounds", "spread"}
    assert machine["workload"] == "machine"
    assert machine["fdatasync_p50_us"] > 0


def test_the_table_says_whether_a_target_is_met() -> None:
    """The same workload is met at its target and not above it."""
    lines = table(
        [
            Measurement(workload="P1", name="one run", value=ratio, unit="ms", floor=1.0, ratio=ratio)
            for ratio in (2.3, 2.4)
        ]
    ).splitlines()
    assert ["yes" in lines[2], "NO" in lines[3]] == [True, True]
