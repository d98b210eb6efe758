"""Output whose reader may stand still."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator

import pytest

from hostd.cli.dev.outlet import WAITING_MAX, Outlet

PIECE = "x" * 60_000 + "\n"


@pytest.fixture
def pipe() -> Iterator[list[int]]:
    """Both ends of a pipe; a test that closes one takes it out."""
    ends = list(os.pipe())
    yield ends
    for end in ends:
        os.close(end)


def read(end: int, size: int) -> str:
    """Return so many bytes."""
    data = b""
    while len(data) < size:
        data += os.read(end, size - len(data))
    return data.decode()


def test_who_does_not_read_keeps_nobody(pipe: list[int]) -> None:
    """Texts are taken until too much waits, and none is torn; what was taken comes in order once somebody reads."""
    outlet = Outlet(lambda: None, descriptor=pipe[1])
    taken = 0
    while outlet.put(f"{taken:04} {PIECE}"):
        taken += 1
        assert taken <= WAITING_MAX
    assert taken > 10
    assert outlet.waiting
    assert not outlet.flush(0.0)
    said = read(pipe[0], taken * len(f"0000 {PIECE}"))
    assert [line[:4] for line in said.splitlines()] == [f"{number:04}" for number in range(taken)]
    assert outlet.flush(60)
    assert outlet.put("again\n")
    assert read(pipe[0], 6) == "again\n"


def test_a_text_larger_than_all_room_is_taken_alone(pipe: list[int]) -> None:
    """It would else never be written."""
    outlet = Outlet(lambda: None, descriptor=pipe[1])
    text = "y" * (WAITING_MAX + 1)
    assert outlet.put(text)
    assert read(pipe[0], len(text)) == text


def test_a_reader_that_went_away_is_told_of(pipe: list[int]) -> None:
    """Once; whatever comes after that goes nowhere."""
    gone = threading.Event()
    outlet = Outlet(gone.set, descriptor=pipe[1])
    os.close(pipe.pop(0))
    assert outlet.put("nobody reads this\n")
    assert gone.wait(60)
    assert outlet.put("nor this\n")
    assert outlet.flush(60)
