"""Random values. They are seeded by the run and the field: rendering again gives the same ones."""

from __future__ import annotations

import uuid

from hostd.definition.expressions.functions.registry import Family
from hostd.definition.expressions.kinds import INT
from hostd.definition.expressions.limits import Evaluation
from hostd.definition.expressions.problems import Problem

CHANCE = Family("Random values")


@CHANCE.function("uuid", "uuid()", takes=(), example="size(uuid())", gives="36")
def _uuid(run: Evaluation) -> str:
    """A random UUID, version 4."""
    return str(uuid.UUID(bytes=run.draw(), version=4))


@CHANCE.function("random", "random()", takes=(), example="random() < 1", gives="true")
def _random(run: Evaluation) -> float:
    """A random float from 0 up to, without, 1."""
    return (int.from_bytes(run.draw()[:8], "big") >> 11) / (1 << 53)


@CHANCE.function("randomInt", "randomInt(least, most)", takes=(INT, INT), example="randomInt(7, 7)", gives="7")
def _random_int(run: Evaluation, least: int, most: int) -> int:
    """A random whole number, both ends included."""
    if least > most:
        raise Problem("randomInt takes the smaller number first")
    return least + int.from_bytes(run.draw(), "big") % (most - least + 1)
