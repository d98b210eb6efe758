"""What the operators mean: CEL's meaning, but that int and float mix and `/` is always float division."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from hostd.definition.expressions.kinds import described, integral
from hostd.definition.expressions.limits import Evaluation
from hostd.definition.expressions.problems import Missing, Problem
from hostd.definition.expressions.times import Duration, Timestamp, duration_of, timestamp_of
from hostd.values.json_text import INT_MAX, INT_MIN

ABSENT: Any = object()


def whole(value: int) -> int:
    """Return an int that is within 64 bits. Raises Problem."""
    if INT_MIN <= value <= INT_MAX:
        return value
    raise Problem("the result is not within 64 bits; float(x) calculates with larger numbers")


def finite(value: float) -> float:
    """Return a float that is a number. Raises Problem."""
    if math.isfinite(value):
        return value
    raise Problem("the result is not a finite number")


def _number(value: Any) -> bool:
    return type(value) is int or type(value) is float


def _wrong(verb: str, left: Any, right: Any) -> Problem:
    if left is None or right is None:
        return Problem(
            f"cannot {verb} {described(left)} and {described(right)}; default(x, y) puts y in the place of null"
        )
    hint = ""
    if str in (type(left), type(right)) and type(left) is not type(right):
        hint = "; string(x) makes a text" if verb == "add" else "; int(x) and float(x) read numbers from text"
    return Problem(f"cannot {verb} {described(left)} and {described(right)}{hint}")


def add(run: Evaluation, left: Any, right: Any) -> Any:
    """`+`: numbers, texts, lists, times."""
    kind, other = type(left), type(right)
    if kind is int and other is int:
        return whole(left + right)
    if _number(left) and _number(right):
        return finite(left + right)
    if kind is str and other is str:
        run.make_chars(len(left) + len(right))
        return left + right
    if kind is list and other is list:
        run.make_items(len(left) + len(right))
        return left + right
    if {kind, other} == {Timestamp, Duration}:
        return timestamp_of(left.ns + right.ns)
    if kind is Duration and other is Duration:
        return duration_of(left.ns + right.ns)
    raise _wrong("add", left, right)


def subtract(run: Evaluation, left: Any, right: Any) -> Any:
    """`-`: numbers, times."""
    kind, other = type(left), type(right)
    if kind is int and other is int:
        return whole(left - right)
    if _number(left) and _number(right):
        return finite(left - right)
    if kind is Timestamp and other is Timestamp:
        return duration_of(left.ns - right.ns)
    if kind is Timestamp and other is Duration:
        return timestamp_of(left.ns - right.ns)
    if kind is Duration and other is Duration:
        return duration_of(left.ns - right.ns)
    raise _wrong("subtract", left, right)


def multiply(run: Evaluation, left: Any, right: Any) -> Any:
    """`*`: numbers."""
    if type(left) is int and type(right) is int:
        return whole(left * right)
    if _number(left) and _number(right):
        return finite(left * right)
    raise _wrong("multiply", left, right)


def divide(run: Evaluation, left: Any, right: Any) -> Any:
    """`/`: always float division."""
    if not (_number(left) and _number(right)):
        raise _wrong("divide", left, right)
    if right == 0:
        raise Problem("division by zero")
    try:
        return finite(left / right)
    except OverflowError:
        raise Problem("the result is not a finite number") from None


def remainder(run: Evaluation, left: Any, right: Any) -> Any:
    """`%`: whole numbers; the sign is that of the left side, as in CEL."""
    if not (_number(left) and _number(right)):
        raise _wrong("divide", left, right)
    dividend, divisor = integral(left), integral(right)
    if dividend is None or divisor is None:
        raise Problem("% takes whole numbers; x - y * floor(x / y) works for others")
    if divisor == 0:
        raise Problem("division by zero")
    if dividend == INT_MIN and divisor == -1:
        raise Problem("the result is not within 64 bits")
    rest = abs(dividend) % abs(divisor)
    return -rest if dividend < 0 else rest


def negate(value: Any) -> Any:
    """`-x`."""
    if type(value) is int:
        return whole(-value)
    if type(value) is float:
        return -value
    raise Problem(f"cannot negate {described(value)}")


_ORDERED = (str, bool, Timestamp, Duration)


def comparable(left: Any, right: Any) -> None:
    """Raise Problem unless `<` has a meaning for the two."""
    if _number(left) and _number(right):
        return
    if type(left) is not type(right) or type(left) not in _ORDERED:
        raise _wrong("compare", left, right)


def less(run: Evaluation, left: Any, right: Any) -> bool:
    """`<`: numbers, texts by code point, false before true, times."""
    comparable(left, right)
    return bool(left < right)


def less_equal(run: Evaluation, left: Any, right: Any) -> bool:
    """`<=`."""
    comparable(left, right)
    return not right < left


def greater(run: Evaluation, left: Any, right: Any) -> bool:
    """`>`."""
    comparable(left, right)
    return bool(right < left)


def greater_equal(run: Evaluation, left: Any, right: Any) -> bool:
    """`>=`."""
    comparable(left, right)
    return not left < right


def equal(run: Evaluation, left: Any, right: Any) -> bool:
    """`==`: numbers by value, everything else only within its kind; lists and maps by their parts."""
    kind, other = type(left), type(right)
    if kind is not other:
        return _number(left) and _number(right) and bool(left == right)
    if kind is list:
        return _equal_lists(run, left, right)
    if kind is dict:
        return _equal_maps(run, left, right)
    if kind is str:
        run.walk_chars(len(left))
    return bool(left == right)


def not_equal(run: Evaluation, left: Any, right: Any) -> bool:
    """`!=`."""
    return not equal(run, left, right)


def _equal_lists(run: Evaluation, left: list[Any], right: list[Any]) -> bool:
    if len(left) != len(right):
        return False
    run.charge(1 + len(left) // 8)
    return all(equal(run, one, two) for one, two in zip(left, right, strict=True))


def _equal_maps(run: Evaluation, left: dict[Any, Any], right: dict[Any, Any]) -> bool:
    if len(left) != len(right):
        return False
    run.charge(1 + len(left) // 8)
    for key, value in left.items():
        other = find_key(right, key)
        if other is ABSENT or not equal(run, value, other):
            return False
    return True


def contains(run: Evaluation, item: Any, within: Any) -> bool:
    """`in`: an item of a list, or a key of a map."""
    if type(within) is dict:
        return find_key(within, item) is not ABSENT
    if type(within) is list:
        run.walk_items(len(within) * 4)
        return any(equal(run, item, other) for other in within)
    if type(within) is str:
        raise Problem("`in` looks into lists and maps; x.contains(y) looks into a text")
    raise Problem(f"`in` looks into lists and maps, not into {described(within)}")


def find_key(within: dict[Any, Any], key: Any) -> Any:
    """Return the value under a key, or ABSENT. Keys written in expressions may be whole numbers and bools.

    Raises:
        Problem: the key is of a kind that no key has.
    """
    if type(key) is str:
        return within.get(key, ABSENT)
    if type(key) is bool:
        return next((value for own, value in within.items() if own is key), ABSENT)
    if not _number(key):
        raise Problem(f"{described(key)} is no key of a map; keys are texts")
    number = integral(key)
    if number is None:
        return ABSENT
    return next((value for own, value in within.items() if type(own) is int and own == number), ABSENT)


def index(of: Any, key: Any) -> Any:
    """Return `of[key]`. Raises Missing, or Problem for kinds that have no items."""
    if type(of) is dict:
        value = find_key(of, key)
        if value is ABSENT:
            raise Missing(f"there is no key {_key_text(key)}{_keys_hint(of, key)}")
        return value
    if type(of) is list:
        return _item(of, key)
    if of is None:
        raise Missing("null has no members")
    raise Problem(f"{described(of)} has no members")


def _item(of: list[Any], key: Any) -> Any:
    position = integral(key)
    if position is None:
        raise Problem(f"a list takes whole numbers in brackets, not {described(key)}")
    if not 0 <= position < len(of):
        hint = "; last(x) is the last item" if position < 0 else ""
        raise Missing(f"there is no item {position}; the list has {len(of)}, counted from 0{hint}")
    return of[position]


def _key_text(key: Any) -> str:
    return f"`{key[:60]}`" if type(key) is str else f"of that kind ({described(key)})"


def _keys_hint(of: dict[Any, Any], key: Any) -> str:
    if not of:
        return "; the map is empty"
    names = [str(name)[:40] for name in of if type(name) is str]
    shown = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
    return f"; the keys are {shown}" if shown and type(key) is str else ""


Operator = Callable[[Evaluation, Any, Any], Any]

BINARY: dict[str, Operator] = {
    "+": add,
    "-": subtract,
    "*": multiply,
    "/": divide,
    "%": remainder,
    "<": less,
    "<=": less_equal,
    ">": greater,
    ">=": greater_equal,
    "==": equal,
    "!=": not_equal,
    "in": contains,
}
