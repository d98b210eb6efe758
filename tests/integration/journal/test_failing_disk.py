"""Every write and every flush of a load fails once, or from then on: what was acknowledged is there afterwards."""

from __future__ import annotations

import errno
import random
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from faulted_load import GAVE_UP, faults_of
from faulted_loads import Loads, calls, loads
from faulty_disk import SYNCS, WRITES

from hostd.journal.transactions import FATAL_EXIT_CODE

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the layer is made for Linux")
FAULTS = {
    "write fails": {"calls": WRITES, "error": errno.EIO},
    "write fails in the middle": {"calls": WRITES, "error": errno.EIO, "torn": True},
    "disk is full": {"calls": WRITES, "error": errno.ENOSPC, "torn": True},
    "flush fails": {"calls": SYNCS, "error": errno.EIO},
    "flush finds the disk full": {"calls": SYNCS, "error": errno.ENOSPC},
    "disk is gone": {"calls": WRITES | SYNCS, "error": errno.EIO, "stays": True},
}


@pytest.fixture(scope="module")
def memory() -> Iterator[Path]:
    """Yield a folder in memory where there is such a place."""
    place = "/dev/shm" if Path("/dev/shm").is_dir() else None
    with tempfile.TemporaryDirectory(dir=place) as name:
        yield Path(name)


@pytest.fixture(scope="module")
def server() -> Iterator[Loads]:
    """Yield what does loads."""
    with loads() as started:
        yield started


@pytest.mark.timeout(900)
@pytest.mark.parametrize("most", [12, pytest.param(10_000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_failing_call_loses_nothing_acknowledged(server: Loads, memory: Path, fault: str, most: int) -> None:
    """Whichever call fails, the process goes on, gives up by name or ends at once; all that it told is there."""
    sound = memory / f"sound {fault} {most}"
    assert server.run(sound) == 0
    writes, syncs = calls(sound)
    kinds = FAULTS[fault]["calls"]
    count = (writes if kinds & WRITES else 0) + (syncs if kinds & SYNCS else 0)
    codes = set()
    for at in sorted(random.Random(fault).sample(range(1, count + 1), min(most, count))):
        folder = memory / f"{fault} {at}"
        code = server.run(folder, at=at, **FAULTS[fault])
        codes.add(code)
        told = (folder / "told").read_bytes()
        assert code in (0, GAVE_UP, FATAL_EXIT_CODE), f"call {at} of {count}"
        assert faults_of(folder, told) == [], f"call {at} of {count}, exit code {code}"
    assert codes - {0} or most < 100
