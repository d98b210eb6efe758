"""One run's conversation with its worker: slices of computing between calls to the host."""

from __future__ import annotations

import asyncio
import json
import struct

from hostd.definition.capabilities import CAPABILITIES
from hostd.errors.base import HostdError
from hostd.lua.call import ScriptCall, ScriptFailure, ScriptResult, Usage
from hostd.lua.outcome import (
    RogueWorker,
    breach,
    checked_output,
    error_failure,
    invalid_failure,
    limit_failure,
    read_lines,
    with_value,
)
from hostd.lua.ports import HostCalls, ScriptCallError
from hostd.lua.waiters import FairTurns
from hostd.lua.zygote import Worker

_NUMBERS = struct.Struct("<qqqd6q")  # as in worker.py, which is not imported here: it loads Lua
_USAGE = struct.Struct("<dq")
_SEED = struct.Struct("<qq")
_NAME_CHARS = 128
_CALLS = ", ".join(CAPABILITIES)


class Conversation:
    """Drives one script to its end on one worker.

    `reusable` says afterwards whether the worker may run another script: not after a kill, nor after memory ran out
    (a worker that filled its memory keeps it).
    """

    def __init__(self, call: ScriptCall, *, chunk: str, host: HostCalls, worker: Worker, turns: FairTurns) -> None:
        self._call = call
        self._chunk = chunk
        self._host = host
        self._worker = worker
        self._turns = turns
        self._lines: list[tuple[str, str]] = []
        self._host_calls = 0
        self._started_s = asyncio.get_running_loop().time()
        self.reusable = False

    async def drive(self) -> ScriptResult:
        """Return the run's result.

        Raises:
            WorkerGone: the worker died in the middle.
            RogueWorker: it said something impossible.
        """
        answer = await self._slice(*self._opening())
        while answer is not None and answer[0] == b"call":
            reply = await self._answer_call(answer[1:])
            if isinstance(reply, ScriptFailure):
                return self.result(failure=reply)
            answer = await self._slice(*reply)
        if answer is None:
            return self.result(failure=limit_failure("wall"))
        return self._finish(answer)

    def result(
        self, *, output: bytes | None = None, failure: ScriptFailure | None = None, usage: bytes = b""
    ) -> ScriptResult:
        """Return a result with the lines and counts so far."""
        cpu_s, memory = _USAGE.unpack(usage) if len(usage) == _USAGE.size else (0.0, 0)
        wall_s = asyncio.get_running_loop().time() - self._started_s
        counted = Usage(
            cpu_ms=round(cpu_s * 1000, 3),
            wall_ms=round(wall_s * 1000, 3),
            memory_bytes=memory,
            host_calls=self._host_calls,
        )
        if failure is not None:
            failure = with_value(failure, self._call.limits)
        return ScriptResult(output=output, failure=failure, logs=tuple(self._lines), usage=counted)

    def _opening(self) -> tuple[bytes, ...]:
        call, limits = self._call, self._call.limits
        seed_a, seed_b = _SEED.unpack(call.seed[:16].ljust(16, b"\0"))
        numbers = _NUMBERS.pack(
            call.time_ms, seed_a, seed_b, limits.cpu_ms / 1000, limits.memory_bytes, limits.output_bytes,
            limits.string_bytes, limits.pattern_bytes, limits.coroutines, limits.log_bytes,
        )  # fmt: skip
        ctx = json.dumps(call.ctx, ensure_ascii=True).encode()
        return b"run", call.source.encode(), self._chunk.encode(), call.input, ctx, numbers

    async def _slice(self, *parts: bytes) -> list[bytes] | None:
        """Let the script compute until it answers; None when its wall time ran out. The time starts with its turn."""
        await self._turns.take(self._call.share)
        try:
            async with asyncio.timeout(self._call.limits.wall_ms / 1000):
                return await self._worker.link.ask(*parts)
        except TimeoutError:
            return None
        finally:
            self._turns.give_back()

    async def _answer_call(self, parts: list[bytes]) -> tuple[bytes, ...] | ScriptFailure:
        """Return the frame to go on with, or the limit that the call broke."""
        if len(parts) != 3 or len(parts[1]) > self._call.limits.output_bytes:
            raise RogueWorker
        self._note_lines(parts[2])
        self._host_calls += 1
        if self._host_calls > self._call.limits.host_calls:
            return limit_failure("host_calls")
        name = parts[0].decode("utf-8", "replace")[:_NAME_CHARS]
        if name not in self._call.capabilities:
            return _failed(_why_denied(name), "CAPABILITY_DENIED", retryable=False)
        try:
            reply = await self._host.call(name, parts[1])
        except ScriptCallError as error:
            return _failed(error.message, error.code, retryable=error.retryable)
        except HostdError as error:
            return _failed(error.message, error.reason, retryable=error.retry_after_s is not None)
        if len(reply) > self._call.limits.reply_bytes:
            return limit_failure("reply")
        return b"reply", reply

    def _finish(self, answer: list[bytes]) -> ScriptResult:
        kind, *parts = answer
        if len(parts) < 3:
            raise RogueWorker
        *parts, lines, usage = parts
        self._note_lines(lines)
        if kind == b"ok" and len(parts) == 1:
            output = checked_output(parts[0], self._call.limits.output_bytes)
            self.reusable = True
            return self.result(output=output, usage=usage)
        if kind == b"syntax" and len(parts) == 1:
            self.reusable = True
            return self.result(failure=invalid_failure(parts[0], self._chunk), usage=usage)
        if kind == b"error":
            failure = error_failure(parts, self._chunk)
            self.reusable = True
            return self.result(failure=failure, usage=usage)
        if kind == b"limit" and len(parts) == 1:
            failure = breach(parts[0])
            self.reusable = failure.limit != "memory"
            return self.result(failure=failure, usage=usage)
        raise RogueWorker

    def _note_lines(self, data: bytes) -> None:
        if len(data) > 6 * self._call.limits.log_bytes + 1024:
            raise RogueWorker
        self._lines += read_lines(data)
        if sum(len(text) for _, text in self._lines) > self._call.limits.log_bytes:
            raise RogueWorker


def _why_denied(name: str) -> str:
    if name in CAPABILITIES:
        return f"the workflow's `permissions` do not grant {name!r}"
    return f"there is no host call {name!r}, or this workflow has no permission for it; there are {_CALLS}"


def _failed(message: str, code: str, *, retryable: bool) -> tuple[bytes, ...]:
    text = f"{code}: {message}"[:1000]
    return b"failed", text.encode("utf-8", "replace"), code.encode("utf-8", "replace"), b"1" if retryable else b"0"
