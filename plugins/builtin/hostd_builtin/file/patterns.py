"""Patterns of paths, as shells have them: `*` and `?` within a name, `[a-z]`, `**` for any folders."""

from __future__ import annotations

import re

PATTERN_CHARS_MAX = 256
PATTERNS_MAX = 64


class Patterns:
    """Some patterns; a path fits when one does. A name that begins with a dot needs a pattern that says so.

    Raises:
        ValueError: a pattern goes upward, is absolute or too long.
    """

    def __init__(self, patterns: list[str]) -> None:
        self._tests = [_compiled(pattern) for pattern in patterns]

    def fits(self, path: str) -> bool:
        """Say whether a path relative to the folder fits; its parts are joined by `/`."""
        return any(test.fullmatch(path) for test in self._tests)


def _compiled(pattern: str) -> re.Pattern[str]:
    parts = pattern.split("/")
    if not pattern or len(pattern) > PATTERN_CHARS_MAX or pattern.startswith("/") or ".." in parts or "" in parts:
        raise ValueError(f"the pattern {pattern[:80]!r} must be relative, without `..`, of at most {PATTERN_CHARS_MAX}")
    if parts.count("**") > 4:
        raise ValueError(f"the pattern {pattern[:80]!r} has more than four `**`")
    text = ""
    for at, part in enumerate(parts):
        last = at == len(parts) - 1
        if part == "**":
            text += r"(?:[^/.][^/]*/)*" + (r"[^/.][^/]*" if last else "")
        else:
            text += _name(part) + ("" if last else "/")
    try:
        return re.compile(text, re.DOTALL)
    except re.error as error:
        raise ValueError(f"the pattern {pattern[:80]!r} cannot be read: {error}") from None


def _name(part: str) -> str:
    """Return the expression of one name. What a `*` took is never given back: no pattern can be slow."""
    hidden = "" if part.startswith(".") else r"(?!\.)"
    first, *rest = [_fixed(piece) for piece in re.split(r"\*+", part)]
    if not rest:
        return hidden + first
    middle = "".join(f"(?>[^/]*?{piece})" for piece in rest[:-1])
    return f"{hidden}{first}{middle}[^/]*{rest[-1]}"


def _fixed(piece: str) -> str:
    """Return the expression of a part of a name without `*`."""
    text, at = "", 0
    while at < len(piece):
        end = piece.find("]", at + 2) if piece[at] == "[" else -1
        if end > 0:
            inner = piece[at + 1 : end].replace("\\", r"\\").replace("[", r"\[").replace("^", r"\^")
            negated = inner.startswith("!")
            text += f"(?!/)[{'^' if negated else ''}{inner[negated:]}]"
            at = end
        else:
            text += "[^/]" if piece[at] == "?" else re.escape(piece[at])
        at += 1
    return text
