"""Rounds: every variant once a round, in an order that is drawn anew each time, so that drift hits all alike."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Mapping

Variant = Callable[[], Awaitable[float]]


async def interleave(variants: Mapping[str, Variant], *, rounds: int, dice: random.Random) -> dict[str, list[float]]:
    """Return each variant's samples, one a round, in the order of rounds."""
    samples: dict[str, list[float]] = {name: [] for name in variants}
    for _ in range(rounds):
        order = list(variants)
        dice.shuffle(order)
        for name in order:
            samples[name].append(await variants[name]())
    return samples
