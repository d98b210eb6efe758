"""What commands that follow something do while their daemon is away: look for it for a while, and say so once."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import click

from hostd.cli.printing import warn


def reconnect_option(when: str = "") -> Callable[[Any], Any]:
    """Return `--reconnect`, which a command gets as `reconnect_s`.

    Args:
        when: in front of what it means, such as `With --wait`.
    """
    text = "how long to look for a daemon that went away."
    return click.option(
        "--reconnect", "reconnect_s", metavar="SECONDS", type=click.FloatRange(0), default=60.0, show_default=True,
        help=f"{when}: {text}" if when else text.capitalize(),
    )  # fmt: skip


class Pause:
    """Sleeps between tries, and says so once each time the connection is lost."""

    def __init__(self, reconnect_s: float, tell: Callable[[str], None] = warn) -> None:
        self._tell = tell
        self._text = f"the connection was lost; looking for the daemon for up to {reconnect_s:g} s"
        self._said = False

    def __call__(self, seconds: float) -> None:
        if not self._said:
            self._said = True
            self._tell(self._text)
        time.sleep(seconds)

    def over(self) -> None:
        """Something came: a connection that is lost again is told again."""
        self._said = False
