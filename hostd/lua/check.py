"""Compiling what documents hold of Lua: in a worker, without running it, in bounded time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import msgspec

from hostd.definition.ports import CodeFault, CodeSource
from hostd.errors.base import HostdError, Kind
from hostd.lua.limits import LIMIT_ROWS, ScriptLimits
from hostd.lua.script import LuaPool

CHECK_S = 15.0
SHARE = ("", "documents")
_UNAVAILABLE = frozenset({"SCRIPTS_UNAVAILABLE", "SCRIPT_ISOLATION"})


async def code_faults(pool: LuaPool, sources: Sequence[CodeSource], ceiling: ScriptLimits) -> list[CodeFault]:
    """Return what is wrong with scripts and with the limits they ask for.

    Where no worker can be had at all, the sources are left unchecked, with a warning: running them says why.

    Raises:
        HostdError: SCRIPT_QUEUE_FULL, SCRIPT_LOST: nobody had the time; try again.
    """
    found: list[CodeFault] = []
    try:
        async with asyncio.timeout(CHECK_S):
            for index, source in enumerate(sources):
                found += await _faults_of(pool, index, source, ceiling)
    except TimeoutError:
        message = f"the scripts of this document were not compiled within {CHECK_S:.0f} s"
        raise HostdError(Kind.EXHAUSTED, "SCRIPT_QUEUE_FULL", message, retry_after_s=1.0) from None
    except HostdError as error:
        if error.reason not in _UNAVAILABLE:
            raise
        found.append(CodeFault(0, "", f"its Lua scripts were not compiled: {error.message}"))
    return found


async def _faults_of(pool: LuaPool, index: int, source: CodeSource, ceiling: ScriptLimits) -> list[CodeFault]:
    found: list[CodeFault] = []
    asked: dict[str, int] = {}
    for name, value in source.limits.items():
        if name not in LIMIT_ROWS or value < LIMIT_ROWS[name].lowest:
            continue  # a mistake of the options already
        if value > getattr(ceiling, name):
            message = f"limits.{name} is above the operator's {getattr(ceiling, name)}"
            found.append(CodeFault(index, "OPTION_INVALID", message, 0, name))
        else:
            asked[name] = value
    limits = msgspec.structs.replace(ceiling, **asked)
    failure = await pool.validate(source.text, source.name, limits=limits, share=SHARE)
    if failure is not None:
        found.append(CodeFault(index, failure.reason.value, failure.message, failure.line))
    return found


class BlockingCheck:
    """Compiles on an event loop that runs in another thread than the caller's.

    Args:
        loop: the running loop that owns the pool, asked for at each check.
    """

    def __init__(self, pool: LuaPool, ceiling: ScriptLimits, loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
        self._pool = pool
        self._ceiling = ceiling
        self._loop = loop

    def faults(self, sources: Sequence[CodeSource]) -> list[CodeFault]:
        """Return what is wrong; see `code_faults`. Blocks; never call it on the loop."""
        work = code_faults(self._pool, sources, self._ceiling)
        return asyncio.run_coroutine_threadsafe(work, self._loop()).result()
