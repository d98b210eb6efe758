"""`kill -9` at random instants under load: what was acknowledged ends, once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from nurseries import kill_often

NURSERY = "crash_nursery.py"


def check(verdict: dict[str, Any]) -> None:
    """Nothing is wrong, and the kills really hit something."""
    assert verdict["faults"] == []
    assert verdict["acknowledged"] > 0
    succeeded = verdict["states"]["10"]
    assert succeeded > 0.95 * verdict["acknowledged"]  # the rest was killed thrice, the last time alone: ATTEMPT_LOST


@pytest.mark.timeout(600)
def test_every_acknowledged_run_ends_once_across_kills(tmp_path: Path) -> None:
    """After 25 kills at random instants every acknowledged start has succeeded, no step twice, histories fold."""
    verdict = kill_often(NURSERY, tmp_path / "data", 25, 1)

    check(verdict)
    assert verdict["losses"] > 0


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", range(10, 14))
def test_hundreds_of_kills(tmp_path: Path, seed: int) -> None:
    """The same after 100 kills in one journal."""
    check(kill_often(NURSERY, tmp_path / "data", 100, seed))


@pytest.mark.parametrize(("cycles", "seed"), [(15, 1), pytest.param(100, 2, marks=pytest.mark.slow)])
@pytest.mark.timeout(600)
def test_no_signal_is_lost_or_doubled_across_kills(tmp_path: Path, cycles: int, seed: int) -> None:
    """Events up to the cursor, and clients' requests however often repeated, are each in one run, once, in order."""
    verdict = kill_often("signal_nursery.py", tmp_path / "data", cycles, seed)

    assert verdict["faults"] == []
    assert verdict["acknowledged"] > 0 and verdict["events"] > 0
