"""The worker's conversation: one script after another, each in a fresh runtime, until the daemon's end closes."""

from __future__ import annotations

import signal
import struct
import time

from hostd.lua.frames import read_frame, write_frame
from hostd.lua.sandbox import LUA_ERROR, MEMORY_ERROR, OutOfMemory, Sandbox, Scalar

#   daemon                                        worker
#                                                 ready, report
#   run, source, chunk, input, ctx, numbers     ->
#   reply, text                                 ->
#   failed, text, code, retryable               ->
#                                                 <- call, name, argument, logs
#                                                 <- ok, output, logs, usage
#                                                 <- error, text, code, retryable, logs, usage
#                                                 <- limit, name, logs, usage
#                                                 <- syntax, text, logs, usage
#   check, source, chunk, memory                ->
#                                                 <- ok | syntax, text | limit, memory

# time_ms, seed_a, seed_b, cpu_s, memory, output, string, pattern, coroutines, log
NUMBERS = struct.Struct("<qqqd6q")
USAGE = struct.Struct("<dq")  # CPU seconds, Lua bytes held at the end
_CPU_GRACE_S = 2.0  # past the metered CPU limit the kernel ends the worker, even if the daemon hangs
_FLAGS = {True: b"1", False: b"0", None: b""}
_OUT_OF_MEMORY: tuple[Scalar, ...] = (b"limit", b"memory", b"[]")


def serve(fd: int, prelude: bytes) -> None:
    """Answer the daemon's frames on `fd` until it closes."""
    while True:
        sandbox = Sandbox(prelude)  # made while idle, so that a run need not wait for it
        try:
            _answer(fd, sandbox, read_frame(fd))
        except (EOFError, OSError):
            return


def _answer(fd: int, sandbox: Sandbox, parts: list[bytes]) -> None:
    if parts[0] == b"run":
        _run(fd, sandbox, parts)
    else:
        _, source, chunk, memory = parts
        sandbox.limit_memory(int(memory))
        write_frame(fd, *_wire(_guarded(sandbox.check, source, chunk)[:2]))


def _run(fd: int, sandbox: Sandbox, parts: list[bytes]) -> None:
    source, chunk, input_json, ctx_json, numbers = parts[1:6]
    time_ms, seed_a, seed_b, cpu_s, memory, *sizes = NUMBERS.unpack(numbers)
    sandbox.limit_memory(memory)
    signal.setitimer(signal.ITIMER_PROF, cpu_s + _CPU_GRACE_S)
    start = time.process_time()
    answer = _guarded(sandbox.boot, source, chunk, input_json, ctx_json, time_ms, seed_a, seed_b, cpu_s, *sizes)
    while answer[0] == b"call":
        write_frame(fd, *_wire(answer))
        reply = read_frame(fd)
        if reply[0] == b"reply":
            answer = _guarded(sandbox.step, True, reply[1])
        else:
            answer = _guarded(sandbox.step, False, reply[1], reply[2], reply[3] == b"1")
    usage = USAGE.pack(time.process_time() - start, sandbox.used_bytes())
    signal.setitimer(signal.ITIMER_PROF, 0)
    write_frame(fd, *_wire(answer), usage)


def _guarded(function, *arguments: Scalar) -> tuple[Scalar | None, ...]:  # type: ignore[no-untyped-def]
    try:
        return function(*arguments)  # type: ignore[no-any-return]
    except (MEMORY_ERROR, OutOfMemory):
        return _OUT_OF_MEMORY
    except LUA_ERROR as error:  # the driver catches everything else, so only memory in the wrong moment gets here
        return (b"error", b"the script ended in Lua itself: " + str(error)[:300].encode(), b"", None, b"[]")


def _wire(answer: tuple[Scalar | None, ...]) -> list[bytes]:
    return [item if isinstance(item, bytes) else _FLAGS[item] for item in answer]  # type: ignore[index]
