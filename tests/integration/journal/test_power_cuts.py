"""The power goes at any instant of a recorded load: everything acknowledged is there, and nothing came in parts.

A disk that honours flushes is all that is asked for: what was not flushed may be there, torn, or not, in any order.
"""

from __future__ import annotations

import random
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from faulted_load import faults_of
from faulted_loads import Loads, loads
from faulty_disk import Disk, Step

from hostd.errors.base import HostdError

HOW = ("all", "none", "last", "some", "some")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the layer is made for Linux")


@pytest.fixture(scope="module")
def memory() -> Iterator[Path]:
    """Yield a folder in memory where there is such a place: thousands of journals are opened here."""
    place = "/dev/shm" if Path("/dev/shm").is_dir() else None
    with tempfile.TemporaryDirectory(dir=place) as name:
        yield Path(name)


@pytest.fixture(scope="module")
def server() -> Iterator[Loads]:
    """Yield what does loads."""
    with loads() as started:
        yield started


def after_a_cut(disk: Disk, folder: Path, how: str, chance: random.Random) -> list[str]:
    """Return what is wrong with what a power cut leaves."""
    disk.leave(folder, how, chance)
    try:
        return faults_of(folder, disk.told)
    except HostdError as error:  # a disk that honours flushes leaves no reason to refuse
        return [str(error)]


def cut_everywhere(steps: list[Step], disk: Disk, *, folder: Path, share: float, chance: random.Random) -> int:
    """Cut the power after a share of all steps, in every way; return how many journals were opened."""
    cuts = 0
    for number, step in enumerate(steps):
        disk.do(step)
        if chance.random() >= share:
            continue
        for how in HOW[:1] if disk.is_quiet else HOW:
            cuts += 1
            faults = after_a_cut(disk, folder, how, chance)
            assert faults == [], f"after step {number} ({step.kind} {step.name} {step.offset}), {how}"
    return cuts


@pytest.mark.timeout(900)
@pytest.mark.parametrize("share", [0.06, pytest.param(1.0, marks=pytest.mark.slow)])
def test_a_power_cut_loses_nothing_acknowledged(server: Loads, memory: Path, share: float) -> None:
    """A new journal, group commits, checkpoints, deleting, closing, opening: all told is there."""
    steps = server.recorded(memory / f"load{share}")
    assert {step.kind for step in steps} >= {"O", "W", "T", "S", "U", "A"}
    folder = memory / "cut"
    assert cut_everywhere(steps, Disk(), folder=folder, share=share, chance=random.Random(1)) > 800 * share


@pytest.mark.timeout(900)
@pytest.mark.parametrize("first_cuts, share", [(3, 0.03), pytest.param(12, 0.4, marks=pytest.mark.slow)])
def test_a_power_cut_while_recovering_loses_nothing(server: Loads, memory: Path, first_cuts: int, share: float) -> None:
    """After a power cut the journal is opened and written, and the power goes again, anywhere."""
    steps = server.recorded(memory / f"first{first_cuts}")
    chance = random.Random(first_cuts)
    for instant in sorted(chance.sample(range(len(steps) // 3, len(steps)), first_cuts)):
        disk = Disk()
        for step in steps[:instant]:
            disk.do(step)
        again = memory / f"again{first_cuts}-{instant}"
        disk.leave(again, "some", chance)
        second, told = Disk(again), disk.told
        second.told = told
        more = server.recorded(again)
        assert cut_everywhere(more, second, folder=memory / "cut", share=share, chance=chance) > 0


def test_a_journal_that_does_not_flush_is_caught(server: Loads, memory: Path) -> None:
    """The proof can fail: without flushes what was told is missing after a cut, or the start refuses and says so."""
    disk, chance, caught = Disk(), random.Random(1), 0
    for step in server.recorded(memory / "careless", careless=True):
        disk.do(step)
        if chance.random() < 0.05:
            caught += bool(after_a_cut(disk, memory / "cut", "some", chance))
    assert caught > 5
