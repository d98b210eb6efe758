"""What expressions mean: one line a case."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

INPUT = {
    "n": 3,
    "half": 0.5,
    "name": "Ada",
    "none": None,
    "roles": ["admin", "dev"],
    "user": {"age": 36, "e-mail": "a@b", "__class__": 1},
    "rows": [{"id": 1, "ok": True}, {"id": 2, "ok": False}],
}

CASES = [
    # literals
    ("1", 1),
    ("0x1F", 31),
    ("-9223372036854775808", -(2**63)),
    ("9223372036854775807", 2**63 - 1),
    ("1.5e3", 1500),
    (".5", 0.5),
    (r"'a\n\t\x41\u00e9\U0001F600\101\'\`'", "a\n\tAé😀A'`"),
    (r"r'a\n'", "a\\n"),
    ("'''a\n'b'''", "a\n'b"),
    ('r"""x\\y"""', "x\\y"),
    ("true", True),
    ("null", None),
    ("[1, 2,]", [1, 2]),
    ("{'a': 1, 'b': [null]}", {"a": 1, "b": [None]}),
    ("{1: 'x'}[1.0] + {true: 'y'}[true]", "xy"),
    ("{1: 'x', false: 0}", {"1": "x", "false": 0}),
    ("1 // a comment\n + 2", 3),
    # numbers: int and float mix, `/` is float division, integral floats are ints
    ("1 + 0.5", 1.5),
    ("0.5 + 0.5", 1),
    ("7 / 2", 3.5),
    ("4 / 2", 2),
    ("-7 % 3", -1),
    ("7.0 % 2", 1),
    ("1 == 1.0", True),
    ("9007199254740993 == 9007199254740992.0", False),
    ("9223372036854775807 * 1.0", 9223372036854775807.0),
    ("2 * 3 + 4 * 5", 26),
    ("10 - 2 - 3", 5),
    ("-(-3)", 3),
    ("--3", 3),
    ("0.1 + 0.2", 0.1 + 0.2),
    ("1e20", 1e20),
    # comparing
    ("'a' < 'b' && 'Z' < 'a' && '\\U0001F600' > '\\uFFFD'", True),
    ("false < true", True),
    ("1 == '1'", False),
    ("true == 1", False),
    ("[1, 2.0] == [1.0, 2]", True),
    ("{'a': true} == {'a': 1}", False),
    ("null == null", True),
    ("input.none != null", False),
    ("1 in [2, 1.0]", True),
    ("true in [1]", False),
    ("'age' in input.user && !('x' in input.user)", True),
    # reading
    ("input.user.age", 36),
    ("input.user['e-mail']", "a@b"),
    ("input.user.`e-mail`", "a@b"),
    ("input.user['a' + 'ge']", 36),
    ("input.roles[1]", "dev"),
    ("input.roles[2.0 - 1]", "dev"),
    ("input.rows[0].id", 1),
    ("input.user.__class__", 1),
    # logic absorbs errors of the other side
    ("input.missing || true", True),
    ("true || input.missing", True),
    ("input.missing && false", False),
    ("1 && false", False),
    ("input.n > 2 ? 'big' : input.missing", "big"),
    ("false ? 1 : true ? 2 : 3", 2),
    # has, default
    ("has(input.n)", True),
    ("has(input.none)", True),
    ("has(input.missing)", False),
    ("default(input.missing.deeper, 7)", 7),
    ("default(input.none, 7)", 7),
    ("default(input.none.deeper, 7)", 7),
    ("default(input.roles[9], 'none')", "none"),
    ("default(nowhere.at.all, 1)", 1),
    ("default(int(input.missing) + 1, 7)", 7),
    ("default(false, true)", False),
    ("input.missing.default(5)", 5),
    ("default(default(input.a, input.b), 'c')", "c"),
    ("default([].first(), 0) + default(max([]), 1)", 1),
    # macros
    ("[1, 2].all(x, x > 0)", True),
    ("[].all(x, x.nonsense)", True),
    ("['a', 1].exists(x, x > 0)", True),
    ("['a', 0].all(x, x > 0)", False),
    ("input.user.exists(k, k == 'age')", True),
    ("[1, 2, 3].exists_one(x, x == 2)", True),
    ("input.rows.filter(r, r.ok).map(r, r.id)", [1]),
    ("[1, 2, 3].map(x, x > 1, x * 10)", [20, 30]),
    ("[1, 2].map(x, [10, 20].map(y, x * y))", [[10, 20], [20, 40]]),
    ("[1, 2].map(x, [x].map(x, x + 1)[0] + x)", [3, 5]),
    ("['outer'].map(input, input)", ["outer"]),
    ("['outer'].map(input, .input.n)", [3]),
    # either way to call
    ("size(input.roles) + input.roles.size()", 4),
    ("[3, 1].sort() == sort([3, 1])", True),
    ("math.greatest(1, 2.5)", 2.5),
    # times
    ("timestamp('2026-01-31T12:00:00Z') + duration('1h30m')", "2026-01-31T13:30:00Z"),
    ("timestamp('2026-02-01T00:00:00Z') - timestamp('2026-01-31T12:00:00Z')", "12h"),
    ("duration('1.0005s')", "1s0.5ms"),
    ("duration('-90s')", "-1m30s"),
    ("duration('1d') > duration('23h')", True),
    ("timestamp('2026-01-31T12:00:00+01:00') == timestamp('2026-01-31T11:00:00Z')", True),
    ("now()", "2026-01-31T12:00:00Z"),
    ("timestamp('2026-03-29T01:30:00Z').getHours('Europe/Berlin')", 3),
    ("timestamp('2026-03-29T01:30:00Z').getHours('-02:00')", 23),
    ("string(duration('61s'))", "1m1s"),
    ("{'at': timestamp(0)}", {"at": "1970-01-01T00:00:00Z"}),
    # kinds
    ("string(1.0) + string(1.5) + string(null) + string(true)", "11.5nulltrue"),
    ("int(-2.9)", -2),
    ("intdiv(-7, 2)", -3),
    ("type(1.0) + type(1.5)", "intfloat"),
    # status
    ("succeeded() && !failed()", True),
]


@pytest.mark.parametrize("source, expected", CASES)
def test_value(value_of: Callable[..., Any], source: str, expected: Any) -> None:
    """An expression has the value the language says, of the type it says."""
    value = value_of(source, input=INPUT)
    assert value == expected
    assert type(value) is type(expected)


def test_integral_results_are_ints_everywhere(value_of: Callable[..., Any]) -> None:
    """The number rule holds inside lists and maps that an expression makes."""
    value = value_of("[4 / 2, {'a': 1.5 * 2, 'b': 9007199254740994.0}]")
    assert [type(value[0]), type(value[1]["a"]), type(value[1]["b"])] == [int, int, float]


def test_condition_may_stand_in_braces(value_of: Callable[..., Any]) -> None:
    """`${{ x }}` around a whole expression changes nothing."""
    assert value_of(" ${{ input.n > 2 }} ", input=INPUT) is True


def test_rounding_goes_away_from_zero(value_of: Callable[..., Any]) -> None:
    """Halves are rounded away from zero, and digits are those that are written."""
    assert value_of("[round(0.5), round(-0.5), round(2.5), round(1.005, 2), round(1250, -2)]") == [1, -1, 3, 1.01, 1300]
    assert value_of("round(0.49999999999999994)") == math.floor(0.49999999999999994)
