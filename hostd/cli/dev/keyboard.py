"""Keys one by one, without Enter, while the terminal is ours; it gets back what it was on every way out."""

from __future__ import annotations

import asyncio
import atexit
import codecs
import os
import re
import signal
import sys
import termios
from collections.abc import Callable

_KEYS_MAX = 10_000
_SEQUENCE = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|O.)")  # arrows and their like: not ours
_BY_LINE = termios.ECHO | termios.ICANON
ENTER, ESCAPE, BACKSPACE, KILL, END = "\n", "\x1b", "\x7f", "\x15", "\x04"


class Keyboard:
    """Reads keys from standard input. `begin` makes them come one by one, `end` gives the terminal back."""

    def __init__(self, *, leave: Callable[[], None], enter: Callable[[], None]) -> None:
        self._fd = sys.stdin.fileno()
        self._leave, self._enter = leave, enter
        self._before: list[object] | None = None
        self._keys: asyncio.Queue[str] = asyncio.Queue(_KEYS_MAX)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def begin(self) -> None:
        """Take the terminal. Ctrl-C and Ctrl-Z stay signals; Ctrl-S no longer stops what we write."""
        before = termios.tcgetattr(self._fd)
        self._before = list(before)
        atexit.register(self._give_back)
        self._take(before)
        loop = asyncio.get_running_loop()
        loop.add_reader(self._fd, self._read)
        loop.add_signal_handler(signal.SIGTSTP, self._stop)
        loop.add_signal_handler(signal.SIGWINCH, self._enter)

    def end(self) -> None:
        """Give the terminal back. Safe to call twice."""
        if self._before is None:
            return
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._fd)
        loop.remove_signal_handler(signal.SIGTSTP)
        loop.remove_signal_handler(signal.SIGWINCH)
        self._give_back()
        self._before = None

    async def key(self) -> str:
        """Return the next key: a character; those of more than one byte in one piece."""
        return await self._keys.get()

    def _take(self, before: list[object]) -> None:
        mode = list(before)
        mode[0] = int(str(mode[0])) & ~termios.IXON | termios.ICRNL
        mode[3] = int(str(mode[3])) & ~_BY_LINE
        termios.tcsetattr(self._fd, termios.TCSADRAIN, mode)  # type: ignore[arg-type]  # a list of what tcgetattr gave

    def _give_back(self) -> None:
        if self._before is not None:
            termios.tcsetattr(self._fd, termios.TCSADRAIN, self._before)  # type: ignore[arg-type]  # as above

    def _read(self) -> None:
        try:
            data = os.read(self._fd, 4096)
        except OSError:
            data = b""
        if not data:  # the terminal went away
            asyncio.get_running_loop().remove_reader(self._fd)
            self._put(END)
            return
        for key in _SEQUENCE.sub("", self._decoder.decode(data)):
            self._put(key)

    def _put(self, key: str) -> None:
        if not self._keys.full():
            self._keys.put_nowait(key)

    def _stop(self) -> None:
        """Stop as Ctrl-Z asks, with the terminal as it was; go on where the shell lets us."""
        self._leave()
        self._give_back()
        os.kill(os.getpid(), signal.SIGSTOP)
        if self._before is not None:
            self._take(self._before)
        self._enter()
