"""JSON text in and out under the one number rule.

A number written without fraction and exponent and inside int64 is an int, every other finite number a float64; a float
that is integral with |n| <= 2^53 *is* that int; larger floats are written with an exponent. NaN, infinities and larger
integers are refused. Duplicate keys are refused too: two readers could see two different values.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any, TypeAlias

from hostd.errors.base import HostdError, Kind

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"

INT_MIN, INT_MAX = -(2**63), 2**63 - 1
EXACT = 2**53
MAX_DEPTH = 64


def _out_of_range(text: str) -> HostdError:
    return HostdError(
        Kind.INVALID,
        "NUMBER_OUT_OF_RANGE",
        f"the number {text[:40]} is not finite or not within 64 bits; send it as a string",
    )


def _parse_int(text: str) -> int:
    if len(text) > 20:
        raise _out_of_range(text)
    value = int(text)
    if not INT_MIN <= value <= INT_MAX:
        raise _out_of_range(text)
    return value


def _parse_float(text: str) -> int | float:
    return rule_float(float(text), text)


def _parse_constant(text: str) -> float:
    raise _out_of_range(text)


def rule_float(value: float, text: str = "") -> int | float:
    """Return the value a float stands for under the number rule. Raises NUMBER_OUT_OF_RANGE when it is not finite."""
    if not math.isfinite(value):
        raise _out_of_range(text or repr(value))
    if -EXACT <= value <= EXACT and value == int(value):
        return int(value)
    return value


def _pairs(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    result = dict(pairs)
    if len(result) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise HostdError(Kind.INVALID, "PAYLOAD_INVALID", f"the key {key[:80]!r} stands twice in one object")
            seen.add(key)
    return result


_decoder = json.JSONDecoder(
    parse_int=_parse_int, parse_float=_parse_float, parse_constant=_parse_constant, object_pairs_hook=_pairs
)


def _too_deep(value: JsonValue) -> bool:
    """Say whether containers nest past MAX_DEPTH, level by level."""
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH):
        inside: list[Any] = []
        for item in level:
            if type(item) is dict:
                inside.extend(item.values())
            elif type(item) is list:
                inside.extend(item)
        level = [item for item in inside if type(item) is dict or type(item) is list]
        if not level:
            return False
    return True


def parse_json(data: bytes | str) -> JsonValue:
    """Return the value of JSON text under the number rule.

    Raises:
        HostdError: PAYLOAD_INVALID (not UTF-8, not JSON, a duplicate key, nested past 64) or NUMBER_OUT_OF_RANGE.
    """
    try:
        text = data if isinstance(data, str) else data.decode("utf-8")
        value = _decoder.decode(text)
        if text.count("[") + text.count("{") > MAX_DEPTH and _too_deep(value):
            raise HostdError(Kind.INVALID, "PAYLOAD_INVALID", f"the JSON text is nested deeper than {MAX_DEPTH}")
        if "\\u" in text or (isinstance(data, str) and not data.isascii()):
            _compact.encode(value).encode("utf-8")  # lone surrogates cannot be written again
    except UnicodeError as error:
        raise HostdError(Kind.INVALID, "PAYLOAD_INVALID", f"the payload is not UTF-8 text: {error}") from None
    except RecursionError:
        raise HostdError(Kind.INVALID, "PAYLOAD_INVALID", "the JSON text is nested too deep") from None
    except json.JSONDecodeError as error:
        raise HostdError(
            Kind.INVALID, "PAYLOAD_INVALID", f"not JSON: {error.msg} at line {error.lineno} column {error.colno}"
        ) from None
    return value  # type: ignore[no-any-return]


def normalize(value: Any, *, depth: int = 0) -> JsonValue:
    """Return a copy of a Python value that holds JSON's types only, numbers under the rule (tuples become lists).

    Raises:
        HostdError: PAYLOAD_INVALID for any other type or a key that is not text, NUMBER_OUT_OF_RANGE.
    """
    kind = type(value)
    if kind is str:
        if not value.isascii():
            try:
                value.encode("utf-8")
            except UnicodeEncodeError:
                raise HostdError(Kind.INVALID, "PAYLOAD_INVALID", "a text holds a lone surrogate") from None
        return value  # type: ignore[no-any-return]
    if kind is bool or value is None:
        return value  # type: ignore[no-any-return]
    if kind is int:
        if not INT_MIN <= value <= INT_MAX:
            raise _out_of_range(str(value) if abs(value) < 10**40 else "(huge)")
        return value  # type: ignore[no-any-return]
    if kind is float:
        return rule_float(value)
    if depth >= MAX_DEPTH:
        raise HostdError(Kind.INVALID, "PAYLOAD_INVALID", f"a value is nested deeper than {MAX_DEPTH}")
    if kind is dict:
        for key in value:
            if type(key) is not str:
                raise HostdError(Kind.INVALID, "PAYLOAD_INVALID", f"the key {key!r:.80} is not a text")
            if not key.isascii():
                normalize(key)
        return {key: normalize(item, depth=depth + 1) for key, item in value.items()}
    if kind is list or kind is tuple:
        return [normalize(item, depth=depth + 1) for item in value]
    for base in (bool, int, float, str):
        if isinstance(value, base):  # an enum member, a numpy-like float: its plain value
            return normalize(base(value), depth=depth)
    raise HostdError(Kind.INVALID, "PAYLOAD_INVALID", f"{kind.__name__} is not a JSON value")


_compact = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), check_circular=False)


def _any_float(value: JsonValue, wanted: Callable[[float], bool]) -> bool:
    """Say whether any float of a value is one whose text Python's encoder would write in another way than we want."""
    kind = type(value)
    if kind is float:
        return wanted(value)  # type: ignore[arg-type]
    if kind is dict:
        return any(_any_float(item, wanted) for item in value.values())  # type: ignore[union-attr]
    if kind is list:
        return any(_any_float(item, wanted) for item in value)  # type: ignore[union-attr]
    return False


def _write(value: JsonValue, float_text: Callable[[float], str]) -> str:
    """Return JSON text with floats as `float_text` writes them (json's own encoder always takes float.__repr__)."""
    if type(value) is float:
        return float_text(value)
    if type(value) is dict:
        return "{" + ",".join([f"{_compact.encode(key)}:{_write(value[key], float_text)}" for key in value]) + "}"
    if type(value) is list:
        return "[" + ",".join([_write(item, float_text) for item in value]) + "]"
    return _compact.encode(value)


def _reads_as_int(value: float) -> bool:
    """Say whether Python writes a large float with digits alone, which would read back as an int."""
    return EXACT < abs(value) < 1e16


def _unlike_es(value: float) -> bool:
    """Say whether RFC 8785 (ECMAScript's Number::toString) writes a float in another way than Python."""
    return not 1e-4 <= abs(value) <= EXACT


def _es_text(value: float) -> str:
    """Return a float as ECMAScript writes it (RFC 8785, 3.2.2.3), but past 2^53 always with an exponent."""
    sign = "-" if value < 0 else ""
    digits, _, exponent_text = f"{abs(value)!r}".partition("e")
    whole, _, fraction = digits.partition(".")
    figures = (whole + fraction).lstrip("0")
    point = len(whole) + int(exponent_text or 0) - (len(whole + fraction) - len(figures))  # figures before the point
    figures = figures.rstrip("0")
    if abs(value) <= EXACT and -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{figures}"
    if abs(value) <= EXACT and point > 0:
        return f"{sign}{figures[:point]}.{figures[point:]}"
    mantissa = figures[0] + ("." + figures[1:] if len(figures) > 1 else "")
    return f"{sign}{mantissa}e{point - 1:+d}"


def dump_json(value: Any) -> bytes:
    """Return the journal form of a value: compact UTF-8 JSON text in the given key order, numbers under the rule.

    Raises:
        HostdError: PAYLOAD_INVALID or NUMBER_OUT_OF_RANGE, as `normalize`.
    """
    plain = normalize(value)
    if _any_float(plain, _reads_as_int):
        return _write(plain, _es_text).encode("utf-8")
    return _compact.encode(plain).encode("utf-8")


def canonical_json(value: Any) -> bytes:
    """Return the form requests are compared in.

    RFC 8785, except that integers are written whatever their size and other floats past 2^53 with an exponent.
    Keys are sorted by UTF-16 code units as the RFC says.
    """
    plain = _sorted(normalize(value))
    if _any_float(plain, _unlike_es):
        return _write(plain, _es_text).encode("utf-8")
    return _compact.encode(plain).encode("utf-8")


def _sorted(value: JsonValue) -> JsonValue:
    if type(value) is dict:
        return {key: _sorted(value[key]) for key in sorted(value, key=lambda key: key.encode("utf-16-be"))}
    if type(value) is list:
        return [_sorted(item) for item in value]
    return value
