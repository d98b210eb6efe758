"""Evaluations that fail say which part failed and why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hostd.errors.base import HostdError

INPUT = {"n": 3, "text": "abc", "none": None, "list": [1], "map": {"total": 1}}

CASES = [
    ("input.missing", "`input.missing`: there is no key `missing`; the keys are n, text"),
    ("input.map.totl.x", "`input.map.totl.x`: there is no key `totl`; the keys are total"),
    ("input.none.x", "`input.none` is null, and null has no members; default(input.none.x, y)"),
    ("input.n.real", "`input.n.real`: a number has no members"),
    ("input.text.upper", "`input.text.upper`: a text has no members"),
    ("input.list[1]", "`input.list[1]`: there is no item 1; the list has 1"),
    ("input.list[-1]", "last(x) is the last item"),
    ("input.list['a']", "`input.list['a']`"),
    ("input.list[0.5]", "whole numbers"),
    ("nowhere", "the context has no `nowhere`"),
    ("1 + 'a'", "`1 + 'a'`: cannot add a number and a text; string(x) makes a text"),
    ("input.none + 1", "default(x, y) puts y in the place of null"),
    ("true + true", "cannot add a bool and a bool"),
    ("1 < 'a'", "cannot compare"),
    ("[1] < [2]", "cannot compare a list and a list"),
    ("null < 1", "cannot compare"),
    ("1 / 0", "division by zero"),
    ("1.5 / 0", "division by zero"),
    ("1 % 0", "division by zero"),
    ("intdiv(1, 0)", "division by zero"),
    ("1.5 % 1", "% takes whole numbers"),
    ("9223372036854775807 + 1", "not within 64 bits"),
    ("-9223372036854775807 - 2", "not within 64 bits"),
    ("9223372036854775807 * 2", "not within 64 bits"),
    ("-(-9223372036854775808)", "not within 64 bits"),
    ("abs(-9223372036854775808)", "not within 64 bits"),
    ("1e308 * 10", "not a finite number"),
    ("int(1e30)", "not within 64 bits"),
    ("int('12x')", "not a whole number"),
    ("float('nan')", "not a number"),
    ("sqrt(-1)", "not a number"),
    ("pow(0, -1)", "not a finite number"),
    ("!1", "`!1`: `!` takes true or false"),
    ("1 && true", "`1`: true or false is needed here, not a number"),
    ("input.missing && true", "there is no key `missing`"),
    ("1 ? 2 : 3", "true or false is needed here"),
    ("'a' in 'abc'", "x.contains(y) looks into a text"),
    ("[1].map(x, x.y)", "`x.y`: a number has no members"),
    ("input.n.map(x, x)", "map walks a list or a map, not a number"),
    ("input.none.filter(x, x)", "default(x, []) stands for null"),
    ("[1].filter(x, x)", "true or false is needed"),
    ("input.n.startsWith('a')", "startsWith takes a text as argument 1, not a number; string(x) makes one"),
    ("has(input.none.x)", "null has no members"),
    ("'a'.repeat(-1)", "less than 0"),
    ("[1, 'a'].sort()", "cannot compare"),
    ("[1].join()", "join takes a list of texts"),
    ("'abc'.substring(2, 1)", "there are no characters 2 to 1"),
    ("timestamp('yesterday')", "is not a time such as"),
    ("timestamp('2026-02-30T00:00:00Z')", "names no day or time"),
    ("timestamp('9999-12-31T23:59:59Z') + duration('1s')", "outside the years"),
    ("duration('5 minutes')", "is not a duration such as"),
    ("now().getHours('Mars/Olympus')", "there is no time zone"),
    ("now().getHours('../../etc/passwd')", "there is no time zone"),
    ("formatTime(now(), '%Q')", "is not known"),
    ("'a'.matches('(' + 'x')", "the pattern is not one of RE2"),
    ("json.parse('{')", "the text is not JSON"),
    ("base64.decode('***')", "not base64"),
    ("base64.decode('/w==')", "not text in UTF-8"),
    ("'%d'.format(['a'])", "%d takes a whole number"),
    ("'%s %s'.format([1])", "more verbs than values"),
    ("{'a': 1, 'a' + '': 2}", "a key stands twice"),
    ("{null: 1}", "a key of a map is a text"),
    ("default(1 / 0, 2)", "division by zero"),
]


@pytest.mark.parametrize("source, said", CASES)
def test_failure_names_part_and_reason(value_of: Callable[..., Any], source: str, said: str) -> None:
    """A failed evaluation is EXPRESSION_FAILED and its message names the part that failed."""
    with pytest.raises(HostdError) as caught:
        value_of(source, input=INPUT)
    assert caught.value.reason == "EXPRESSION_FAILED"
    assert said in caught.value.message


def test_message_holds_no_value_of_the_input(value_of: Callable[..., Any]) -> None:
    """Values may be private; messages tell only their kinds."""
    with pytest.raises(HostdError) as caught:
        value_of("input.password + 1", input={"password": "hunter2"})
    assert "hunter2" not in str(caught.value)
