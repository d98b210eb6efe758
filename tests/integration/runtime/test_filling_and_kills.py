"""Redriving letters and filling slots in, cut off by kills and asked for again: one run each, and one answer."""

from __future__ import annotations

from pathlib import Path

import pytest
from nurseries import kill_often

NURSERY = "filling_nursery.py"


@pytest.mark.timeout(600)
def test_every_letter_and_slot_has_one_run_across_kills(tmp_path: Path) -> None:
    """Killed in the middle of both loops, and asked again under the same ids, each event has started just one run."""
    verdict = kill_often(NURSERY, tmp_path / "data", 6, 1)

    assert verdict["faults"] == []
    assert verdict["runs"] == 600
    assert verdict["cut_off"] > 0


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", range(10, 14))
def test_many_kills(tmp_path: Path, seed: int) -> None:
    """The same, with forty kills a seed."""
    verdict = kill_often(NURSERY, tmp_path / "data", 40, seed)
    assert (verdict["faults"], verdict["runs"]) == ([], 600)
