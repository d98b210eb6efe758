"""Running scripts through the real pool in tests."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

from hostd.lua.call import ScriptCall, ScriptFailure, ScriptResult
from hostd.lua.ports import ScriptCallError
from hostd.lua.script import LuaPool


class EchoHost:
    """Answers `echo` with its argument, `fail` with an error as its argument says, and keeps what it was asked.

    `hold` waits until the test sets `go`; `asked` is set when it was called.
    """

    def __init__(self) -> None:
        self.calls: list[tuple[str, Any]] = []
        self.asked = asyncio.Event()
        self.go = asyncio.Event()

    async def call(self, name: str, argument: bytes) -> bytes:
        value = json.loads(argument)
        self.calls.append((name, value))
        if name == "fail":
            raise ScriptCallError(value["message"], code=value["code"], retryable=value["retryable"])
        if name == "hold":
            self.asked.set()
            await self.go.wait()
        if name == "big":
            return json.dumps("x" * value).encode()
        return argument


CAPABILITIES = frozenset({"echo", "fail", "hold", "big", "http.request"})


async def run(pool: LuaPool, source: str, *, host: EchoHost | None = None, **fields: Any) -> ScriptResult:
    """Run a source with every capability of EchoHost; `value` of `input` is given as `input=...` JSON bytes."""
    fields.setdefault("capabilities", CAPABILITIES)
    return await pool.run(ScriptCall(source=source, **fields), host or EchoHost())


async def value(pool: LuaPool, source: str, **fields: Any) -> Any:
    """Return what a script returns, failing the test if it fails."""
    result = await run(pool, source, **fields)
    assert result.failure is None, result.failure
    assert result.output is not None
    return json.loads(result.output)


async def failure(pool: LuaPool, source: str, **fields: Any) -> ScriptFailure:
    """Return why a script fails, failing the test if it does not."""
    result = await run(pool, source, **fields)
    assert result.failure is not None, result.output
    return result.failure


def children_of(pid: int) -> set[int]:
    """Return the direct children of a process."""
    children = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == pid and fields[0] != "Z":
                children.add(int(entry.name))
    return children


def open_descriptors() -> int:
    """Return how many descriptors this process holds."""
    return len(os.listdir("/proc/self/fd"))
