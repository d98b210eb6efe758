"""What a person may write for a time, a size or an address."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from datetime import timedelta
from typing import Annotated, Any, NamedTuple

from pydantic import BeforeValidator, Field, PlainSerializer

from hostd.values.durations import format_duration_ms, parse_duration_ms

_SIZE = re.compile(r"(\d+(?:\.\d+)?) ?(B|KiB|MiB|GiB|TiB)")
_UNIT_BYTES = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}
MAX_SIZE_BYTES = 1 << 50
OFF = "off"


class HostPort(NamedTuple):
    """An address taken apart; `host` has no brackets, `port` 0 lets the system choose."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach it."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


def parse_size_bytes(text: str) -> int:
    """Return bytes for `64MiB`, `1.5 GiB` or `4096`.

    Raises:
        ValueError: the text is not a size, or past a pebibyte.
    """
    if text.isascii() and text.isdigit() and len(text) < 20:
        size = int(text)
    else:
        found = _SIZE.fullmatch(text[:64])
        if found is None:
            raise ValueError(f"{text[:64]!r} is not a size such as 64KiB, 32MiB or 1GiB")
        size = round(float(found[1]) * _UNIT_BYTES[found[2]])
    if size > MAX_SIZE_BYTES:
        raise ValueError(f"{text[:64]!r} is more than a pebibyte")
    return size


def format_size_bytes(size: int) -> str:
    """Return the size in the largest unit that keeps it whole."""
    for unit in ("TiB", "GiB", "MiB", "KiB"):
        if size and size % _UNIT_BYTES[unit] == 0:
            return f"{size // _UNIT_BYTES[unit]}{unit}"
    return f"{size}B"


def value_text(value: Any, metadata: Iterable[Any]) -> str:
    """Return a value of a field as a person writes it. `metadata`: the field's, which tells a Size from a number."""
    if isinstance(value, timedelta):
        return duration_text(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) and any(getattr(mark, "func", None) is format_size_bytes for mark in metadata):
        return format_size_bytes(value)
    return str(value)


def parse_address(text: str) -> HostPort:
    """Return host and port of `127.0.0.1:7420`, `[::1]:7420` or `localhost:0`.

    Raises:
        ValueError: the text is not an address with a port.
    """
    host, colon, port = text.rpartition(":")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not colon or not bare or (":" in bare and bare == host) or not (port.isascii() and port.isdigit()):
        raise ValueError(f"{text[:80]!r} is not an address such as 127.0.0.1:7420 or [::1]:7420")
    if int(port[:6]) > 65535:
        raise ValueError(f"port {port[:12]} of {text[:80]!r} is past 65535")
    return HostPort(bare, int(port))


def _duration(value: Any) -> Any:
    return timedelta(milliseconds=parse_duration_ms(value)) if isinstance(value, str) else _only(value, timedelta)


def _only(value: Any, kind: type) -> Any:
    if not isinstance(value, kind):
        raise ValueError("write a duration such as 500ms, 10s, 5m or 30d: a bare number has no unit")
    return value


def _size(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("write a size such as 64KiB or 32MiB")
    return parse_size_bytes(value) if isinstance(value, str) else value


def _address(value: Any) -> Any:
    if isinstance(value, str) and value != OFF:
        parse_address(value)
    return value


def duration_text(value: timedelta) -> str:
    """Return the duration as a person writes it: whole days as days (`30d`, not `4w2d`)."""
    if value and not value % timedelta(days=1):
        return f"{value.days}d"
    return format_duration_ms(round(value / timedelta(milliseconds=1)))


Duration = Annotated[
    timedelta,
    BeforeValidator(_duration, json_schema_input_type=str),
    PlainSerializer(duration_text, return_type=str, when_used="json"),
]
Size = Annotated[
    int,
    BeforeValidator(_size, json_schema_input_type=str),
    Field(ge=0, le=MAX_SIZE_BYTES),
    PlainSerializer(format_size_bytes, return_type=str, when_used="json"),
]
Address = Annotated[str, BeforeValidator(_address)]
