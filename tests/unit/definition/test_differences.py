"""How documents differ."""

import pytest

from hostd.definition.differences import SHOWN_CHARS, document_differences
from hostd.errors.base import HostdError

FIRST = """\
workflow: w
steps:
  a: {uses: flow.pass, needs: b, with: {n: 1}}
  b: {uses: flow.pass}
handlers: {failure: {uses: log.write}}
"""


def told(first: str, second: str) -> list[tuple[str, str, str]]:
    """Return kind, path and step of each difference."""
    found = document_differences(first.encode(), second.encode())
    return [(item.kind, item.path, item.step) for item in found]


def test_writing_alone_is_no_difference() -> None:
    """Comments, order of keys, flow or block style, quotes, JSON, and one need in a list or not."""
    second = """\
# the same
handlers:
  failure: {uses: "log.write"}
steps:
  b:
    uses: flow.pass
  a:
    with: {"n": 1}
    needs: [b]
    uses: flow.pass
workflow: w
"""
    assert told(FIRST, second) == []


def test_each_place_is_named_once() -> None:
    """What is new or gone as a whole, what changed at its leaf; steps and handlers by their names."""
    second = FIRST.replace("n: 1", "n: 2, m: null").replace("  b: {uses: flow.pass}", "  c.d: {uses: flow.pass}")
    second = second.replace("log.write", "flow.fail")
    assert told(FIRST, second) == [
        ("CHANGED", "steps.a.with.n", "a"),
        ("ADDED", "steps.a.with.m", "a"),
        ("REMOVED", "steps.b", "b"),
        ("ADDED", 'steps["c.d"]', "c.d"),
        ("CHANGED", "handlers.failure.uses", "failure"),
    ]


def test_numbers_keep_their_kind() -> None:
    """1 and "1" differ, 1 and 1.0 as JSON writes them too; a list is compared as a whole."""
    assert told("workflow: 1\n", "workflow: '1'\n") == [("CHANGED", "workflow", "")]
    assert told("a: [1, 2]\n", "a: [2, 1]\n") == [("CHANGED", "a", "")]


def test_long_values_are_cut() -> None:
    """A script of megabytes does not make an answer of megabytes."""
    (found,) = document_differences(b"a: 1\n", f"a: {'x' * 10_000}\n".encode())
    assert len(found.after) == SHOWN_CHARS + 3
    assert found.after.endswith("...")


@pytest.mark.parametrize("text", ["", "a: 1\n---\nb: 2\n", "a: [1\n"])
def test_one_document_is_compared_with_one(text: str) -> None:
    """Nothing, two, and what cannot be read are refused."""
    with pytest.raises(HostdError, match="DOCUMENT_INVALID"):
        told(FIRST, text)
