"""From messages of the wire to the small typed results that the client returns.

A result is a frozen dataclass whose fields are called as in the proto; its annotations say what becomes of each:
`tuple[X, ...]` of a repeated field, `dict` of a map, another result of a message, an aware UTC datetime of a timestamp,
the JSON value of a Payload, a name without prefix of an enum, None of what is not set.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC
from typing import Any, TypeVar

from google.protobuf.message import Message

from hostd.client.payloads import from_payload
from hostd.values.json_text import parse_json

T = TypeVar("T")
JSON_TEXT = {"json_text": True}  # metadata of a field that is JSON text on the wire
_One = Callable[[Any], Any]
Plan: typing.TypeAlias = tuple[tuple[str, Callable[[Message], Any]], ...]
_PLANS: dict[type, Plan] = {}  # worked out once a class
_SPECIAL: dict[str, _One] = {
    "google.protobuf.Timestamp": lambda value: value.ToDatetime(tzinfo=UTC),
    "hostd.v1.Payload": from_payload,
}


def result_of(kind: type[T], message: Message) -> T:
    """Return a message as a result of that class."""
    plan = _PLANS.get(kind)
    if plan is None:
        plan = _PLANS[kind] = _planned(kind, message.DESCRIPTOR.fields_by_name)
    return kind(**{name: read(message) for name, read in plan})


def _planned(kind: type, described: Mapping[str, Any]) -> Plan:
    """Return how each field of a result is read; a field that the wire does not have is a mistake of ours."""
    texts = {each.name for each in fields(kind) if each.metadata} if is_dataclass(kind) else set()
    return tuple(
        (name, _json_reader(name) if name in texts else _reader(name, hint, described[name]))
        for name, hint in typing.get_type_hints(kind).items()
    )


def _reader(name: str, hint: Any, field: Any) -> Callable[[Message], Any]:
    shape = typing.get_origin(hint)
    if shape is tuple:
        one = _one(typing.get_args(hint)[0], field)
        return lambda message: tuple(one(value) for value in getattr(message, name))
    if shape is dict:
        return lambda message: dict(getattr(message, name))
    one = _one(hint, field)
    if not field.has_presence:
        return lambda message: one(getattr(message, name))
    return lambda message: one(getattr(message, name)) if message.HasField(name) else None


def _json_reader(name: str) -> Callable[[Message], Any]:
    def read(message: Message) -> Any:
        text = getattr(message, name)
        return parse_json(text.encode()) if text else None

    return read


def _one(hint: Any, field: Any) -> _One:
    """Return what makes one value of a field."""
    if field.enum_type is not None:
        return _words(field.enum_type)
    if field.message_type is None:
        return _same
    special = _SPECIAL.get(field.message_type.full_name)
    if special is not None:
        return special
    kind = next(each for each in _choices(hint) if each is not types.NoneType)
    return lambda value: result_of(kind, value)


def _choices(hint: Any) -> tuple[Any, ...]:
    return typing.get_args(hint) if typing.get_origin(hint) in (typing.Union, types.UnionType) else (hint,)


def _words(enum: Any) -> _One:
    """Return what makes a name of a number: without the prefix that all have, empty for UNSPECIFIED."""
    prefix = enum.values_by_number[0].name.removesuffix("UNSPECIFIED")
    words = {value.number: value.name.removeprefix(prefix) for value in enum.values}
    words[0] = ""
    return lambda number: words.get(number, str(number))


def _same(value: Any) -> Any:
    return value
