"""Standard output with a thread of its own: who does not read holds up nobody but what is shown.

A terminal that is stopped, or a pipe that nobody empties, would else stop the daemon on the same event loop.
"""

from __future__ import annotations

import os
import sys
import threading
from collections import deque
from collections.abc import Callable

WAITING_MAX = 1 << 20  # characters that may wait to be read
FLUSH_S = 1.0


class Outlet:
    """Writes texts in order. `closed` is called once, from the thread, where nobody can read any more.

    Args:
        descriptor: where to; else standard output.
    """

    def __init__(self, closed: Callable[[], None], *, descriptor: int | None = None) -> None:
        self._closed = closed
        self._descriptor = sys.stdout.fileno() if descriptor is None else descriptor
        self._texts: deque[str] = deque()
        self._waiting = 0
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    @property
    def waiting(self) -> int:
        """How many characters are still to be written."""
        return self._waiting

    def put(self, text: str) -> bool:
        """Take a text to write; False, and nothing is taken, where too much waits already."""
        with self._changed:
            if self._waiting and self._waiting + len(text) > WAITING_MAX:
                return False
            self._texts.append(text)
            self._waiting += len(text)
            if self._thread is None:
                self._thread = threading.Thread(target=self._write, name="hostd-dev-output", daemon=True)
                self._thread.start()
            self._changed.notify_all()
        return True

    def flush(self, timeout_s: float = FLUSH_S) -> bool:
        """Wait until everything is written, a little while; say whether it is."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._waiting, timeout_s)

    def _write(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._texts))
                text = self._texts.popleft()
            self._write_one(text.encode("utf-8", "backslashreplace"))
            with self._changed:
                self._waiting -= len(text)
                self._changed.notify_all()

    def _write_one(self, data: bytes) -> None:
        try:
            while data:
                data = data[os.write(self._descriptor, data) :]
        except OSError:  # a pipe that is closed, a terminal that is gone
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._descriptor)
            self._closed()
