"""Duration text: one or more of `<number><unit>`, units ms s m h d w; a day is 24 hours."""

from __future__ import annotations

import re

_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d|w)")
_WHOLE = re.compile(r"(?:[0-9]+(?:\.[0-9]+)?(?:ms|s|m|h|d|w))+")
_UNIT_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
MAX_MS = 100 * 366 * 86_400_000  # a century: past it a duration is a mistake


def parse_duration_ms(text: str) -> int:
    """Return milliseconds, rounded to the nearest.

    Raises:
        ValueError: the text is not a duration, or longer than a century.
    """
    if len(text) > 64 or not _WHOLE.fullmatch(text):
        raise ValueError(f"{text[:64]!r} is not a duration such as 500ms, 10s, 5m, 1h30m or 2d")
    total = round(sum(float(number) * _UNIT_MS[unit] for number, unit in _PART.findall(text)))
    if total > MAX_MS:
        raise ValueError(f"{text!r} is longer than a century")
    return total


def format_duration_ms(ms: int) -> str:
    """Return the shortest duration text for a count of milliseconds (0 is `0s`)."""
    if ms == 0:
        return "0s"
    parts = []
    for unit in ("w", "d", "h", "m", "s", "ms"):
        count, ms = divmod(ms, _UNIT_MS[unit])
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts)
