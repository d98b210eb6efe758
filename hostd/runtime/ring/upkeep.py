"""What is done now and then while a host is open: runs that only wait leave memory, what is past retention goes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

from hostd.aio import Clock, spawn
from hostd.errors.base import HostdError
from hostd.journal.logs import AttemptLogs
from hostd.journal.port import Journal, Retention
from hostd.runtime.ring.jumps import Jumps
from hostd.runtime.ring.readers import Readers
from hostd.runtime.ring.residence import Residence

SWEEP_S = 10.0
PRUNE_S = 60.0
_log = logging.getLogger("hostd.daemon")


class Upkeep:
    """Of one core. `journal_bytes`: size of the journal as it was last looked at, 0 for one in memory.

    Args:
        retention: read each time; a reload may have changed it.
    """

    def __init__(
        self,
        *,
        journal: Journal,
        readers: Readers,
        residence: Residence,
        logs: AttemptLogs | None,
        retention: Callable[[], Retention],
        clock: Clock,
    ) -> None:
        self.journal_bytes = 0
        self._journal = journal
        self._readers = readers
        self._residence = residence
        self._logs = logs
        self._retention = retention
        self._clock = clock
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, path: str, look: Callable[[], Callable[[], None]]) -> None:
        """Begin.

        Args:
            path: the journal's file, empty for none.
            look: also called at each sweep; what it returns is called on a reader's thread.
        """
        self._tasks = [
            spawn(self._sweep(path, look), name="residence-sweep"),
            spawn(self._prune(), name="journal-prune"),
        ]

    def stop(self) -> None:
        """End it."""
        for task in self._tasks:
            task.cancel()

    async def _sweep(self, path: str, look: Callable[[], Callable[[], None]]) -> None:
        while True:
            self.journal_bytes = await self._readers.call(_size_of, path)
            await self._readers.call(look())
            await self._clock.sleep(SWEEP_S)
            self._residence.sweep()

    async def _prune(self) -> None:
        """Delete what is past retention, in small writes; not while the clock may be wrong."""
        jumps = Jumps(self._clock)
        while True:
            await self._clock.sleep(PRUNE_S)
            if not jumps.settled():
                continue
            try:
                await self._prune_once(self._retention())
            except (HostdError, OSError) as error:
                _log.warning("prune_failed error=%s", error)

    async def _prune_once(self, retention: Retention) -> None:
        journal, logs, now_ms = self._journal, self._logs, self._clock.wall_ms()
        while await self._readers.call(lambda: journal.prune(now_ms=now_ms, retention=retention)):
            pass
        if logs is not None:
            own = journal.log_keeps
            await self._readers.call(lambda: logs.prune(now_ms=now_ms, keep_ms=retention.logs_ms, own=own))


def _size_of(path: str) -> int:
    """Return the size of a journal's file and its log in bytes, 0 for none."""
    files = (Path(path), Path(path + "-wal")) if path else ()
    try:
        return sum(file.stat().st_size for file in files if file.exists())
    except OSError:  # a number for people must not stop the sweep
        return 0
