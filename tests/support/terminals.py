"""A command on a terminal of its own: what a person sees and types."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Mapping, Sequence

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal:
    """Runs a command with a pseudo-terminal as its input and output; `text` is all it wrote, without escapes."""

    def __init__(self, command: Sequence[str], env: Mapping[str, str], *, columns: int = 100, rows: int = 50) -> None:
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.before = self.mode()
        outer = {name: value for name, value in env.items() if name not in ("COLUMNS", "LINES")}  # the size is our own
        named = {**outer, "TERM": "xterm-256color", "NO_COLOR": "1", "LANG": "C.UTF-8"}
        self.process = subprocess.Popen(
            command, stdin=theirs, stdout=theirs, stderr=theirs, env=named, start_new_session=True
        )
        self._theirs = theirs  # kept open: the mode of a terminal nobody has open is gone
        self._heard = bytearray()
        self._seen = 0
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        with contextlib.suppress(OSError):
            while data := os.read(self._ours, 65536):
                self._heard += data

    @property
    def text(self) -> str:
        """All that was written so far."""
        return ESCAPES.sub("", bytes(self._heard).decode("utf-8", "replace")).replace("\r", "")

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self._ours, keys.encode())

    def wait_for(self, text: str, *, seconds: float = 120) -> str:
        """Wait until something is written behind what was waited for before; return what came up to it."""
        until = time.monotonic() + seconds
        while True:
            found = self.text.find(text, self._seen)
            if found >= 0:
                came, self._seen = self.text[self._seen : found + len(text)], found + len(text)
                return came
            ended = self.process.poll() is not None
            assert time.monotonic() < until and not ended, f"waited for {text!r}:\n{self.text[self._seen :]}"
            time.sleep(0.02)

    def mode(self) -> list[object]:
        """Return how the terminal is set."""
        return list(termios.tcgetattr(self._ours))

    def end(self, *, seconds: float = 60) -> int:
        """Wait for the end of the command; return its exit code."""
        return self.process.wait(timeout=seconds)

    def close(self) -> None:
        """End the command, whatever it does."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._theirs)
        self._reader.join(timeout=10)
        os.close(self._ours)
