"""One Lua 5.4 runtime for one run. The only module that touches lupa; it runs in worker processes alone.

Byte strings, numbers and booleans cross, nothing else: lupa's coroutines, tables, iteration and callbacks have
reproduced crashes, and any Python object inside Lua is a way out. Lua is never asked for more than three functions.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from lupa import lua54

MEMORY_ERROR: type[Exception] = lua54.LuaMemoryError
LUA_ERROR: type[Exception] = lua54.LuaError

Scalar = bytes | int | float | bool
_PREBOOT_BYTES = 64 << 20  # memory while only our own prelude runs


class OutOfMemory(Exception):
    """A byte string does not fit into what is left of the run's memory."""


def _deny(*_: object) -> NoReturn:
    raise AttributeError("no attribute of anything is reachable from Lua")


def _new_runtime() -> Any:
    runtime = lua54.LuaRuntime(
        encoding=None,
        register_eval=False,
        register_builtins=False,
        attribute_handlers=(_deny, _deny),
        max_memory=_PREBOOT_BYTES,
    )
    if runtime.lua_version != (5, 4):
        raise RuntimeError(f"Lua 5.4 expected, found {runtime.lua_version}")
    return runtime


def compile_prelude(folder: Path) -> bytes:
    """Return the bytecode of the prelude, made by the very Lua that will load it."""
    files = sorted(folder.glob("*.lua"))
    parts = [b"local P = {}\n"]
    for file in files[:-1]:
        parts += [b"(function(P)\n", file.read_bytes(), b"\nend)(P);\n"]
    parts += [b"return (function(P)\n", files[-1].read_bytes(), b"\nend)(P)\n"]
    dump = _new_runtime().execute(
        b"return function(source) return string.dump(assert(load(source, '=prelude', 't')), true) end"
    )
    bytecode: bytes = dump(b"".join(parts))
    return bytecode


class Sandbox:
    """A runtime that has loaded the prelude and runs one script, or checks one.

    Args:
        prelude: bytecode from `compile_prelude`, of this very process or its parent.
    """

    def __init__(self, prelude: bytes) -> None:
        self._runtime: Any = _new_runtime()
        self._boot: Callable[..., Any]
        self._step: Callable[..., Any]
        self._check: Callable[..., Any]
        # The fourth value is kept alive: see the end of the driver.
        self._boot, self._step, self._check, self._held = self._runtime.execute(prelude)
        self._base_bytes: int = self._runtime.get_memory_used(total=True)

    def limit_memory(self, memory_bytes: int) -> None:
        """Allow the script this much beside what the prelude itself takes."""
        self._runtime.set_max_memory(self._base_bytes + memory_bytes, total=True)

    def used_bytes(self) -> int:
        """Return what Lua holds now, the prelude not counted."""
        used: int = self._runtime.get_memory_used(total=True)
        return max(0, used - self._base_bytes)

    def _make_room(self, needed: int) -> None:
        # lupa aborts the process when a string argument does not fit, so what will be pushed is counted first.
        for _ in range(2):
            if self._runtime.get_max_memory(total=True) - self._runtime.get_memory_used(total=True) >= needed:
                return
            self._runtime.gccollect()
        raise OutOfMemory

    def boot(self, *arguments: Scalar) -> tuple[Scalar, ...]:
        """Start the script; the arguments and the answer are in the driver's head comment.

        Raises:
            OutOfMemory, MEMORY_ERROR: the limit "memory".
        """
        self._make_room(_room_for(arguments))
        return _flat(self._boot(*arguments))

    def step(self, *arguments: Scalar) -> tuple[Scalar, ...]:
        """Resume the script with the host's reply. Raises as `boot`."""
        self._make_room(_room_for(arguments))
        return _flat(self._step(*arguments))

    def check(self, *arguments: Scalar) -> tuple[Scalar, ...]:
        """Compile without running. Raises as `boot`."""
        self._make_room(_room_for(arguments))
        return _flat(self._check(*arguments))


def _room_for(arguments: tuple[Scalar, ...]) -> int:
    return 65_536 + 2 * sum(len(item) for item in arguments if isinstance(item, bytes))


def _flat(answer: Any) -> tuple[Scalar, ...]:
    return answer if isinstance(answer, tuple) else (answer,)
