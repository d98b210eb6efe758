"""Ancestors and circles over random graphs, against the slow and obvious way."""

from __future__ import annotations

import itertools
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from hostd.definition.graph import ancestors, cycles, dependents, order

GRAPHS = st.integers(1, 8).flatmap(
    lambda size: st.lists(st.lists(st.integers(0, size - 1), unique=True, max_size=4), min_size=size, max_size=size)
)


def reachable(needs: list[list[int]], start: int) -> set[int]:
    """Return all positions above one, itself too where it lies on a circle."""
    seen: set[int] = set()
    stack = list(needs[start])
    while stack:
        position = stack.pop()
        if position not in seen:
            seen.add(position)
            stack += needs[position]
    return seen


@given(GRAPHS)
def test_circles_are_found_exactly_when_there_are_any(needs: list[list[int]]) -> None:
    """Each reported path follows needs and comes back to its first step; none is reported for a graph without one."""
    found = cycles(needs)
    assert bool(found) == any(start in reachable(needs, start) for start in range(len(needs)))
    for path in found:
        assert path[0] == path[-1]
        assert all(later in needs[earlier] for earlier, later in itertools.pairwise(path))


@given(GRAPHS)
def test_ancestors_are_all_that_can_be_reached(needs: list[list[int]]) -> None:
    """Where no circle lies above, the bits are exactly what following needs reaches."""
    above = ancestors(needs)
    for start in range(len(needs)):
        reached = reachable(needs, start)
        if not any(position in reachable(needs, position) for position in {start, *reached}):
            assert above[start] == sum(1 << position for position in reached)


def test_dependents_come_in_document_order() -> None:
    """The engine looks at dependents in the order of the document."""
    assert dependents([[], [0], [0, 1]]) == [[1, 2], [2], []]


def test_a_chain_of_any_length_needs_no_recursion() -> None:
    """Thousands of steps in a row."""
    chain = [[position - 1] if position else [] for position in range(5_000)]
    assert cycles(chain) == []
    assert ancestors(chain)[4_999].bit_count() == 4_999


@given(GRAPHS, st.randoms(use_true_random=False))
def test_the_order_does_not_depend_on_the_order_it_was_written_in(needs: list[list[int]], random: Random) -> None:
    """Shuffling positions gives the same order of names, and each stands behind its needs."""
    if cycles(needs):
        return
    shuffled = list(range(len(needs)))
    random.shuffle(shuffled)
    moved = [[shuffled.index(need) for need in needs[old]] for old in shuffled]
    names = [f"s{position}" for position in range(len(needs))]
    found = order(needs, names)
    assert found == [shuffled[position] for position in order(moved, [names[old] for old in shuffled])]
    assert all(found.index(need) < found.index(position) for position in found for need in needs[position])
