"""JSON text in and out under the one number rule.

A number written without fraction and exponent and inside int64 is an int, every other finite number a float64; a float
that is integral with |n| <= 2^53 *is* that int; larger floats are written with an exponent. NaN, infinities and larger
integers are refused. Duplicate keys are refused too: two readers could see two different values.
"""

from __future__ import annotations

import json
import math
from typing import Any, TypeAlias

from hostd.errors.base import HostdError, Kind

JsonValue: TypeAlias = "None | bool | int | float | str | list[JsonValue] | dict[str, JsonValue]"

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


def _too_deep(text: str) -> bool:
    """Say whether brackets nest past MAX_DEPTH. Most texts have fewer brackets than that and need no walk."""
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return False
    depth = deepest = 0
    in_string = escaped = False
    for char in text:
        if in_string:
            if escaped:
                escaped = False
            elif char == "\\":
                escaped = True
            elif char == '"':
                in_string = False
        elif char == '"':
            in_string = True
        elif char in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif char in "]}":
            depth -= 1
    return deepest > MAX_DEPTH


def parse_json(data: bytes | str) -> JsonValue:
    """Return the value of JSON text under the number rule.

    Raises:
        HostdError: PAYLOAD_INVALID (not UTF-8, not JSON, a duplicate key, nested past 64) or NUMBER_OUT_OF_RANGE.
    """
    try:
        text = data if isinstance(data, str) else data.decode("utf-8")
        if _too_deep(text):
            raise HostdError(Kind.INVALID, "PAYLOAD_INVALID", f"the JSON text is nested deeper than {MAX_DEPTH}")
        value = _decoder.decode(text)
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode("utf-8")  # lone surrogates cannot be written again
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


class _Exponent(float):
    """A float whose repr always carries an exponent: past 2^53 digits alone would read back as an int."""

    def __repr__(self) -> str:
        text = float.__repr__(float(self))
        if "e" in text:
            return text
        digits = text.partition(".")[0]
        sign, digits = ("-", digits[1:]) if digits.startswith("-") else ("", digits)
        mantissa = f"{digits[0]}.{digits[1:]}".rstrip("0").rstrip(".")
        return f"{sign}{mantissa}e{len(digits) - 1}"


def _mark_large(value: JsonValue) -> JsonValue:
    if type(value) is float and abs(value) > EXACT:
        return _Exponent(value)
    if type(value) is dict:
        return {key: _mark_large(item) for key, item in value.items()}
    if type(value) is list:
        return [_mark_large(item) for item in value]
    return value


def _has_large(value: JsonValue) -> bool:
    kind = type(value)
    if kind is float:
        return EXACT < abs(value) < 1e16  # type: ignore[arg-type]
    if kind is dict:
        return any(_has_large(item) for item in value.values())  # type: ignore[union-attr]
    if kind is list:
        return any(_has_large(item) for item in value)  # type: ignore[union-attr]
    return False


_compact = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), check_circular=False)


class _SlowEncoder(json.JSONEncoder):
    """The pure Python encoder, whose float text we can choose (the C one always writes float.__repr__)."""

    def iterencode(self, o: Any, _one_shot: bool = False) -> Any:
        encode_text = json.encoder.encode_basestring
        return json.encoder._make_iterencode(  # type: ignore[attr-defined]
            None, self.default, encode_text, None, repr, ":", ",", False, False, False
        )(o, 0)


def _write(value: JsonValue) -> bytes:
    if _has_large(value):
        return "".join(_SlowEncoder().iterencode(_mark_large(value))).encode("utf-8")
    return _compact.encode(value).encode("utf-8")


def dump_json(value: Any) -> bytes:
    """Return the journal form of a value: compact UTF-8 JSON text in the given key order, numbers under the rule.

    Raises:
        HostdError: PAYLOAD_INVALID or NUMBER_OUT_OF_RANGE, as `normalize`.
    """
    return _write(normalize(value))


def canonical_json(value: Any) -> bytes:
    """Return the form requests are compared in.

    RFC 8785, except that integers are written whatever their size and other floats past 2^53 with an exponent.
    Keys are sorted by UTF-16 code units as the RFC says.
    """
    return _write(_sorted(normalize(value)))


def _sorted(value: JsonValue) -> JsonValue:
    if type(value) is dict:
        return {key: _sorted(value[key]) for key in sorted(value, key=lambda key: key.encode("utf-16-be"))}
    if type(value) is list:
        return [_sorted(item) for item in value]
    return value
