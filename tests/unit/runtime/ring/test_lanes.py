"""Lanes: bounded doors, and an inside that never refuses."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from hostd.errors.base import HostdError
from hostd.runtime.ring.lanes import Lanes


def item(size: int = 1, size_bytes: int = 0, *, patient: bool = False) -> SimpleNamespace:
    """Return a door item."""
    return SimpleNamespace(size=size, size_bytes=size_bytes, patient=patient)


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


async def entering(lanes: Lanes, *sizes: int) -> list[asyncio.Task[None]]:
    """Let some wait for room in order, and enter."""

    async def enter(size: int) -> None:
        await lanes.room(size)
        lanes.enter(item(size))

    tasks = [asyncio.ensure_future(enter(size)) for size in sizes]
    await asyncio.sleep(0)
    return tasks


async def settle() -> None:
    """Let everything that was woken run."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_who_waits_for_room_is_woken_in_order_by_what_makes_room() -> None:
    """Not before there is room for the first, and as many as fit together; one that gave up holds nobody up."""
    lanes = Lanes(10)
    for size in (4, 4, 2):
        lanes.enter(item(size))
    big, gone, small, last = await entering(lanes, 7, 9, 1, 3)

    lanes.take_door()
    await settle()
    assert not big.done() and not small.done()  # the first needs more, and nobody passes it

    gone.cancel()
    lanes.take_door()
    await settle()
    assert [task.done() for task in (big, gone, small, last)] == [True, True, True, False]

    lanes.take_door()
    lanes.take_door()
    await settle()
    assert last.done()


async def test_who_was_woken_and_finds_the_place_taken_waits_at_the_front() -> None:
    """A request that came in between does not cost the place in the line."""
    lanes = Lanes(2)
    lanes.enter(item(2))
    first, second = await entering(lanes, 2, 2)
    lanes.take_door()
    lanes.enter(item(2))
    await settle()
    assert not first.done() and not second.done()
    lanes.take_door()
    await settle()
    assert first.done() and not second.done()
    second.cancel()


async def test_an_open_door_is_waited_for_too() -> None:
    """While nothing can be written who may wait does, though there is room."""
    lanes = Lanes(2)
    lanes.shut()
    waits = asyncio.ensure_future(lanes.open_room())
    await settle()
    assert not waits.done()
    lanes.reopen()
    await waits


async def test_an_empty_lane_takes_any_one_item_that_waits() -> None:
    """What is larger than the whole lane would wait for ever; the next waits for it. Who does not wait is refused."""
    lanes = Lanes(doors_max=10, doors_bytes_max=100)
    await lanes.room(1_000, 10_000)
    with pytest.raises(HostdError, match="INTAKE_FULL"):
        lanes.enter(item(1_000, 10_000))
    lanes.enter(item(1_000, 10_000, patient=True))
    waiting = asyncio.create_task(lanes.room(1_000, 10_000))
    await asyncio.sleep(0)
    assert not waiting.done()
    lanes.take_door()
    await waiting
