"""How long an answer may be held back for what is nice to know: less than the caller has time."""

from __future__ import annotations

from typing import Any

SHARE = 0.5


def spare_s(context: Any) -> float | None:
    """Return the part of a call's time that it may wait for triggers to begin, in seconds; None where it has no end."""
    remaining_s = context.time_remaining()
    return None if remaining_s is None else max(0.0, remaining_s * SHARE)
