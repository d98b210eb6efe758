"""Progress of long work, on standard error, where that is a terminal and nobody said --quiet."""

from __future__ import annotations

import sys
import time
from types import TracebackType

from hostd.cli.tables import clean, shortened
from hostd.cli.terminal import is_terminal, quiet, unicode, width

BAR_CHARS = 24
EVERY_S = 0.1


class Progress:
    """One line that is drawn over, and is gone at the end. Enter it, `note` what is done, leave it.

    Args:
        what: what is done, in a word or two.
    """

    def __init__(self, what: str) -> None:
        self._what = what
        self._shown = is_terminal(sys.stderr) and not quiet()
        self._next_s = 0.0
        self._begun_s = time.monotonic()

    def __enter__(self) -> Progress:
        self.note(0)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._write("")

    def note(self, done: int, total: int = 0, *, unit: str = "", what: str = "") -> None:
        """Say how much is done. Without a total there is no bar, but a count and the time it took so far."""
        now_s = time.monotonic()
        if not self._shown or (now_s < self._next_s and done != total):
            return
        self._next_s = now_s + EVERY_S
        text = what or self._what
        if total:
            text += f"  {bar(done, total)} {100 * min(done, total) // total:3}%  {done} of {total} {unit}"
        elif done:
            text += f"  {done} {unit}"
        self._write(f"{text.rstrip()}  {now_s - self._begun_s:.0f}s")

    def _write(self, text: str) -> None:
        if self._shown:
            sys.stderr.write("\r\x1b[2K" + shortened(clean(text), width() - 1))
            sys.stderr.flush()


def bar(done: int, total: int) -> str:
    """Return a bar of how much of a total is done."""
    filled = min(BAR_CHARS, BAR_CHARS * done // max(1, total))
    full, empty = ("█", "░") if unicode() else ("#", ".")
    return f"[{full * filled}{empty * (BAR_CHARS - filled)}]"
