"""Templates: types kept, text rendered, secrets opaque."""

from __future__ import annotations

from typing import Any

import pytest

from hostd.definition.expressions.template import compile_template, has_expression
from hostd.errors.base import HostdError
from hostd.model.secrets import SecretRef, SecretText

ROOTS = frozenset({"input", "steps", "secrets"})
INPUT = {"n": 3, "x": 1.5, "name": "Ada", "none": None, "list": [1, {"a": None}], "yes": True, "s": "}}"}


def _render(scope_class: Any, value: Any) -> Any:
    return compile_template(value, roots=ROOTS, path="with").render(scope_class({"input": INPUT}))


CASES = [
    ("${{ input.n }}", 3),
    ("  ${{ input.n }}", "  3"),
    ("${{ input.list }}", [1, {"a": None}]),
    ("${{input.none}}", None),
    ("n=${{ input.n }} x=${{ input.x }} ${{ input.yes }}", "n=3 x=1.5 true"),
    ("${{ input.name }}${{ input.n }}", "Ada3"),
    ("a ${{ input.list }} b", 'a [1,{"a":null}] b'),
    ("<${{ input.none }}>", "<null>"),
    ("at ${{ timestamp(0) }} for ${{ duration('90s') }}", "at 1970-01-01T00:00:00Z for 1m30s"),
    ("${{ '}}' }}", "}}"),
    ("${{ {'a': {'b': 1}} }}", {"a": {"b": 1}}),
    ("${{ {'a': {'b': 1}}}}", {"a": {"b": 1}}),
    ("$${{ input.n }}", "${{ input.n }}"),
    ("a $${{ b }} ${{ input.n }}", "a ${{ b }} 3"),
    ("$$${{", "$${{"),
    ("${{ input.n // a note }} !", "3 !"),
    ("$ {{ x }} ${ y } }}", "$ {{ x }} ${ y } }}"),
    ("multi\nline ${{\n  input.n\n}}", "multi\nline 3"),
    ({"a": ["${{ input.n }}", {"b": "x${{ input.n }}"}], "c": 1}, {"a": [3, {"b": "x3"}], "c": 1}),
]


@pytest.mark.parametrize("value, expected", CASES)
def test_rendering(made_up_scope: Any, value: Any, expected: Any) -> None:
    """A whole expression keeps its type; inside text a value is rendered."""
    assert _render(made_up_scope, value) == expected


def test_literal_templates_do_nothing(made_up_scope: Any) -> None:
    """Without expressions the value itself is returned, with its escapes undone."""
    template = compile_template({"a": [1, "x", "$${{ y }}"]}, roots=ROOTS)
    assert template.literal
    assert template.render(made_up_scope()) is template.render(made_up_scope())
    assert template.render(made_up_scope()) == {"a": [1, "x", "${{ y }}"]}
    assert has_expression("$${{ a }} ${{ b }}")
    assert not has_expression("$${{ a }}")


def test_what_a_template_reads_is_known() -> None:
    """Steps, roots, secrets and the fields with expressions are told by the compiled form."""
    template = compile_template(
        {"url": "https://${{ input.host }}", "h": {"a": "${{ steps.x.output }}"}, "l": ["Bearer ${{ secrets.k }}"]},
        roots=ROOTS,
    )
    assert (template.reads_steps, template.reads_roots, template.secrets) == ({"x"}, {"input", "steps"}, {"k"})
    assert template.paths == {"url", "h.a", "l[0]"}


def test_secrets_stay_names(made_up_scope: Any) -> None:
    """A secret is a reference, whole or joined to text; nothing else can be done with it."""
    assert _render(made_up_scope, "${{ secrets.token }}") == SecretRef("token")
    assert _render(made_up_scope, "a${{ input.n }}-${{ secrets.token }}") == SecretText(("a3-", SecretRef("token")))


@pytest.mark.parametrize(
    "text",
    [
        "${{ secrets.a + 'x' }}",
        "${{ size(secrets.a) }}",
        "${{ secrets.a == 'x' }}",
        "${{ true ? secrets.a : '' }}",
        "${{ [secrets.a] }}",
        "${{ default(secrets.a, 1) }}",
        "${{ secrets }}",
        "${{ secrets['a'] + '' }}",
        "${{ secrets.a.b }}",
        "${{ string(secrets.a) }}",
        "${{ ['k'].map(k, secrets[k]) }}",
    ],
)
def test_operations_on_secrets_are_refused(text: str) -> None:
    """Whatever would look into a secret is a mistake at registration."""
    with pytest.raises(HostdError, match="a secret may be a whole field or joined to text"):
        compile_template({"f": text}, roots=ROOTS)


def test_secrets_only_where_they_are_allowed() -> None:
    """Without `secrets` among the roots a secret has no value."""
    with pytest.raises(HostdError, match="secrets have no value here"):
        compile_template("${{ secrets.a }}", roots=frozenset({"input"}))


def test_all_mistakes_are_reported_with_their_fields() -> None:
    """Every field with a mistake is in the error, and a mark gives its place in the file."""
    with pytest.raises(HostdError) as caught:
        compile_template(
            {"a": "${{ inputs.x }}", "b": ["ok ${{ 1 + }}"], "c": "${{ input.n", "d": "${{ }}", "${{ k }}": 1},
            roots=ROOTS,
            path="steps.s.with",
            mark=lambda path: (7, 3),
        )
    faults = caught.value.violations
    assert [fault.path for fault in faults] == [
        'steps.s.with["${{ k }}"]',
        "steps.s.with.a",
        "steps.s.with.b[0]",
        "steps.s.with.c",
        "steps.s.with.d",
    ]
    assert (faults[1].line, faults[1].column) == (7, 7)


def test_code_takes_no_expressions() -> None:
    """An option that holds code takes literals only; the text itself can be written with $${{."""
    with pytest.raises(HostdError) as caught:
        compile_template(
            {"script": "return ${{ input.n }}", "input": "${{ input.n }}"},
            roots=ROOTS,
            code_fields=frozenset({"script"}),
        )
    assert [(fault.path, fault.reason) for fault in caught.value.violations] == [("script", "CODE_INTERPOLATION")]
    assert compile_template({"script": "print('$${{ x }}')"}, code_fields=frozenset({"script"})).literal


def test_failures_name_the_field(made_up_scope: Any) -> None:
    """An error while rendering names the field and the part of the expression."""
    with pytest.raises(HostdError, match=r"with\.a\.b: `input\.missing`: there is no key"):
        _render(made_up_scope, {"a": {"b": "x ${{ input.missing }}"}})


def test_text_is_bounded(made_up_scope: Any) -> None:
    """Values put into one text are at most 64 KiB together."""
    with pytest.raises(HostdError, match="EXPRESSION_LIMIT: with"):
        _render(made_up_scope, "${{ 'x'.repeat(40000) }}${{ 'x'.repeat(40000) }}")


def test_each_expression_of_a_field_draws_for_itself(made_up_scope: Any) -> None:
    """Two random values in one text differ, and are the same when rendered again."""
    text = _render(made_up_scope, "${{ uuid() }} ${{ uuid() }}")
    assert len(set(text.split())) == 2
    assert _render(made_up_scope, "${{ uuid() }} ${{ uuid() }}") == text
