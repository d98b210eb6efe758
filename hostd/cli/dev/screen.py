"""What `hostd dev` prints on: lines that stay, and below them, on a terminal, lines that are drawn over themselves."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable, Sequence

import click

from hostd.cli.tables import shortened
from hostd.cli.terminal import colored, height, is_terminal, unicode, width
from hostd.values.times import parse_time_ms

_ESCAPE = re.compile(r"\x1b\[[0-9;]*m")
_OK, _BAD, _NOTE, _GONE = "✓✗!–"
_ASCII = {_OK: "+", _BAD: "x", _NOTE: "!", _GONE: "-"}
_COLORS = {_OK: "green", _BAD: "red", _NOTE: "yellow", _GONE: "yellow"}


class Screen:
    """Prints. `below` returns the lines that are drawn below all others, as wide and high as is said; see `draw`."""

    def __init__(self) -> None:
        self.live = is_terminal() and is_terminal(sys.stdin)
        self.below: Callable[[int, int], Sequence[str]] | None = None
        self.unread: Callable[[], None] | None = None  # nobody reads any more
        self._drawn: list[int] = []  # how wide each line is that was drawn
        self._over = False

    @property
    def width(self) -> int:
        """How many columns a line may have."""
        return width() - 1

    def say(self, text: str) -> None:
        """Print lines that stay, above those that are drawn."""
        self._write(self._erasure() + (text + "\n").replace("\n", "\r\n" if self.live else "\n") + self._region())

    def draw(self) -> None:
        """Draw what is below anew."""
        if self.live and not self._over:
            self._write(self._erasure() + self._region())

    def leave(self) -> None:
        """Take away what was drawn; `draw` begins anew where the screen is entered again."""
        self._write(self._erasure())
        self._over = True

    def enter(self) -> None:
        """Draw again, after `leave`."""
        self._over = False
        self.draw()

    def _erasure(self) -> str:
        """Return what goes back to where drawing began. A terminal that became narrower broke lines in two."""
        if not self._drawn:
            return ""
        columns = max(1, width())
        rows = sum(max(1, -(-wide // columns)) for wide in self._drawn)
        self._drawn = []
        return "\r" + (f"\x1b[{rows - 1}A" if rows > 1 else "") + "\x1b[J"

    def _region(self) -> str:
        if not self.live or self._over or self.below is None:
            return ""
        lines = list(self.below(self.width, max(4, height() - 1)))
        self._drawn = [len(_ESCAPE.sub("", line)) for line in lines]
        return "\r\n".join(lines)

    def _write(self, text: str) -> None:
        if not text:
            return
        try:
            sys.stdout.flush()
            sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace"))
            sys.stdout.buffer.flush()
        except OSError:  # a pipe that is closed, a terminal that is gone
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            if self.unread is not None:
                self.unread()


def styled(text: str, *, fg: str | None = None, bold: bool | None = None, dim: bool | None = None) -> str:
    """Return a text in a colour, where colours are wanted."""
    return click.style(text, fg=fg, bold=bold, dim=dim) if text and colored() else text


def dim(text: str) -> str:
    """Return a text that stands back."""
    return styled(text, dim=True)


def moment(at: str | None = None) -> str:
    """Return the time of day, which stands before everything that happens; of an RFC 3339 time, else now."""
    local = time.localtime(parse_time_ms(at) // 1000) if at else time.localtime()
    return dim(time.strftime("%H:%M:%S", local))


def told(sign: str, text: str) -> str:
    """Return a line of something that happened: time, sign, text."""
    shown = sign if unicode() else _ASCII[sign]
    return f"{moment()} {styled(shown, fg=_COLORS[sign])} {text}"


def well(text: str) -> str:
    """Return a line of something that went well."""
    return told(_OK, text)


def badly(text: str) -> str:
    """Return a line of something that went wrong."""
    return told(_BAD, text)


def note(text: str) -> str:
    """Return a line of something worth a look."""
    return told(_NOTE, text)


def gone(text: str) -> str:
    """Return a line of something that is no more."""
    return told(_GONE, text)


def fitted(text: str, columns: int) -> str:
    """Return a text in one line of so many columns."""
    return shortened(" ".join(text.split()), columns)
