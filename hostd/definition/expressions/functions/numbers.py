"""Functions on numbers, and the ones that turn other values into numbers, texts and bools."""

from __future__ import annotations

import decimal
import math
import re
from typing import Any

from hostd.definition.expressions.functions.registry import Family
from hostd.definition.expressions.kinds import ANY, INT, NUMBER, WORDS, described, integral
from hostd.definition.expressions.leaving import text_of
from hostd.definition.expressions.limits import Evaluation
from hostd.definition.expressions.operators import finite, less, whole
from hostd.definition.expressions.problems import Missing, Problem
from hostd.definition.expressions.times import Timestamp
from hostd.values.json_text import EXACT, INT_MIN

NUMBERS = Family("Numbers and kinds")

_INT = re.compile(r"[+-]?[0-9]{1,19}")
_FLOAT = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_TRUE = frozenset({"true", "True", "TRUE", "t", "T", "1"})
_FALSE = frozenset({"false", "False", "FALSE", "f", "F", "0"})


def _as_int(value: float) -> int:
    """Return the int of a float without its fraction. Raises Problem past 64 bits; CEL counts -2^63 as past."""
    if value == INT_MIN:
        raise Problem("the number is not within 64 bits")
    return whole(int(value))


@NUMBERS.function("abs", "abs(x)", takes=(NUMBER,), example="abs(-2.5)", gives="2.5")
def _abs(run: Evaluation, value: float) -> float:
    """The number without its sign."""
    return whole(abs(value)) if type(value) is int else abs(value)


@NUMBERS.function("ceil", "ceil(x)", takes=(NUMBER,), example="ceil(1.2)", gives="2")
def _ceil(run: Evaluation, value: float) -> float:
    """The next whole number upwards."""
    return float(math.ceil(value)) if type(value) is float else value


@NUMBERS.function("floor", "floor(x)", takes=(NUMBER,), example="floor(-1.2)", gives="-2")
def _floor(run: Evaluation, value: float) -> float:
    """The next whole number downwards."""
    return float(math.floor(value)) if type(value) is float else value


@NUMBERS.function("trunc", "trunc(x)", takes=(NUMBER,), example="trunc(-1.7)", gives="-1")
def _trunc(run: Evaluation, value: float) -> float:
    """The number without its fraction."""
    return float(math.trunc(value)) if type(value) is float else value


@NUMBERS.function("round", "round(x[, digits])", takes=(NUMBER, INT), least=1, example="round(2.345, 2)", gives="2.35")
def _round(run: Evaluation, value: float, digits: int = 0) -> float:
    """The nearest number with so many digits behind the point (0); halves go away from zero."""
    if not -20 <= digits <= 20:
        raise Problem("round takes -20 to 20 digits")
    exact = decimal.Decimal(value) if digits == 0 else decimal.Decimal(repr(value))
    context = decimal.Context(prec=400, Emax=1_000, Emin=-1_000)
    rounded = exact.quantize(decimal.Decimal(1).scaleb(-digits), decimal.ROUND_HALF_UP, context)
    return whole(int(rounded)) if type(value) is int else finite(float(rounded))


@NUMBERS.function("sign", "sign(x)", takes=(NUMBER,), example="sign(-3)", gives="-1")
def _sign(run: Evaluation, value: float) -> int:
    """-1, 0 or 1."""
    return (value > 0) - (value < 0)


@NUMBERS.function("sqrt", "sqrt(x)", takes=(NUMBER,), example="sqrt(9)", gives="3")
def _sqrt(run: Evaluation, value: float) -> float:
    """The square root."""
    if value < 0:
        raise Problem("the root of a negative number is not a number")
    return math.sqrt(value)


@NUMBERS.function("pow", "pow(x, y)", takes=(NUMBER, NUMBER), example="pow(2, 10)", gives="1024")
def _pow(run: Evaluation, base: float, exponent: float) -> float:
    """x to the power of y, as a float."""
    try:
        return finite(math.pow(base, exponent))
    except (OverflowError, ValueError):
        raise Problem("the result is not a finite number") from None


@NUMBERS.function("intdiv", "intdiv(x, y)", takes=(INT, INT), example="intdiv(-7, 2)", gives="-3")
def _intdiv(run: Evaluation, dividend: int, divisor: int) -> int:
    """Division of whole numbers, without the rest: towards zero."""
    if divisor == 0:
        raise Problem("division by zero")
    quotient = abs(dividend) // abs(divisor)
    return whole(quotient if (dividend < 0) == (divisor < 0) else -quotient)


def _values(run: Evaluation, name: str, values: tuple[Any, ...]) -> list[Any]:
    items = values[0] if len(values) == 1 and type(values[0]) is list else list(values)
    if not items:
        raise Missing(f"{name} of an empty list is nothing; default({name}(x), y) gives y")
    run.walk_items(4 * len(items))
    return items


@NUMBERS.function("min", "min(list) or min(x, y, ...)", takes=(), least=1, more=ANY, example="min(3, 1, 2)", gives="1")
def _min(run: Evaluation, *values: Any) -> Any:
    """The smallest of numbers, texts or times."""
    items = _values(run, "min", values)
    least = items[0]
    for item in items:
        if less(run, item, least):
            least = item
    return least


@NUMBERS.function(
    "max", "max(list) or max(x, y, ...)", takes=(), least=1, more=ANY, example="max([3, 1, 2])", gives="3"
)
def _max(run: Evaluation, *values: Any) -> Any:
    """The largest of numbers, texts or times."""
    items = _values(run, "max", values)
    most = items[0]
    for item in items:
        if less(run, most, item):
            most = item
    return most


@NUMBERS.function("int", "int(x)", takes=(ANY,), example="int('42')", gives="42")
def _int(run: Evaluation, value: Any) -> int:
    """A whole number of a number (without its fraction), a text, or the seconds since 1970 of a timestamp."""
    if type(value) is int:
        return value
    if type(value) is float:
        return _as_int(value)
    if type(value) is Timestamp:
        return value.ns // 1_000_000_000
    if type(value) is str:
        if _INT.fullmatch(value):
            return whole(int(value))
        raise Problem("the text is not a whole number")
    raise Problem(f"int reads numbers, texts and timestamps, not {described(value)}; write x ? 1 : 0 for a bool")


@NUMBERS.function("float", "float(x)", takes=(ANY,), example="float('1.5')", gives="1.5")
def _float(run: Evaluation, value: Any) -> float:
    """A float of a number or a text; calculating with it never leaves 64 bits."""
    if type(value) in (int, float):
        return float(value)
    if type(value) is str:
        if len(value) <= 400 and _FLOAT.fullmatch(value):
            return finite(float(value))
        raise Problem("the text is not a number")
    raise Problem(f"float reads numbers and texts, not {described(value)}")


@NUMBERS.function("string", "string(x)", takes=(ANY,), example="string([1, true])", gives='"[1,true]"')
def _string(run: Evaluation, value: Any) -> str:
    """A value as text: as in a template, lists and maps as JSON."""
    if type(value) is str:
        return value
    text = text_of(value)
    run.make_chars(len(text))
    return text


@NUMBERS.function("bool", "bool(x)", takes=(ANY,), example="bool('true')", gives="true")
def _bool(run: Evaluation, value: Any) -> bool:
    """A bool of the texts true and false (also t, f, 1, 0)."""
    if type(value) is bool:
        return value
    if type(value) is str and value in _TRUE | _FALSE:
        return value in _TRUE
    if type(value) is str:
        raise Problem("the text is neither true nor false")
    raise Problem(f"bool reads the texts true and false, not {described(value)}; write a comparison, such as x != 0")


@NUMBERS.function("type", "type(x)", takes=(ANY,), example="type([1])", gives='"list"')
def _type(run: Evaluation, value: Any) -> str:
    """The kind of a value, as a text: null, bool, int, float, string, list, map, timestamp or duration."""
    if type(value) is float and integral(value) is not None and abs(value) <= EXACT:
        return "int"
    return WORDS[type(value)]


@NUMBERS.function("dyn", "dyn(x)", takes=(ANY,), example="dyn(1)", gives="1")
def _dyn(run: Evaluation, value: Any) -> Any:
    """The value itself; here for expressions written for other CEL engines."""
    return value
