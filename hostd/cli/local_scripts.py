"""Running and compiling Lua scripts without a daemon. Like local.py it reaches into the rooms below."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, NamedTuple

from hostd.errors.base import HostdError, Violation
from hostd.values.json_text import JsonValue, dump_json, parse_json

if TYPE_CHECKING:
    from hostd.lua.script import LuaPool


class LuaValue(NamedTuple):
    """What a script returned."""

    value: JsonValue


def run_lua(
    source: str, value: JsonValue, *, name: str, limits: dict[str, int]
) -> tuple[LuaValue | HostdError, tuple[tuple[str, str], ...]]:
    """Run a script without capabilities; return its result or failure, and its log lines as (level, message).

    Raises:
        HostdError: OPTION_INVALID for a limit, SCRIPTS_UNAVAILABLE, SCRIPT_LOST.
    """
    from hostd.aio import SystemClock
    from hostd.lua.call import ScriptCall
    from hostd.lua.limits import raised
    from hostd.lua.script import run_alone
    from hostd.runtime.attempts.scripts import script_error

    call = ScriptCall(
        source=source,
        input=dump_json(value),
        chunk_name=name,
        limits=raised(limits),
        time_ms=SystemClock().wall_ms(),
        seed=random.SystemRandom().randbytes(16),
    )
    result = asyncio.run(run_alone(call))
    if result.failure is not None:
        return script_error(result.failure), result.logs
    return LuaValue(parse_json(result.output or b"null")), result.logs


def check_lua(sources: dict[str, str]) -> list[Violation]:
    """Return why scripts do not compile; keys are the names of their files."""
    return asyncio.run(_check_lua(sources))


async def _check_lua(sources: dict[str, str]) -> list[Violation]:
    found = []
    async with pool_here() as pool:
        await pool.start()
        for file, source in sources.items():
            failure = await pool.validate(source, file)
            if failure is not None:
                _, _, behind_place = failure.message.partition(f":{failure.line}: ")
                said = behind_place or failure.message
                found.append(Violation("", failure.reason.value, said, "", file, failure.line, 1))
    return found


@asynccontextmanager
async def pool_here() -> AsyncIterator[LuaPool]:
    """Have one worker while something is compiled."""
    from hostd.lua.pool import PoolOptions
    from hostd.lua.script import LuaPool

    pool = LuaPool(PoolOptions(workers_max=1, spare=0, running_max=1))
    try:
        yield pool
    finally:
        await pool.close()
