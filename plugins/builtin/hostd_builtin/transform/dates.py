"""Dates: RFC 3339 texts from other forms, and back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from hostd.plugin import ActionError, JsonValue
from hostd_builtin.transform.options import Dates
from hostd_builtin.transform.work import kind_of

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def parse_date(value: JsonValue, how: Dates) -> JsonValue:
    """Return a date as RFC 3339 text in the zone. Raises ActionError DATE_INVALID."""
    zone = _zone(how.timezone)
    at = _read(value, how.format)
    aware = at.replace(tzinfo=zone) if at.tzinfo is None else at.astimezone(zone)
    return _rfc3339(aware)


def format_date(value: JsonValue, how: Dates) -> JsonValue:
    """Return an RFC 3339 text in another form: text, or a number for `unix` and `unix_ms`. Raises ActionError."""
    at = _read(value, "iso")
    aware = (at.replace(tzinfo=UTC) if at.tzinfo is None else at).astimezone(_zone(how.timezone))
    if how.format == "iso":
        return _rfc3339(aware)
    if how.format in ("unix", "unix_ms"):
        ms = (aware - _EPOCH) // timedelta(milliseconds=1)
        return ms if how.format == "unix_ms" else ms // 1000 if ms % 1000 == 0 else ms / 1000
    return aware.strftime(how.format)


def _read(value: JsonValue, form: str) -> datetime:
    try:
        if form in ("unix", "unix_ms") and isinstance(value, int | float) and not isinstance(value, bool):
            return _EPOCH + timedelta(**{"seconds" if form == "unix" else "milliseconds": value})
        if isinstance(value, str) and len(value) <= 200 and form not in ("unix", "unix_ms"):
            return datetime.fromisoformat(value.strip()) if form == "iso" else _by_pattern(value, form)
    except (ValueError, OverflowError):
        pass
    message = f"{kind_of(value)} that is no date of the form {form!r}"
    raise ActionError(message, code="DATE_INVALID", details={"format": form})


def _by_pattern(text: str, form: str) -> datetime:
    return datetime.strptime(text, form)  # noqa: DTZ007 the caller gives it its zone


def _rfc3339(at: datetime) -> str:
    text = at.isoformat(timespec="milliseconds" if at.microsecond else "seconds")
    return text.removesuffix("+00:00") + "Z" if text.endswith("+00:00") else text


def _zone(name: str) -> tzinfo:
    try:
        return UTC if name == "UTC" else ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ActionError(f"there is no time zone {name!r}", code="ZONE_UNKNOWN") from None
