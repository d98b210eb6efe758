"""Running a nursery of tests/support: a process that kills a daemon again and again, and prints its verdict."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any


def kill_often(nursery: str, folder: Path, cycles: int, seed: int) -> dict[str, Any]:
    """Return the verdict of `nursery`, such as crash_nursery.py, after `cycles` kills on a journal in `folder`."""
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name(nursery)), str(folder), str(cycles), str(seed)],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    verdict: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return verdict
