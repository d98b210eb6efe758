"""`${VAR}` in configuration texts."""

import pytest

from hostd.config.variables import expand_variables

ENV = {"A": "one", "EMPTY": "", "NESTED": "${A}"}


@pytest.mark.parametrize(
    "text,expected",
    [
        ("${A}", "one"),
        ("x-${A}-${A}", "x-one-one"),
        ("${B:-two}", "two"),
        ("${EMPTY:-two}", "two"),
        ("${EMPTY}", ""),
        ("${B:-}", ""),
        ("${B:-a:-b}", "a:-b"),
        ("${A:?must be set}", "one"),
        ("${NESTED}", "${A}"),
        ("$${A}", "${A}"),
        ("$A costs 5$", "$A costs 5$"),
    ],
)
def test_forms(text: str, expected: str) -> None:
    """Three forms and an escape; what a variable holds is not expanded again."""
    assert expand_variables(text, ENV) == expected


@pytest.mark.parametrize(
    "text,says",
    [
        ("${B}", "B is not set"),
        ("${B:?ask the operator}", "ask the operator"),
        ("${EMPTY:?}", "EMPTY must be set"),
        ("${}", "is not"),
        ("${A", "is not"),
        ("${A-x}", "is not"),
        ("${1A}", "is not"),
    ],
)
def test_mistakes(text: str, says: str) -> None:
    """A missing variable and a form that is none are refused, with the way to write it."""
    with pytest.raises(ValueError, match=says):
        expand_variables(text, ENV)
