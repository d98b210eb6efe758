"""What a plugin process writes to standard output and error, line by line, bounded.

It writes into a named pipe that it holds open at both ends itself, so that nothing breaks under it while no daemon
reads; the next daemon reads on.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections import deque
from pathlib import Path

from hostd.aio import Clock, spawn

CHUNK_BYTES = 64 * 1024
LINE_BYTES_MAX = 8 * 1024
KEPT_LINES = 200
LINES_A_SECOND = 200
BYTES_A_SECOND = 4 * 1024 * 1024
_log = logging.getLogger("hostd.plugin")


class Output:
    """Reads one process's pipe: the last lines are kept, and those within the rate go to the daemon's log."""

    def __init__(self, plugin: str, path: Path, clock: Clock) -> None:
        self.path = path
        self.tail: deque[str] = deque(maxlen=KEPT_LINES)
        self.dropped = 0  # lines that went past the rate
        self._plugin = plugin
        self._clock = clock
        self._task: asyncio.Task[None] | None = None
        self._second = 0
        self._lines = 0
        self._bytes = 0
        self._partial = b""

    def open(self) -> int:
        """Make the pipe, begin to read, and return a descriptor for the child (the caller's). Raises OSError."""
        os.mkfifo(self.path, 0o600)
        descriptor = os.open(self.path, os.O_RDWR | os.O_CLOEXEC)
        self.open_again()
        return descriptor

    def open_again(self) -> None:
        """Read on from a process that an earlier daemon started."""
        self._task = spawn(self._read(), name=f"output of {self._plugin}")

    async def _read(self) -> None:
        reader = asyncio.StreamReader(limit=CHUNK_BYTES)
        try:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            _log.warning("plugin_output_lost plugin=%s error=%s", self._plugin, error)
            return
        file = os.fdopen(descriptor, "rb", buffering=0)
        loop = asyncio.get_running_loop()
        transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), file)
        try:
            while chunk := await reader.read(CHUNK_BYTES):
                await self._take(chunk)
        finally:
            transport.close()
            if self._partial:
                self._line(self._partial)
                self._partial = b""

    async def _take(self, chunk: bytes) -> None:
        lines = (self._partial + chunk).split(b"\n")
        self._partial = lines.pop()
        if len(self._partial) > LINE_BYTES_MAX:
            lines.append(self._partial)
            self._partial = b""
        for line in lines:
            self._line(line)
        self._bytes += len(chunk)
        if self._bytes > BYTES_A_SECOND:  # a flood: let the pipe fill, its writer waits
            await self._clock.sleep(1.0)
            self._bytes = 0

    def _line(self, line: bytes) -> None:
        text = line[:LINE_BYTES_MAX].decode("utf-8", "replace").rstrip()
        if not text:
            return
        self.tail.append(text)
        second = int(self._clock.monotonic_s())
        if second != self._second:
            if self._lines > LINES_A_SECOND:
                _log.warning("plugin_output_dropped plugin=%s lines=%d", self._plugin, self._lines - LINES_A_SECOND)
            self._second, self._lines, self._bytes = second, 0, 0
        self._lines += 1
        if self._lines <= LINES_A_SECOND:
            _log.info("plugin_output plugin=%s line=%s", self._plugin, text)
        else:
            self.dropped += 1

    async def close(self) -> None:
        """Stop reading and remove the pipe, once the process is gone."""
        if self._task is not None:
            await asyncio.wait([self._task], timeout=0.2)  # what it wrote last is in the pipe
            self._task.cancel()
        self.path.unlink(missing_ok=True)

    def let_go(self) -> None:
        """Stop reading and leave the pipe: the process outlives this daemon."""
        if self._task is not None:
            self._task.cancel()
