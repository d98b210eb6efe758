"""How many columns of a terminal a text takes: letters of East Asia and emoji take two, marks above letters none."""

from __future__ import annotations

_JOINER, _FIRST_SELECTOR, _LAST_SELECTOR = 0x200D, 0xFE00, 0xFE0F


def text_width(text: str) -> int:
    """Return the columns that a text takes in one line."""
    if text.isascii():
        return len(text)
    return sum(map(_width, text))


def _width(character: str) -> int:
    from unicodedata import combining, east_asian_width

    code = ord(character)
    if code < 0x300:
        return 1
    if combining(character) or code == _JOINER or _FIRST_SELECTOR <= code <= _LAST_SELECTOR:
        return 0
    return 2 if east_asian_width(character) in "WF" else 1


def beginning(text: str, columns: int) -> str:
    """Return as much of the beginning of a text as fits into so many columns."""
    if text.isascii():
        return text[: max(0, columns)]
    taken = 0
    for at, character in enumerate(text):
        taken += _width(character)
        if taken > columns:
            return text[:at]
    return text


def padded(text: str, columns: int) -> str:
    """Return a text with blanks behind it, so that it takes at least so many columns."""
    return text + " " * (columns - text_width(text))
