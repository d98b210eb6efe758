"""Types of values: what `convert` gives, under the number rule."""

from __future__ import annotations

import math
import re

from hostd.plugin import ActionError, HostdError, JsonValue, dump_json, parse_json
from hostd_builtin.transform.work import kind_of

_INT = re.compile(r"[+-]?\d{1,19}")
_FLOAT = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?")
_BOOLS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
INT_MIN, INT_MAX = -(2**63), 2**63 - 1


class NotConvertible(Exception):
    """A value that does not become the type; says why."""


def convert(value: JsonValue, kind: str) -> JsonValue:
    """Return a value as a type; never loses anything on the way. Raises NotConvertible."""
    return _CONVERTERS[kind](value)


def refused(value: JsonValue, kind: str, where: str) -> ActionError:
    """Return the failure of a value that does not become a type."""
    message = f"{where}{kind_of(value)} that does not become {kind}; `default` takes its place"
    return ActionError(message, code="CONVERSION", details={"to": kind})


def _int(value: JsonValue) -> JsonValue:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, str):
        text = value.strip()
        if not _INT.fullmatch(text):
            return _int(_float(text))
        value = int(text)
    if isinstance(value, float) and not value.is_integer():
        raise NotConvertible
    if not isinstance(value, int | float) or not INT_MIN <= value <= INT_MAX:
        raise NotConvertible
    return int(value)


def _float(value: JsonValue) -> JsonValue:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, str):
        text = value.strip()
        if len(text) > 400 or not _FLOAT.fullmatch(text):
            raise NotConvertible
        value = float(text)
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise NotConvertible
    return value


def _string(value: JsonValue) -> JsonValue:
    return value if isinstance(value, str) else dump_json(value).decode()


def _bool(value: JsonValue) -> JsonValue:
    if isinstance(value, bool):
        return value
    known = _BOOLS.get(str(value).strip().lower()) if isinstance(value, str | int) else None
    if known is None:
        raise NotConvertible
    return known


def _json(value: JsonValue) -> JsonValue:
    if not isinstance(value, str):
        raise NotConvertible
    try:
        return parse_json(value)
    except HostdError:
        raise NotConvertible from None


def _list(value: JsonValue) -> JsonValue:
    return value if isinstance(value, list) else [] if value is None else [value]


def _auto(value: JsonValue) -> JsonValue:
    """Return what a text looks like: JSON, a number, true or false; what looks like none of them stays text."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    if text in ("true", "false"):
        return text == "true"
    for looks, reading in ((_INT, _int), (_FLOAT, _float)):
        if len(text) < 400 and looks.fullmatch(text):
            try:
                return reading(text)
            except NotConvertible:
                return value
    if text[:1] in ("{", "["):
        try:
            return parse_json(text)
        except HostdError:
            return value
    return value


_CONVERTERS = {
    "int": _int, "float": _float, "string": _string, "bool": _bool, "json": _json, "list": _list, "auto": _auto,
}  # fmt: skip
