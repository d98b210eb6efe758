"""Attempt logs, written off the loop: a bounded queue and one thread. Past the bound lines are dropped and counted."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from queue import SimpleQueue
from typing import Protocol

_log = logging.getLogger("hostd.runtime")

WAITING_MAX = 10_000


class LogFiles(Protocol):
    """Where lines end up (journal.logs); blocks."""

    def append(self, run_id: str, step: str, attempt: int, lines: Sequence[str]) -> None: ...


class LogWriter:
    """Takes lines on the loop, writes them in its thread."""

    def __init__(self, files: LogFiles) -> None:
        self._files = files
        self._queue: SimpleQueue[tuple[str, str, int, list[str]] | threading.Event | None] = SimpleQueue()
        self.dropped = 0
        self._thread = threading.Thread(target=self._write, name="hostd-logs", daemon=True)
        self._thread.start()

    def append(self, run_id: str, step: str, attempt: int, lines: Sequence[str]) -> None:
        """Queue an attempt's lines. Never blocks."""
        if self._queue.qsize() >= WAITING_MAX:
            self.dropped += len(lines)
            return
        self._queue.put((run_id, step, attempt, list(lines)))

    def flush(self) -> None:
        """Return once what was queued is written, or after ten seconds. Blocks."""
        reached = threading.Event()
        self._queue.put(reached)
        reached.wait(10.0)

    def close(self) -> None:
        """Write what waits and end the thread."""
        self._queue.put(None)
        self._thread.join(timeout=10.0)

    def _write(self) -> None:
        while (entry := self._queue.get()) is not None:
            if isinstance(entry, threading.Event):
                entry.set()
                continue
            try:
                self._files.append(*entry)
            except OSError as error:
                _log.warning("attempt_log_failed run_id=%s error=%s", entry[0], error)


class NoLogFiles:
    """Forgets lines: for hosts that keep nothing."""

    def append(self, run_id: str, step: str, attempt: int, lines: Sequence[str]) -> None:
        """Do nothing."""
