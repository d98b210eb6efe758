"""One line that a person writes below the screen, key by key."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from hostd.cli.dev.keyboard import BACKSPACE, END, ENTER, ESCAPE, KILL

LENGTH_MAX = 100_000


class Line:
    """Asks for a line. `shown` is what stands below the screen meanwhile; None where nothing is asked."""

    def __init__(self, key: Callable[[], Awaitable[str]], draw: Callable[[], None]) -> None:
        self._key, self._draw = key, draw
        self._question = ""
        self._text = ""
        self._asking = False
        self.complaint = ""

    def shown(self, columns: int) -> str | None:
        """Return question and answer so far; of a long one the end."""
        if not self._asking:
            return None
        room = max(10, columns - len(self._question) - 2)
        text = self._text if len(self._text) <= room else "…" + self._text[1 - room :]
        return f"{self._question} {text}"

    async def ask(self, question: str, given: str = "") -> str | None:
        """Return what was written when Enter ends it; None for Esc.

        Args:
            given: what stands there already, to be taken or changed.
        """
        self._question, self._text, self._asking = question, given, True
        try:
            while True:
                self._draw()
                key = await self._key()
                if key in (ENTER, "\r"):
                    return self._text
                if key in (ESCAPE, END):
                    return None
                self._take(key)
        finally:
            self._asking = False
            self._draw()

    def _take(self, key: str) -> None:
        if key in (BACKSPACE, "\b"):
            self._text = self._text[:-1]
        elif key == KILL:
            self._text = ""
        elif key.isprintable() and len(self._text) < LENGTH_MAX:
            self._text += key
