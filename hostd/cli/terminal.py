"""What the terminal can and wants: colours, width, Unicode, quiet. Said by options, else by the environment.

Standard output that is no terminal gets no colour, no cut columns and no drawing that is drawn over.
"""

from __future__ import annotations

import os
import sys
from typing import Any

WIDTH_MIN = 40
PIPED_WIDTH = 100  # of drawings that nobody sees on a terminal


class Wishes:
    """What options said; None is not said. One command line at a time."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Take back what an earlier command line of this process said."""
        self.no_color = False
        self.no_unicode = False
        self.quiet = False
        self.wide = False

    def hear(
        self, *, no_color: bool = False, no_unicode: bool = False, quiet: bool = False, wide: bool = False
    ) -> None:
        """Take what is said, before the command or behind it."""
        self.no_color |= no_color
        self.no_unicode |= no_unicode
        self.quiet |= quiet
        self.wide |= wide


WISHES = Wishes()


def is_terminal(stream: Any = None) -> bool:
    """Say whether a stream, else standard output, is a terminal that can move its cursor."""
    stream = sys.stdout if stream is None else stream
    return bool(stream.isatty()) and os.environ.get("TERM") != "dumb"


def colored() -> bool:
    """Say whether standard output wants colours: a terminal, and neither --no-color nor NO_COLOR (no-color.org)."""
    return is_terminal() and not WISHES.no_color and not os.environ.get("NO_COLOR")


def quiet() -> bool:
    """Say whether nothing but what scripts need is to be written."""
    return WISHES.quiet


def unicode() -> bool:
    """Say whether drawings may use more than ASCII: neither --no-unicode nor a locale that says C or POSIX."""
    if WISHES.no_unicode:
        return False
    said = next((os.environ[name] for name in ("LC_ALL", "LC_CTYPE", "LANG") if os.environ.get(name)), "")
    return said not in ("C", "POSIX")


def fitted_width() -> int | None:
    """Return the columns that tables have to fit into; None where nothing is cut."""
    return None if WISHES.wide or not sys.stdout.isatty() else width()


def width() -> int:
    """Return the columns for drawings: the terminal's, else COLUMNS, else 100."""
    return max(WIDTH_MIN, _size("COLUMNS", PIPED_WIDTH))


def height() -> int:
    """Return the lines of the terminal, else LINES, else 24."""
    return _size("LINES", 24)


def _size(name: str, otherwise: int) -> int:
    """Return a side of the terminal. As shutil does, which is not imported for it: it takes longer than a command."""
    said = os.environ.get(name, "")
    if said.isascii() and said.isdigit() and 0 < int(said) < 10_000:
        return int(said)
    try:
        size = os.get_terminal_size(sys.__stdout__.fileno() if sys.__stdout__ is not None else 1)
    except (OSError, ValueError):
        return otherwise
    return (size.columns if name == "COLUMNS" else size.lines) or otherwise
