"""The number rule on every road, JSON text in and out, and the canonical form."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hostd.errors.base import HostdError
from hostd.values.json_text import (
    EXACT,
    INT_MAX,
    INT_MIN,
    MAX_DEPTH,
    canonical_json,
    dump_json,
    normalize,
    parse_json,
    rule_float,
)

FLOATS = st.floats(allow_nan=False, allow_infinity=False)
HUGE = pytest.param(10**5000, id="huge")
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(INT_MIN, INT_MAX) | FLOATS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)


def same(left, right):
    """Say whether two values are equal with equal types everywhere (1 and 1.0 and True are not)."""
    if type(left) is not type(right):
        return False
    if isinstance(left, dict):
        return list(left) == list(right) and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list):
        return len(left) == len(right) and all(map(same, left, right))
    return left == right


@given(VALUES)
@example(float(EXACT))
@example(EXACT + 1)
@example(9007199254740994.0)
@example(-9.007199254740994e15)
@example(1e16)
@example(-0.0)
@example({"a": [1e22, 1e-7, 5e-324, 1.7976931348623157e308]})
def test_what_is_written_reads_back_as_the_same_value(value):
    """Journal form: one round is the identity on values under the rule, types and key order included."""
    plain = normalize(value)
    assert same(parse_json(dump_json(value)), plain)
    assert dump_json(plain) == dump_json(value)


@given(VALUES)
def test_the_canonical_form_reads_back_as_an_equal_value_and_is_its_own_canonical_form(value):
    """Comparing texts is comparing values."""
    text = canonical_json(value)
    assert parse_json(text) == normalize(value)
    assert canonical_json(parse_json(text)) == text


@given(FLOATS)
def test_a_float_is_an_int_exactly_where_the_rule_says(value):
    """Integral and within 2^53 is that int; everything else stays a float."""
    ruled = rule_float(value)
    assert ruled == value
    assert (type(ruled) is int) == (value.is_integer() and abs(value) <= EXACT)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("1.0", 1),
        ("1e2", 100),
        ("-0", 0),
        ("-0.0", 0),
        ("9007199254740992.0", EXACT),
        ("9007199254740993", EXACT + 1),
        ("9007199254740993.0", EXACT),
        ("9223372036854775807", INT_MAX),
        ("-9223372036854775808", INT_MIN),
        ("1e16", 1e16),
        ("10000000000000000", 10**16),
        ("0.5", 0.5),
    ],
)
def test_numbers_are_read_by_how_they_are_written(text, value):
    """No fraction and no exponent is an int; a float that is integral up to 2^53 is one too."""
    assert same(parse_json(text), value)
    assert same(parse_json(f"[{text}]"), [value])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (9007199254740994.0, "9.007199254740994e+15"),
        (-1e15 * 9.5, "-9.5e+15"),
        (1e16, "1e+16"),
        (10**16, "10000000000000000"),
    ],
)
def test_a_large_float_is_written_with_an_exponent(value, text):
    """Digits alone would read back as an int, also deep inside and beside other values."""
    assert dump_json(value).decode() == text
    assert dump_json({"a": [1, value, "é"]}).decode() == f'{{"a":[1,{text},"é"]}}'


@pytest.mark.parametrize(
    "text", ["9223372036854775808", "-9223372036854775809", "1" * 5000, "1e400", "NaN", "Infinity", "-Infinity"]
)
def test_numbers_out_of_range_are_refused_at_the_door(text):
    """With NUMBER_OUT_OF_RANGE, and quickly."""
    with pytest.raises(HostdError, match="NUMBER_OUT_OF_RANGE"):
        parse_json(text)


@pytest.mark.parametrize(
    "value", [math.nan, math.inf, -math.inf, 2**63, -(2**63) - 1, pytest.param(10**5000, id="huge")]
)
def test_numbers_out_of_range_are_refused_from_python(value):
    """What an action returns is under the same rule."""
    for road in (normalize, dump_json, canonical_json):
        with pytest.raises(HostdError, match="NUMBER_OUT_OF_RANGE"):
            road({"x": [value]})


@pytest.mark.parametrize(
    ("value", "text"),
    [
        # RFC 8785, appendix B
        (5e-324, "5e-324"),
        (-5e-324, "-5e-324"),
        (1.7976931348623157e308, "1.7976931348623157e+308"),
        (9.999999999999997e22, "9.999999999999997e+22"),
        (1e23, "1e+23"),
        (1.0000000000000001e23, "1.0000000000000001e+23"),
        (9.999999999999997e-7, "9.999999999999997e-7"),
        (0.000001, "0.000001"),
        (333333333.3333332, "333333333.3333332"),
        (333333333.33333343, "333333333.33333343"),
        (-0.0000033333333333333333, "-0.0000033333333333333333"),
        (1424953923781206.2, "1424953923781206.2"),
        # where Python writes another text
        (0.00001, "0.00001"),
        (1e-7, "1e-7"),
        (1.5e-10, "1.5e-10"),
        # stated differences: integers whatever their size, other floats past 2^53 with an exponent
        (9007199254740993, "9007199254740993"),
        (999999999999999900000.0, "9.999999999999999e+20"),
        (1e20, "1e+20"),
        (295147905179352830000.0, "2.9514790517935283e+20"),
    ],
)
def test_canonical_numbers_are_those_of_rfc_8785(value, text):
    """Also inside containers."""
    assert canonical_json(value).decode() == text
    assert canonical_json([value]).decode() == f"[{text}]"


def test_canonical_keys_are_sorted_by_utf_16_code_units():
    """The example of RFC 8785, 3.2.3: a surrogate pair sorts before U+FB33."""
    keys = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\u0080", "\u00f6"]
    expected = ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]
    assert list(json.loads(canonical_json(dict.fromkeys(keys, 0)))) == expected


def test_canonical_text_escapes_only_what_it_must():
    """RFC 8785, 3.2.2.2: short escapes, lower-case \\u00xx, all else as it is."""
    assert canonical_json('€$\x0f\nA\'B"\\\\"/\x7f').decode() == '"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/\x7f"'


def test_the_journal_form_keeps_key_order_and_the_canonical_form_does_not():
    """Two requests that differ in order only are the same request."""
    assert dump_json({"b": 1, "a": 2}) == b'{"b":1,"a":2}'
    assert canonical_json({"b": 1.0, "a": 2}) == canonical_json({"a": 2, "b": 1}) == b'{"a":2,"b":1}'


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[1,]",
        "01",
        "{'a':1}",
        '"\x01"',
        b"\xff",
        b'"\xed\xa0\x80"',
        '"\\ud800"',
        '"\ud800"',
        '{"a":1,"a":1}',
        '{"x":{"b":1,"b":2}}',
        "1 2",
        "\ufeff1",
    ],
)
def test_what_is_not_json_in_utf_8_is_refused(text):
    """Lone surrogates and keys that stand twice too: two readers could see two values."""
    with pytest.raises(HostdError, match="PAYLOAD_INVALID"):
        parse_json(text)


def test_nesting_is_bounded_on_both_roads():
    """64 levels are fine, 65 are refused, and a hundred thousand are refused without harm."""
    for left, right in (("[", "]"), ('{"a":', "}")):
        value = parse_json(left * MAX_DEPTH + "1" + right * MAX_DEPTH)
        assert parse_json(dump_json(value)) == value
        for depth in (MAX_DEPTH + 1, 100_000):
            with pytest.raises(HostdError, match="PAYLOAD_INVALID"):
                parse_json(left * depth + "1" + right * depth)
        with pytest.raises(HostdError, match="PAYLOAD_INVALID"):
            dump_json([value])
    loop: list[object] = []
    loop.append(loop)
    with pytest.raises(HostdError, match="PAYLOAD_INVALID"):
        normalize(loop)


def test_brackets_in_texts_and_side_by_side_are_not_nesting():
    """Width is not depth."""
    assert len(parse_json("[" + ",".join(['["[[[["]'] * 1_000) + "]")) == 1_000


@pytest.mark.parametrize("value", [{1: 2}, b"x", {1, 2}, object(), "\ud800", {"\ud800": 1}, 1j])
def test_what_json_cannot_say_is_refused(value):
    """Bytes, sets, numbers as keys, lone surrogates: nothing is converted in silence."""
    with pytest.raises(HostdError, match="PAYLOAD_INVALID"):
        normalize([value])


def test_tuples_and_subclasses_become_plain():
    """A copy of JSON's types only, which shares nothing that can change."""
    import enum

    class Color(enum.StrEnum):
        RED = "red"

    class Level(enum.IntEnum):
        HIGH = 3

    inner = [1.0]
    plain = normalize({"a": (Color.RED, Level.HIGH, inner, True)})
    assert same(plain, {"a": ["red", 3, [1], True]})
    inner.append(2)
    assert plain == {"a": ["red", 3, [1], True]}
