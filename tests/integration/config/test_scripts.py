"""Keys of Lua: from the configuration to the script that meets its limit."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from effects import configured, shows, tree
from lua_scripts import EchoHost, run

from hostd.config.rooms import Config
from hostd.errors.base import HostdError
from hostd.lua.script import LuaPool
from hostd.runtime.room_options import pool_options, script_limits

SPIN = "while true do end"
INPUT = b'"' + b"x" * 2000 + b'"'
MET = {  # the key's value, a script that goes past it and not past the default, and what the limit is called
    "lua.limits.cpu": ("10ms", "for i = 1, 3e6 do end return 1", "cpu"),
    "lua.limits.memory": ("4MiB", 'return #(("x"):rep(6 * 1024 * 1024))', "memory"),
    "lua.limits.input": ("1KiB", "return #input", "input"),
    "lua.limits.output": ("1KiB", 'return ("x"):rep(2000)', "output"),
    "lua.limits.reply": ("1KiB", 'return #host.call("big", 2000)', "reply"),
    "lua.limits.source": ("1KiB", "return 1 --" + "x" * 2000, "source"),
    "lua.limits.string": ("1KiB", 'return #(("x"):rep(2000))', "string"),
    "lua.limits.pattern": (16, 'return ("x"):find(("x"):rep(100))', "pattern"),
    "lua.limits.coroutines": (1, "for i = 1, 2 do coroutine.wrap(function() end)() end", "coroutines"),
    "lua.limits.host_calls": (0, 'return host.call("echo", 1)', "host_calls"),
    "lua.limits.log": (10, 'log.info(("x"):rep(100)) return 1', "log"),
}


async def outcome(config: Config, source: str) -> str:
    """Return the limit that a script meets by a configuration, nothing where it meets none."""
    pool = LuaPool(pool_options(config))
    try:
        result = await run(pool, source, input=INPUT, limits=script_limits(config))
    finally:
        await pool.close()
    return result.failure.limit or result.failure.message if result.failure is not None else ""


@pytest.mark.parametrize("key", MET)
@shows(*MET)
async def test_a_script_meets_its_limit(key: str) -> None:
    """By default it does not."""
    patient = tree("lua.limits.slice", "1m")  # a slow machine is no reason
    value, source, limit = MET[key]
    asked = {"lua": {"limits": {**patient["lua"]["limits"], key.rpartition(".")[2]: value}}}

    assert limit in await outcome(Config.model_validate(asked), source)
    assert await outcome(Config.model_validate(patient), source) == ""


@shows("lua.limits.slice")
async def test_a_script_that_computes_too_long_between_calls_is_killed() -> None:
    """Where it may use more processor time than that."""
    limits = {"cpu": "1m", "slice": "100ms"}

    assert await outcome(Config.model_validate({"lua": {"limits": limits}}), SPIN) == "wall"


@shows("lua.workers")
async def test_so_many_scripts_run_at_once() -> None:
    """The second of one waits until the first has ended."""
    pool, first, second = LuaPool(pool_options(configured("lua.workers", 1))), EchoHost(), EchoHost()
    second.go.set()
    hold = 'return host.call("hold", 1)'
    tasks = [asyncio.create_task(run(pool, hold, host=first))]
    await first.asked.wait()
    tasks.append(asyncio.create_task(run(pool, hold, host=second)))
    for _ in range(20):
        await asyncio.sleep(0)
    assert (pool.workers()["busy"], second.asked.is_set()) == (1, False)

    first.go.set()

    assert [(await task).failure for task in tasks] == [None, None]
    await pool.close()


@shows("lua.spare")
async def test_so_many_workers_stand_ready() -> None:
    """Before anybody asks."""
    pool = LuaPool(pool_options(configured("lua.spare", 3)))
    await pool.start()
    while pool.workers()["idle"] < 3:
        await asyncio.sleep(0.005)
    assert pool.workers() == {"idle": 3, "busy": 0}
    await pool.close()


@shows("lua.isolation")
async def test_scripts_do_not_run_below_the_isolation_that_is_required() -> None:
    """A machine that lacks a measure runs none; `available` takes what there is."""

    async def lacking(isolation: str) -> Any:
        pool = LuaPool(pool_options(configured("lua.isolation", isolation)))
        await pool.start()
        pool._workers.isolation = {"seccomp": "this machine has none"}
        try:
            return await run(pool, "return 1")
        finally:
            await pool.close()

    assert (await lacking("available")).output == b"1"
    with pytest.raises(HostdError, match="SCRIPT_ISOLATION"):
        await lacking("required")
