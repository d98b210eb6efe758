"""RFC 3339 times in and out, as wall milliseconds since 1970, UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_RFC_3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)
MIN_MS, MAX_MS = -62_135_596_800_000, 253_402_300_799_999  # years 1 to 9999, what RFC 3339 can write


def parse_time_ms(text: object) -> int:
    """Return milliseconds of an RFC 3339 time with offset; what is finer is cut off.

    Raises:
        ValueError: not such a time.
    """
    if not isinstance(text, str) or len(text) > 40 or not _RFC_3339.fullmatch(text):
        raise ValueError(f"{text!r:.60} is not a time such as 2026-01-31T12:00:00Z or 2026-01-31T13:00:00+01:00")
    try:
        moment = datetime.fromisoformat(text.upper())
    except ValueError as error:
        raise ValueError(f"{text!r} is not a time: {error}") from None
    return (moment - _EPOCH) // _MS


def format_time_ms(ms: int) -> str:
    """Return RFC 3339 text in UTC, with milliseconds where there are any.

    Raises:
        ValueError: before the year 1 or after 9999.
    """
    if not MIN_MS <= ms <= MAX_MS:
        raise ValueError(f"{ms} ms lies outside the years 1 to 9999")
    moment = _EPOCH + timedelta(milliseconds=ms)
    return moment.isoformat(timespec="milliseconds" if ms % 1000 else "seconds").replace("+00:00", "Z")
