"""Lanes: bounded doors, and an inside that never refuses."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from hostd.errors.base import HostdError
from hostd.runtime.lanes import Lanes


def item(size: int = 1, size_bytes: int = 0) -> SimpleNamespace:
    """Return a door item."""
    return SimpleNamespace(size=size, size_bytes=size_bytes)


def test_the_doors_refuse_whole_items_past_their_bound() -> None:
    """INTAKE_FULL says when to come again; what was taken makes room."""
    lanes = Lanes(10)
    lanes.enter(item(8))
    with pytest.raises(HostdError) as refused:
        lanes.enter(item(3))
    assert (refused.value.reason, refused.value.retry_after_s) == ("INTAKE_FULL", 0.1)
    assert not lanes.has_room(3) and lanes.has_room(2)

    lanes.take_door()

    lanes.enter(item(10))


def test_the_doors_are_bounded_by_bytes_too() -> None:
    """A few large inputs fill the lane as many small ones do; one alone always fits."""
    lanes = Lanes(100, doors_bytes_max=1_000)
    lanes.enter(item(1, 5_000))
    with pytest.raises(HostdError, match="INTAKE_FULL"):
        lanes.enter(item(1, 1))

    assert len(lanes.drop_doors()) == 1
    assert (lanes.doors_size, lanes.doors_bytes) == (0, 0)
