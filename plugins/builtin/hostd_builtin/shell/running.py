"""One program, run under the guard: bounded output, bounded time, and nothing of it left behind.

The guard (guard.py) is a small process between the daemon and the program. When the daemon dies, however it dies, the
socket between them closes and the guard ends the program and all it started.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

GUARD = Path(__file__).with_name("guard.py")
CHUNK_BYTES = 64 * 1024
HURRY_S = 10.0  # how long the guard may take to end everything


class NotStarted(Exception):
    """The program could not be started. `errno` says why."""

    def __init__(self, errno: int) -> None:
        super().__init__(os.strerror(errno))
        self.errno = errno


class Order(NamedTuple):
    """What to run. `program` is a path; `folder` an open folder to run in, None: where the daemon runs."""

    program: str
    arguments: Sequence[str]
    env: Mapping[str, str]
    stdin: bytes = b""
    folder: int | None = None
    timeout_s: float = 60.0
    kill_after_s: float = 5.0
    output_bytes: int = 1024 * 1024


class Output(NamedTuple):
    """What a stream gave, cut to the bound."""

    data: bytes
    truncated: bool


class Ended(NamedTuple):
    """How it ended: an exit code, or the number of the signal that ended it, or in time's name."""

    exit_code: int
    signal: int
    timed_out: bool
    stdout: Output
    stderr: Output


async def run_program(order: Order) -> Ended:
    """Run a program to its end. Cancelling it ends the program: SIGTERM first, SIGKILL `kill_after_s` later.

    Raises:
        NotStarted: it is missing, or may not be run.
    """
    ours, theirs = socket.socketpair()
    with theirs:
        try:
            guard = await _start(order, theirs.fileno())
        except OSError as error:
            ours.close()
            raise NotStarted(error.errno or 0) from None
        except BaseException:
            ours.close()
            raise
    ours.setblocking(False)
    reader, writer = await asyncio.open_connection(sock=ours)
    try:
        return await _attend(order, guard, reader, writer)
    finally:
        writer.close()  # whatever happened: the guard ends everything now
        await _gone(guard)


async def _start(order: Order, control: int) -> asyncio.subprocess.Process:
    folder = -1 if order.folder is None else order.folder
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        "-S",
        str(GUARD),
        str(control),
        str(folder),
        order.program,
        *order.arguments,
        env=dict(order.env),
        pass_fds=(control,) if folder < 0 else (control, folder),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )


async def _gone(guard: asyncio.subprocess.Process) -> None:
    """Wait for the guard's end: it has killed the program by then. Killing the guard itself is the last resort."""
    try:
        async with asyncio.timeout(HURRY_S):
            await guard.wait()
    except TimeoutError:
        with suppress(ProcessLookupError):
            guard.kill()
        await guard.wait()


async def _attend(
    order: Order, guard: asyncio.subprocess.Process, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> Ended:
    timed_out, refused, status = False, None, None
    async with asyncio.TaskGroup() as group:
        feeding = group.create_task(_feed(guard, order.stdin))
        out = group.create_task(_collect(guard.stdout, order.output_bytes))
        err = group.create_task(_collect(guard.stderr, order.output_bytes))
        try:
            async with asyncio.timeout(order.timeout_s):
                status = await _status(reader)
        except NotStarted as error:
            refused = error  # a group would wrap it
        except TimeoutError:
            timed_out = True
            status = await _ended_by_us(order, reader, writer)
        except asyncio.CancelledError:
            await _ended_by_us(order, reader, writer)
            raise
        finally:
            writer.close()
            feeding.cancel()
    if refused is not None:
        raise refused
    code, number = (os.waitstatus_to_exitcode(status), 0) if status is not None else (0, 9)
    if code < 0:
        code, number = 0, -code
    return Ended(code, number, timed_out, out.result(), err.result())


async def _status(reader: asyncio.StreamReader) -> int | None:
    """Return the wait status; None where the guard was killed or ended the program at once. Raises NotStarted."""
    while line := await reader.readline():
        if line[:1] == b"X":
            return int(line[1:])
        if line[:1] == b"E":
            raise NotStarted(int(line[1:]))
    return None


async def _ended_by_us(order: Order, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> int | None:
    writer.write(b"T")
    try:
        async with asyncio.timeout(order.kill_after_s):
            return await _status(reader)
    except TimeoutError:
        return None


async def _feed(guard: asyncio.subprocess.Process, data: bytes) -> None:
    stdin = guard.stdin
    if stdin is None:
        return
    with suppress(BrokenPipeError, ConnectionResetError):  # it reads no further: its own decision
        stdin.write(data)
        await stdin.drain()
    stdin.close()


async def _collect(stream: asyncio.StreamReader | None, most: int) -> Output:
    """Read to the end; what lies past the bound is read and thrown away."""
    kept, truncated = bytearray(), False
    while stream is not None and (part := await stream.read(CHUNK_BYTES)):
        room = most - len(kept)
        kept += part[:room]
        truncated = truncated or len(part) > room
    return Output(bytes(kept), truncated)
