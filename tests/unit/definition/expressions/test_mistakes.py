"""Sources that cannot be compiled: where, why, and what to write instead."""

from __future__ import annotations

import pytest

from hostd.definition.expressions.expression import compile_expression
from hostd.errors.base import HostdError, Violation

ROOTS = frozenset({"input", "run", "steps", "env"})

CASES = [
    # source, column, part of the message, part of the suggestion
    ("", 1, "is empty", ""),
    ("input.n = 1", 9, "`=`", "=="),
    ("input.n === 1", 9, "`===`", "=="),
    ("input.a and input.b", 9, "`and`", "&&"),
    ("input.a or input.b", 9, "`or`", "||"),
    ("not input.a", 1, "`not`", "!"),
    ("input.a & input.b", 9, "`&`", "&&"),
    ("input.a | upper", 9, "`|`", "||"),
    ("input.a ?? 1", 10, "`?`", "default(x, y)"),
    ("input.a ?: 1", 10, "`:`", "default(x, y)"),
    ("input.?a", 7, "`?`", "default"),
    ("input.a ? 1", 9, "no `:`", "test ? a : b"),
    ("2 ** 3", 4, "`*`", "pow"),
    ("1 +", 4, "ends too early", ""),
    ("(1 + 2", 1, "not closed", ")"),
    ("[1, 2", 1, "not closed", "]"),
    ("{'a': 1", 1, "not closed", "}"),
    ("{'a'}", 5, "a key and a value", "value"),
    ("{'a': 1, 'a': 2}", 10, "stands twice", ""),
    ("'abc", 1, "no closing '", "'"),
    ("“abc”", 1, "does not begin a text", "straight quotes"),
    ("'a\\qb'", 3, "is not an escape", "raw"),
    ("'\\ud800'", 2, "not a character", ""),
    ("1u", 1, "unsigned", "write 1"),
    ("b'x'", 1, "bytes", "without b"),
    ("uint(1)", 1, "unsigned", "int(x)"),
    ("9223372036854775808", 1, "64 bits", ""),
    ("1e999", 1, "larger than any float", ""),
    ("12abc", 3, "right behind a number", ""),
    ("${{ input.a", 1, "not closed", "}}"),
    ("${{ input.a }} && true", 15, "behind }}", "without ${{ }}"),
    ("1 + ${{ input.a }}", 5, "`${{`", "alone"),
    ("upperCase(input.a)", 1, "no function `upperCase`", "text.upper()"),
    ("len(input.a)", 1, "no function `len`", "size(x)"),
    ("toJSON(input)", 1, "no function", "json.format(x)"),
    ("input.a.startswith('x')", 9, "no function", "startsWith"),
    ("coalesce(input.a, 1)", 1, "no function", "default(x, y)"),
    ("json.pars('1')", 6, "no function `json.pars`", "json.parse(text)"),
    ("size()", 1, "takes 1 argument", "size(x)"),
    ("'a'.replace('b')", 5, "3 or 4", "replace"),
    ("inputs.a", 1, "`inputs` has no value here; there are: env, input, run, steps", "write input"),
    ("None", 1, "no value", "write null"),
    ("hello", 1, "no value", "'hello'"),
    ("type(1) == int", 12, "not a value", "type(x) == 'int'"),
    ("steps[input.a].output", 1, "known beforehand", "steps.<id>.output"),
    ("steps", 1, "known beforehand", "steps.<id>.output"),
    ("env", 1, "known beforehand", "env.NAME"),
    ("env[input.a]", 1, "known beforehand", "env.NAME"),
    ("steps.x.outputs.n", 1, "no field `outputs`", "steps.x.output"),
    ("steps.x.body", 1, "no field `body`", "steps.x.output.body"),
    ("secrets.token", 1, "a secret may be", "${{ secrets.name }}"),
    ("has(input)", 5, "ends in a key", "has(x.key)"),
    ("has(input['a'])", 5, "ends in a key", "in x"),
    ("[1].map(x.y, 1)", 9, "plain name", ""),
    ("'a'.matches('(')", 13, "not one of RE2", ""),
    ("for", 1, "reserved", ""),
    ("input.true", 7, "reserved", "['true']"),
    ("Msg{a: 1}", 4, "messages", "map"),
    ("a.b;", 4, "`;`", ""),
    ("f(1,)", 4, "nothing behind", "remove"),
]


def _fault(source: str) -> Violation:
    with pytest.raises(HostdError) as caught:
        compile_expression(source, roots=ROOTS)
    assert caught.value.reason == "EXPRESSION_INVALID"
    return caught.value.violations[0]


@pytest.mark.parametrize("source, column, message, suggestion", CASES)
def test_mistake_has_place_and_suggestion(source: str, column: int, message: str, suggestion: str) -> None:
    """A mistake tells the column it stands at and what to write instead."""
    fault = _fault(source)
    assert message in fault.message
    assert suggestion in fault.suggestion
    assert fault.column == column


def test_lines_are_counted_within_the_source() -> None:
    """The place of a mistake counts from where the source begins in its file."""
    with pytest.raises(HostdError) as caught:
        compile_expression("input.a &&\n  input.b = 1", roots=ROOTS, line=10, column=7, path="steps.x.if")
    fault = caught.value.violations[0]
    assert (fault.path, fault.line, fault.column) == ("steps.x.if", 11, 11)
    with pytest.raises(HostdError) as caught:
        compile_expression("a = 1", roots=ROOTS, line=10, column=7)
    assert (caught.value.violations[0].line, caught.value.violations[0].column) == (10, 9)
