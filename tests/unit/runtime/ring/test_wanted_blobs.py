"""Values of undecided runs: bounded in all, and nobody waits for ever."""

from __future__ import annotations

import asyncio
from random import Random

import pytest

from hostd.runtime.ring.wanted_blobs import READING_MAX, WantedBlobs

MIB = 1024 * 1024


async def settle() -> None:
    """Let everything that was woken run."""
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.mark.parametrize("seed", range(5))
async def test_what_is_held_is_bounded_and_every_run_gets_its_turn(seed: int) -> None:
    """However many runs look into large values at once: the bound and what few may read; all are decided."""
    dice = Random(seed)
    wanted = WantedBlobs(10 * MIB)
    most, decided = 0, 0

    async def decide(run: int) -> None:
        nonlocal most, decided
        wanted.want(run)
        for need in range(dice.randrange(1, 4)):  # a decision that looks on after it has seen the first
            async with wanted.turn_of(run):
                for value in range(2):
                    await asyncio.sleep(0)
                    wanted.keep(run, bytes([need, value]), bytes(MIB))
            most = max(most, wanted.size_bytes)
            await asyncio.sleep(0)
        wanted.let_go(run)
        decided += 1

    async with asyncio.timeout(120):
        await asyncio.gather(*(decide(run) for run in range(200)))

    assert decided == 200
    assert wanted.size_bytes == 0
    assert most <= (10 + READING_MAX * 2 + 10 * 4) * MIB  # runs inside may look on; none comes in past the bound


async def test_past_the_bound_nobody_new_reads() -> None:
    """A run without values waits until one that holds some is decided; that one may go on."""
    wanted = WantedBlobs(MIB)
    wanted.want(1)
    wanted.want(2)
    wanted.keep(1, b"a", bytes(MIB))
    read: list[int] = []

    async def reading(run: int) -> None:
        async with wanted.turn_of(run):
            read.append(run)

    tasks = [asyncio.ensure_future(reading(run)) for run in (2, 1)]
    await settle()
    assert read == [1]

    wanted.let_go(1)
    await asyncio.gather(*tasks)
    assert read == [1, 2]


async def test_a_turn_that_is_given_up_goes_to_the_next() -> None:
    """Cancelled in line or with the turn in hand: the line moves on."""
    wanted = WantedBlobs(MIB)
    begun = asyncio.Event()

    async def reading(run: int) -> None:
        async with wanted.turn_of(run):
            begun.set()
            await asyncio.Event().wait()

    first = [asyncio.ensure_future(reading(run)) for run in range(READING_MAX)]
    await settle()
    waits, last = asyncio.ensure_future(reading(7)), asyncio.ensure_future(reading(8))
    await settle()
    begun.clear()
    waits.cancel()
    first[0].cancel()
    await settle()

    assert begun.is_set()
    for task in (*first, last):
        task.cancel()
    await settle()
    assert wanted._reading == 0
