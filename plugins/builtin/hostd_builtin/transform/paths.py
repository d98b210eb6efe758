"""Paths into values: `data.items[0].name`, `["odd key"]`, `[-1]` for the last, `[*]` for each item or entry."""

from __future__ import annotations

import re
from collections.abc import Callable

from hostd.plugin import ActionError, JsonValue

PATH_CHARS_MAX = 1_000
_PART = re.compile(r'\[(?P<each>\*)\]|\[(?P<index>-?\d{1,9})\]|\["(?P<quoted>[^"]*)"\]|\.?(?P<name>[^.\[\]"]+)')

EACH = None
Part = str | int | None
"""A key, a place in a list, or EACH."""


class Missing(Exception):
    """A path leads nowhere."""


def parse_path(text: str) -> tuple[Part, ...]:
    """Return the parts of a path; none for the whole value. Raises ValueError."""
    parts: list[Part] = []
    at = 0
    while at < len(text):
        found = _PART.match(text, at)
        if found is None or (text[at] == ".") != (found["name"] is not None and at > 0):
            raise ValueError(f'{text[:80]!r} is no path; write such as data.items[0].name, ["odd key"] or [*]')
        parts.append(_part(found))
        at = found.end()
    return tuple(parts)


def _part(found: re.Match[str]) -> Part:
    if found["each"]:
        return EACH
    if found["index"]:
        return int(found["index"])
    return found["quoted"] if found["quoted"] is not None else found["name"]


def read_path(value: JsonValue, parts: tuple[Part, ...]) -> JsonValue:
    """Return what a path leads to; with `[*]` a list of all it leads to, those that lead nowhere left out.

    Raises:
        Missing: a path without `[*]` before that place leads nowhere.
    """
    for at, part in enumerate(parts):
        if part is EACH:
            return _read_each(value, parts[at + 1 :])
        value = _step(value, part)
    return value


def _read_each(value: JsonValue, rest: tuple[Part, ...]) -> JsonValue:
    found: list[JsonValue] = []
    for item in _children(value):
        try:
            one = read_path(item, rest)
        except Missing:
            continue
        if EACH in rest and isinstance(one, list):
            found.extend(one)
        else:
            found.append(one)
    return found


def _children(value: JsonValue) -> list[JsonValue]:
    if isinstance(value, list):
        return value
    if isinstance(value, dict):
        return list(value.values())
    raise Missing


def _step(value: JsonValue, part: Part) -> JsonValue:
    if isinstance(part, str) and isinstance(value, dict) and part in value:
        return value[part]
    if isinstance(part, int) and isinstance(value, list) and -len(value) <= part < len(value):
        return value[part]
    raise Missing


def change_path(
    value: JsonValue, parts: tuple[Part, ...], change: Callable[[JsonValue], JsonValue], path: str
) -> JsonValue:
    """Return a copy in which what a path leads to is changed; nothing else is copied deeper than the path.

    Raises:
        ActionError: MISSING, the path leads nowhere.
    """
    if not parts:
        return change(value)
    part, rest = parts[0], parts[1:]
    if part is EACH and isinstance(value, list):
        return [change_path(item, rest, change, path) for item in value]
    if part is EACH and isinstance(value, dict):
        return {key: change_path(item, rest, change, path) for key, item in value.items()}
    try:
        inside = _step(value, part)
    except Missing:
        raise missing(path) from None
    changed = change_path(inside, rest, change, path)
    if isinstance(value, list) and isinstance(part, int):
        return [*value[:part], changed, *value[part % len(value) + 1 :]]
    return {**value, part: changed} if isinstance(value, dict) and isinstance(part, str) else value


def put_path(value: JsonValue, parts: tuple[Part, ...], new: JsonValue, path: str) -> JsonValue:
    """Return a copy in which a path leads to a value; maps on the way are made where they are missing.

    Raises:
        ActionError: MISSING, a place in a list does not exist, or something on the way is neither list nor map.
    """
    if not parts:
        return new
    part, rest = parts[0], parts[1:]
    if isinstance(part, str) and (value is None or isinstance(value, dict)):
        base = value or {}
        return {**base, part: put_path(base.get(part), rest, new, path)}
    if isinstance(part, int) and isinstance(value, list) and -len(value) <= part < len(value):
        return [*value[:part], put_path(value[part], rest, new, path), *value[part % len(value) + 1 :]]
    raise missing(path)


def missing(path: str) -> ActionError:
    """Return the failure of a path that leads nowhere."""
    return ActionError(f"the path {path!r} leads nowhere in the value", code="MISSING", details={"path": path})
