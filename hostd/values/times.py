"""RFC 3339 times in and out, as wall milliseconds since 1970, UTC."""

from __future__ import annotations

from datetime import UTC, datetime


def parse_time_ms(text: object) -> int:
    """Return milliseconds of an RFC 3339 time with offset.

    Raises:
        ValueError: not such a time.
    """
    if not isinstance(text, str) or len(text) > 40:
        raise ValueError(f"{text!r:.40} is not a time such as 2026-01-31T12:00:00Z")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a time such as 2026-01-31T12:00:00Z") from None
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no offset; write Z or +01:00 behind it")
    return round(moment.timestamp() * 1000)


def format_time_ms(ms: int) -> str:
    """Return RFC 3339 text in UTC, with milliseconds where there are any."""
    moment = datetime.fromtimestamp(ms / 1000, UTC)
    return moment.isoformat(timespec="milliseconds" if ms % 1000 else "seconds").replace("+00:00", "Z")
