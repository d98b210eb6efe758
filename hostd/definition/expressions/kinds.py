"""The kinds of values, their names in messages, and which value an argument takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from hostd.definition.expressions.problems import Problem
from hostd.definition.expressions.times import Duration, Timestamp
from hostd.values.json_text import EXACT

_NAMES: dict[type, str] = {
    type(None): "null",
    bool: "a bool",
    int: "a number",
    float: "a number",
    str: "a text",
    list: "a list",
    dict: "a map",
    Timestamp: "a timestamp",
    Duration: "a duration",
}
WORDS: dict[type, str] = {
    type(None): "null",
    bool: "bool",
    int: "int",
    float: "float",
    str: "string",
    list: "list",
    dict: "map",
    Timestamp: "timestamp",
    Duration: "duration",
}


def described(value: Any) -> str:
    """Return what a value is, for a message: `a text`. Never the value itself, which may be private."""
    return _NAMES.get(type(value), "a value of no kind known here")


def integral(value: Any) -> int | None:
    """Return the int a number is, or None. An integral float up to 2^53 is that int."""
    if type(value) is int:
        return value
    if type(value) is float and value.is_integer() and -EXACT <= value <= EXACT:
        return int(value)
    return None


class Takes(NamedTuple):
    """What an argument takes. `read` returns the value as the function wants it, or `NOT_TAKEN`."""

    label: str
    read: Callable[[Any], Any]


NOT_TAKEN: Any = object()


def _one_of(label: str, *types: type) -> Takes:
    return Takes(label, lambda value: value if type(value) in types else NOT_TAKEN)


def _read_int(value: Any) -> Any:
    number = integral(value)
    return NOT_TAKEN if number is None else number


ANY = Takes("any value", lambda value: value)
TEXT = _one_of("a text", str)
NUMBER = _one_of("a number", int, float)
INT = Takes("a whole number", _read_int)
LIST = _one_of("a list", list)
MAP = _one_of("a map", dict)
TEXT_OR_LIST = _one_of("a text or a list", str, list)
SIZED = _one_of("a text, a list or a map", str, list, dict)
TIMESTAMP = _one_of("a timestamp", Timestamp)
DURATION = _one_of("a duration", Duration)
TIME = _one_of("a timestamp or a duration", Timestamp, Duration)


def wrong_argument(name: str, position: int, takes: Takes, value: Any) -> Problem:
    """Return the problem of an argument that is of another kind."""
    hint = "; default(x, y) puts y in the place of null" if value is None else ""
    if takes is TIMESTAMP and type(value) is str:
        hint = "; timestamp(x) makes one"
    elif takes is DURATION and type(value) is str:
        hint = "; duration(x) makes one"
    elif takes is TEXT and value is not None:
        hint = "; string(x) makes one"
    elif takes in (NUMBER, INT) and type(value) is str:
        hint = "; int(x) and float(x) read numbers from text"
    what = "a number with a fraction" if takes is INT and type(value) is float else described(value)
    return Problem(f"{name} takes {takes.label} as argument {position}, not {what}{hint}")
