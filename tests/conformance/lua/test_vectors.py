"""The attack vectors: 143 hostile and awkward scripts with what must become of each.

`error` is a syntax or runtime error, `limit` a breach, `harmless` an ordinary end; nothing that holds ESCAPED may ever
come out. They run in file order on one worker at a time, so what one leaves behind would show in the next.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import pytest
import pytest_asyncio

from hostd.lua.call import FailureReason, ScriptCall, ScriptResult
from hostd.lua.limits import ScriptLimits
from hostd.lua.pool import PoolOptions
from hostd.lua.script import LuaPool

pytestmark = pytest.mark.asyncio(loop_scope="module")

PUBLISHED = ScriptLimits(cpu_ms=500, wall_ms=1_500)
HASTY = ScriptLimits(cpu_ms=80, wall_ms=300)  # for the vectors that must end at a limit anyway


class Vector(NamedTuple):
    """One script and its expected end."""

    id: str
    lua: str
    expect: str


VECTORS = [
    Vector(entry["id"], entry["lua"], entry["expect"])
    for entry in json.loads(Path(__file__).with_name("vectors.json").read_text(encoding="utf-8"))
]
LIMITED = [vector for vector in VECTORS if vector.expect == "limit"]
OTHERS = [vector for vector in VECTORS if vector.expect != "limit"]


class Echo:
    """Answers `echo` with its argument."""

    async def call(self, name: str, argument: bytes) -> bytes:
        assert name == "echo"
        return argument


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def pool() -> AsyncIterator[LuaPool]:
    pool = LuaPool(PoolOptions(workers_max=1, running_max=1))
    await pool.start()
    yield pool
    await pool.close()


def end_of(result: ScriptResult) -> str:
    """Return a result in the vectors' words."""
    if result.failure is None:
        return "harmless"
    return "limit" if result.failure.reason == FailureReason.SCRIPT_LIMIT else "error"


async def check(pool: LuaPool, vector: Vector, limits: ScriptLimits) -> None:
    """Run a vector, compare its end, and see that the next run works."""
    call = ScriptCall(source=vector.lua, limits=limits, capabilities=frozenset({"echo"}))
    result = await pool.run(call, Echo())
    assert end_of(result) == vector.expect, result
    assert b"ESCAPED" not in (result.output or b"")
    after = await pool.run(ScriptCall(source="return #('still fine')"), Echo())
    assert after.output == b"10"


@pytest.mark.parametrize("vector", OTHERS, ids=lambda vector: vector.id)
async def test_errors_and_harmless_scripts(pool: LuaPool, vector: Vector) -> None:
    """Each ends as the vector says under the published profile, and the worker goes on."""
    await check(pool, vector, PUBLISHED)


@pytest.mark.parametrize("vector", LIMITED, ids=lambda vector: vector.id)
async def test_scripts_that_must_end_at_a_limit(pool: LuaPool, vector: Vector) -> None:
    """Each is stopped, by the meter or by the kill; less time than the published profile only stops them sooner."""
    await check(pool, vector, HASTY)


@pytest.mark.slow
@pytest.mark.parametrize("vector", LIMITED, ids=lambda vector: vector.id)
async def test_scripts_that_must_end_at_a_limit_under_the_published_profile(pool: LuaPool, vector: Vector) -> None:
    """The same with the published CPU and wall time."""
    await check(pool, vector, PUBLISHED)
