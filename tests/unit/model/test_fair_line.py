"""Shares take turns, whatever one of them has in line."""

from __future__ import annotations

import random

from hostd.model.fair_line import FairLine, Rounds


def test_a_share_that_just_came_waits_for_one_turn_of_each_other() -> None:
    """A thousand asks of one share cost the first ask of another nothing."""
    line: FairLine[str] = FairLine()
    for number in range(1_000):
        line.add("a", f"a{number}")
    assert [line.take() for _ in range(3)] == ["a0", "a1", "a2"]

    line.add("b", "b0")
    line.add("b", "b1")
    line.add("c", "c0")

    assert [line.take() for _ in range(6)] == ["b0", "c0", "a3", "b1", "a4", "a5"]


def test_within_a_share_the_first_who_asked_is_first() -> None:
    """One share alone is a plain queue."""
    line: FairLine[int] = FairLine()
    for number in range(100):
        line.add("only", number)
    assert [line.take() for _ in range(100)] == list(range(100))


def test_a_share_that_comes_back_at_once_does_not_starve_the_others() -> None:
    """Asking again after each turn gives every second turn, not every turn."""
    line: FairLine[str] = FairLine()
    for _ in range(10):
        line.add("many", "many")
    served = []
    line.add("again", "again")
    for _ in range(10):
        served.append(line.take())
        if served[-1] == "again":
            line.add("again", "again")
    assert 4 <= served.count("many") <= 6


def test_lines_of_one_resource_share_the_order() -> None:
    """Two lines that wait for the same thing keep the order of asking between them."""
    rounds = Rounds()
    first: FairLine[int] = FairLine(rounds)
    second: FairLine[int] = FairLine(rounds)
    for number in range(6):
        (second if number % 2 else first).add("only", number)
    order = []
    while first or second:
        take_first = not second or (bool(first) and first.next_turn < second.next_turn)
        order.append((first if take_first else second).take())
    assert order == list(range(6))


def test_what_leaves_the_line_leaves_nothing_behind() -> None:
    """Removing keeps the order of the rest; shares that nobody waits for are forgotten in time."""
    line: FairLine[str] = FairLine()
    dice = random.Random(1)
    items = [f"s{number}" for number in range(5_000)]
    for item in items:
        line.add(item, item)
        if dice.random() < 0.9:
            line.take()
    left = line.take()
    assert not line.remove(left)
    assert len(line._rounds._shares) <= 2_000
