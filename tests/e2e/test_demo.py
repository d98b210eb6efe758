"""`make demo`, as part of the tests."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

DEMO = Path(__file__).parent / "demo.py"


@pytest.mark.timeout(400)
def test_the_demo_ends_well() -> None:
    """The daemon is killed in mid-run and started again, and the run completes with every step's result used once."""
    done = subprocess.run([sys.executable, str(DEMO)], capture_output=True, text=True, check=False, timeout=360)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "used once, across a kill -9" in done.stdout
