"""The table of functions: each example is true, and the reference page holds the table."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hostd.definition.expressions.functions.catalogue import ALIASES, FAMILIES, FUNCTIONS
from hostd.definition.expressions.functions.registry import Function
from hostd.definition.expressions.reference import function_reference

ALL = [function for family in FAMILIES for function in family.functions]
PAGE = Path(__file__).parents[4] / "docs" / "reference" / "expressions.md"


@pytest.mark.parametrize("function", ALL, ids=lambda function: function.name)
def test_example_gives_what_it_says(value_of: Callable[..., Any], function: Function) -> None:
    """Every function has a sentence and an example, and the example's value is the one printed."""
    assert function.summary.endswith(".")
    assert function.name in function.usage
    value = value_of(function.example[0], input={})
    if function.example[1]:
        assert value == json.loads(function.example[1])


def test_names_are_given_once() -> None:
    """No function hides another."""
    assert len(FUNCTIONS) == len(ALL) + len(ALIASES)


def test_reference_page_holds_the_table() -> None:
    """The page ends with the generated tables; write them there again when this fails."""
    assert PAGE.read_text(encoding="utf-8").partition("\n## Functions\n\n")[2] == function_reference()


@pytest.mark.parametrize(
    "source, expected",
    [
        ("'a,b,c,d'.split(',', 2)", ["a", "b,c,d"]),
        ("'abc'.split('')", ["a", "b", "c"]),
        ("'abc'.split('', 2)", ["a", "bc"]),
        ("''.split(',')", [""]),
        ("'a'.split(',', 0)", []),
        ("'aXbX'.replace('X', '--')", "a--b--"),
        ("'abc'.replace('', '-')", "-a-b-c-"),
        ("'abc'.indexOf('')", 0),
        ("'abcabc'.lastIndexOf('bc', 3)", 1),
        ("'%d %x %X %o %b %e %.1f %s %s %%'.format([255, 255, 'hi', 8, 5, 1200.0, 0.25, null, [1.0]])",
         "255 ff 6869 10 101 1.200000e+03 0.2 null [1] %"),
        ("[1, [2, [3, [4]]]].flatten(2)", [1, 2, 3, [4]]),
        ("[1, 1.0, true, '1', [1], [1.0], {'a': 1}, {'a': 1}].distinct()", [1, True, "1", [1], {"a": 1}]),
        ("range(5, 0, -2)", [5, 3, 1]),
        ("range(3, 1)", []),
        ("zip([1, 2, 3], ['a'])", [[1, "a"]]),
        ("sum([duration('1m'), duration('30s')])", "1m30s"),
        ("sum([])", 0),
        ("max([timestamp(5), timestamp(9)])", "1970-01-01T00:00:09Z"),
        ("['b', 'a', 'C'].sort()", ["C", "a", "b"]),
        ("entries({'b': 1, 'a': 2}).map(e, e.key)", ["b", "a"]),
        ("toMap(entries({'a': 1}))", {"a": 1}),
        ("regex.replace('john smith', '(\\\\w+) (\\\\w+)', '\\\\2 \\\\1')", "smith john"),
        ("regex.extract('none', '[0-9]')", None),
        ("url.decode(url.encode('ä /?&=+%'))", "ä /?&=+%"),
        ("base64.decode(base64.encode('hé'))", "hé"),
        ("json.parse(json.format({'a': [1.5, 1e300, null]}))", {"a": [1.5, 1e300, None]}),
        ("string(123456789012345680000.0)", "1.2345678901234568e+20"),
        ("timestamp('2026-01-04T09:05:07.080Z').formatTime('%a %A %b %B %j %I%p %L %u %V %G %z', 'America/New_York')",
         "Sun Sunday Jan January 004 04AM 080 7 01 2026 -05:00"),
        ("duration('1h2m3.004s').getMinutes()", 62),
        ("duration('1h2m3.004s').getMilliseconds()", 4),
    ],
)  # fmt: skip
def test_finer_points(value_of: Callable[..., Any], source: str, expected: Any) -> None:
    """Limits, empty values and other edges of single functions."""
    assert value_of(source) == expected
