"""Durations as people write them: `500ms`, `10s`, `1h30m`, `2d`; a value is a plain `datetime.timedelta`."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, TypeAlias

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from hostd.values.durations import format_duration_ms, parse_duration_ms

_PATTERN = r"^(\d+(\.\d+)?(ms|s|m|h|d|w))+$"
_MS = timedelta(milliseconds=1)


def parse_duration(text: str) -> timedelta:
    """Return the time a duration text names, in whole milliseconds.

    Raises:
        ValueError: the text is not a duration, or longer than a century.
    """
    return timedelta(milliseconds=parse_duration_ms(text))


def format_duration(duration: timedelta) -> str:
    """Return the shortest duration text, in whole milliseconds; a negative one has a sign that nothing parses again."""
    ms = round(duration / _MS)
    return format_duration_ms(ms) if ms >= 0 else f"-{format_duration_ms(-ms)}"


def _from_option(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return value
    if isinstance(value, str):
        return parse_duration(value)
    raise ValueError("a duration is a text with a unit, such as 500ms, 10s, 5m, 1h30m or 2d")


class _DurationText:
    """Teaches pydantic the text form; `Field` bounds are checked on the timedelta inside."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(
            _from_option,
            handler(source),
            serialization=core_schema.plain_serializer_function_ser_schema(format_duration),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "string", "pattern": _PATTERN}


Duration: TypeAlias = Annotated[timedelta, _DurationText]
"""The type of an option that holds a duration: written as text, read as a timedelta."""
