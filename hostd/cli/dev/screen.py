"""What `hostd dev` prints on: lines that stay, and below them, on a terminal, lines that are drawn over themselves."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Sequence

import click

from hostd.cli.dev.outlet import Outlet
from hostd.cli.tables import shortened
from hostd.cli.terminal import colored, height, is_terminal, unicode, width
from hostd.cli.text_width import text_width
from hostd.values.times import parse_time_ms

_ESCAPE = re.compile(r"\x1b\[[0-9;]*m")
_OK, _BAD, _NOTE, _GONE = "✓✗!–"
_ASCII = {_OK: "+", _BAD: "x", _NOTE: "!", _GONE: "-"}
DRAWN_WAITING_MAX = 32_768  # characters: past it nobody looks
_COLORS = {_OK: "green", _BAD: "red", _NOTE: "yellow", _GONE: "yellow"}


class Screen:
    """Prints. `below` returns the lines that are drawn below all others, as wide and high as is said; see `draw`.

    It never waits for who reads. What nobody reads in time is left out, and counted.
    """

    def __init__(self) -> None:
        self.live = is_terminal() and is_terminal(sys.stdin)
        self.below: Callable[[int, int], Sequence[str]] | None = None
        self.unread: Callable[[], None] | None = None  # nobody reads any more; called from another thread
        self._outlet = Outlet(self._unread)
        self._left_out = 0
        self.stale = False  # what is drawn is older than what there is: who reads stood still
        self._drawn: list[int] = []  # how wide each line is that was drawn
        self._over = False

    @property
    def width(self) -> int:
        """How many columns a line may have."""
        return width() - 1

    def say(self, text: str) -> None:
        """Print lines that stay, above those that are drawn."""
        drawn = self._drawn
        missed = f"{note(f'{self._left_out} messages were left out: nobody read them')}\n" if self._left_out else ""
        said = (f"{missed}{text}\n").replace("\n", "\r\n" if self.live else "\n")
        if self._outlet.put(self._erasure() + said + self._region()):
            self._left_out = 0
        else:
            self._drawn = drawn
            self._left_out += 1

    def draw(self) -> None:
        """Draw what is below anew."""
        if not self.live or self._over:
            return
        self.stale = self._outlet.waiting > DRAWN_WAITING_MAX
        if not self.stale:
            self._outlet.put(self._erasure() + self._region())

    def leave(self) -> None:
        """Take away what was drawn, and wait a little while for who reads; see `enter`."""
        if erasure := self._erasure():
            self._outlet.put(erasure)
        self._outlet.flush()
        self._over = True

    def enter(self) -> None:
        """Draw again, after `leave`."""
        self._over = False
        self.draw()

    def flush(self) -> None:
        """Wait a little while until everything is written."""
        self._outlet.flush()

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
        self._drawn = [text_width(_ESCAPE.sub("", line)) for line in lines]
        return "\r\n".join(lines)

    def _unread(self) -> None:
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
