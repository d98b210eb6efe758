"""A few starts at once, in the order they asked."""

import asyncio

import pytest

from hostd.host.process import start_queue
from hostd.host.process.start_queue import Place, StartQueue


def begun(places: list[Place]) -> list[int]:
    """Return which of the starts have begun."""
    return [number for number, place in enumerate(places) if place.granted.done() and not place.granted.cancelled()]


async def test_so_many_begin_and_the_others_follow_in_their_order() -> None:
    """Each that is through lets in whoever has waited longest; leaving twice lets in nobody more."""
    queue = StartQueue(2)
    places = [queue.ask() for _ in range(5)]
    assert begun(places) == [0, 1]
    places[1].leave()
    places[1].leave()
    assert begun(places) == [0, 1, 2]
    places[3].leave()  # gave up before its turn
    places[0].leave()
    assert begun(places) == [0, 1, 2, 4]
    for place in places:
        place.leave()
    assert begun([queue.ask() for _ in range(3)]) == [0, 1]


async def test_one_that_takes_long_does_not_hold_up_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its place is lent for a while only."""
    monkeypatch.setattr(start_queue, "LENT_S", 0.0)
    queue = StartQueue(1)
    places = [queue.ask(), queue.ask()]
    await asyncio.wait_for(asyncio.shield(places[1].granted), 120)
    places[0].leave()
    places[1].leave()
    assert begun([queue.ask(), queue.ask()]) == [0]
