"""Redriving letters and filling slots in, cut off by kills and asked for again: one run each, and one answer."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

NURSERY = Path(__file__).parents[2] / "support" / "filling_nursery.py"


def kill_often(folder: Path, cycles: int, seed: int) -> dict[str, Any]:
    """Return what the nursery found."""
    done = subprocess.run(
        [sys.executable, str(NURSERY), str(folder), str(cycles), str(seed)],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    verdict: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return verdict


@pytest.mark.timeout(300)
def test_every_letter_and_slot_has_one_run_across_kills(tmp_path: Path) -> None:
    """Killed in the middle of both loops, and asked again under the same ids, each event has started just one run."""
    verdict = kill_often(tmp_path / "data", 6, 1)

    assert verdict["faults"] == []
    assert verdict["runs"] == 600
    assert verdict["cut_off"] > 0


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", range(10, 14))
def test_many_kills(tmp_path: Path, seed: int) -> None:
    """The same, with forty kills a seed."""
    verdict = kill_often(tmp_path / "data", 40, seed)
    assert (verdict["faults"], verdict["runs"]) == ([], 600)
