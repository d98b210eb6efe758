"""Compiling what documents hold: nothing runs, nothing hangs."""

from __future__ import annotations

import pytest

from hostd.definition.ports import CodeSource
from hostd.lua.check import code_faults
from hostd.lua.limits import DEFAULT_LIMITS
from hostd.lua.pool import PoolOptions
from hostd.lua.script import LuaPool

HOSTILE = {
    "nested": "return " + "(" * 30_000,
    "long": "x=1\n" * 20_000,
    "locals": "\n".join(f"local a{number}" for number in range(3_000)),
    "bytecode": "\x1bLua",
    "unfinished": "return [[" + "a" * 60_000,
}


async def test_faults_name_source_line_and_limit() -> None:
    """Sources are compiled and not run; a limit above the operator's is a fault of its own, a lower one holds."""
    pool = LuaPool(PoolOptions(workers_max=1, spare=0))
    sources = [
        CodeSource("good", "while true do end", {"cpu_ms": 10}),
        CodeSource("bad", "local a\nreturn +", {}),
        CodeSource("greedy", "return 1", {"cpu_ms": 1_001, "unknown": 1}),
        CodeSource("small", "return 1", {"source_bytes": 3}),
    ]
    try:
        found = await code_faults(pool, sources, DEFAULT_LIMITS)
    finally:
        await pool.close()

    assert [(fault.source, fault.reason, fault.line, fault.limit) for fault in found] == [
        (1, "SCRIPT_INVALID", 2, ""),
        (2, "OPTION_INVALID", 0, "cpu_ms"),
        (3, "SCRIPT_LIMIT", 0, ""),
    ]
    assert found[0].message.startswith("bad:2: ")


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_source_is_a_fault_and_costs_its_worker_at_most(name: str) -> None:
    """What is deep, long or no text at all is answered for, and the next source compiles."""
    pool = LuaPool(PoolOptions(workers_max=1, spare=0))
    try:
        found = await code_faults(pool, [CodeSource(name, HOSTILE[name], {})], DEFAULT_LIMITS)
        assert [fault.reason in ("SCRIPT_INVALID", "SCRIPT_LIMIT") for fault in found] == [True]
        assert await code_faults(pool, [CodeSource("next", "return 1", {})], DEFAULT_LIMITS) == []
    finally:
        await pool.close()


async def test_without_workers_sources_are_left_unchecked() -> None:
    """A host that cannot run Lua takes documents with a warning."""
    pool = LuaPool(PoolOptions(workers_max=1, spare=0))
    await pool.close()
    (fault,) = await code_faults(pool, [CodeSource("a", "return 1", {})], DEFAULT_LIMITS)
    assert fault.reason == "" and "were not compiled" in fault.message
