"""YAML and JSON text to values of JSON's types."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostd.definition.document import load_documents, read_documents
from hostd.definition.nodes import value_of
from hostd.errors.base import HostdError

VISIBLE = st.characters(min_codepoint=33, max_codepoint=0x1F6FF, exclude_categories=("Cs", "Cc"))


def read(text: str | bytes) -> Any:
    """Return the value of the only document of a sound text."""
    (document,) = load_documents(text)
    assert not document.faults
    return value_of(document.root)


def reasons(text: str | bytes) -> list[str]:
    """Return the reasons of everything wrong with a text, as far as YAML goes."""
    documents, faults = read_documents(text)
    return [fault.reason for document in documents for fault in document.faults] + [fault.reason for fault in faults]


@pytest.mark.parametrize(
    "text,value",
    [
        ("on", "on"),
        ("no", "no"),
        ("True", "True"),
        ("~", "~"),
        ("2024-01-01", "2024-01-01"),
        ("12:30", "12:30"),
        ("0x1f", "0x1f"),
        ("017", "017"),
        ("1_000", "1_000"),
        (".5", ".5"),
        ("+1", "+1"),
        (".nan", ".nan"),
        ("null", None),
        ("", None),
        ("true", True),
        ("false", False),
        ("-0", 0),
        ("12", 12),
        ("9223372036854775807", 9223372036854775807),
        ("1.50", 1.5),
        ("2.0", 2),
        ("1e3", 1000),
        ("'12'", "12"),
        ('"null"', "null"),
        ("|\n  12\n", "12\n"),
    ],
)
def test_scalars_have_types_of_json_only(text: str, value: Any) -> None:
    """null, true, false and numbers of JSON are what they are; everything else, and what is quoted, is text."""
    got = read(f"key: {text}\n")["key"]
    assert (type(got), got) == (type(value), value)


def test_keys_are_text() -> None:
    """`on`, `1` and `true` are keys like any other."""
    assert read("on: 1\n1: 2\ntrue: 3\n") == {"on": 1, "1": 2, "true": 3}


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(2**63), 2**63 - 1)
        | st.floats(allow_nan=False, allow_infinity=False, width=32)
        | st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=20),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(VISIBLE, max_size=9), inner, max_size=4),
        max_leaves=12,
    ),
    st.booleans(),
)
def test_json_is_read_as_json_reads_it(value: Any, ascii_only: bool) -> None:
    """Whatever json writes is read back as the same value (escapes and surrogate pairs included)."""
    assert read(json.dumps({"value": value}, ensure_ascii=True)) == {"value": value}
    if ascii_only:
        assert read(json.dumps({"value": value}, indent="\t")) == {"value": value}


def test_an_alias_is_a_copy() -> None:
    """Changing nothing of the original: each alias stands for a value of its own."""
    value = read("a: &a {x: [1]}\nb: *a\n")
    assert value == {"a": {"x": [1]}, "b": {"x": [1]}}
    assert value["a"] is not value["b"]


def test_an_alias_bomb_is_stopped() -> None:
    """Nine aliases of nine aliases of ... stop at the limit of values, quickly."""
    lines = ["a: &a [1,1,1,1,1,1,1,1,1]"]
    lines += [f"{new}: &{new} [{','.join(['*' + old] * 9)}]" for old, new in zip("abcdefgh", "bcdefghi", strict=True)]
    assert reasons("\n".join(lines)) == ["DOCUMENT_TOO_LARGE"]


@pytest.mark.parametrize(
    "text",
    [
        "[" * 65 + "]" * 65,
        "{a: " * 70,
        "- " * 500 + "x",
        f"a: &a {'[' * 40}{']' * 40}\nb: {'[' * 40}*a{']' * 40}",
    ],
)
def test_nesting_is_bounded(text: str) -> None:
    """Past 64 levels, aliases written out, a document is refused without recursion."""
    assert reasons(text) == ["DOCUMENT_TOO_LARGE"]


def test_64_levels_are_fine() -> None:
    """The limit itself is allowed, and the canonical form can be written."""
    text = "[" * 64 + "]" * 64
    assert json.dumps(read(text)).replace(" ", "") == text


def test_a_document_has_at_most_one_mebibyte() -> None:
    """The limit counts each document of a text by itself."""
    half = "a: " + "x" * 700_000 + "\n"
    assert reasons(half + "---\n" + half) == []
    assert reasons(half[:-1] + "x" * 700_000) == ["DOCUMENT_TOO_LARGE"]


def test_several_documents_come_in_order_and_empty_ones_are_left_out() -> None:
    """`---` parts documents."""
    documents = load_documents("---\na: 1\n---\n---\nb: 2\n...\n")
    assert [value_of(document.root) for document in documents] == [{"a": 1}, {"b": 2}]


def test_a_byte_order_mark_is_skipped() -> None:
    """Editors on Windows write one."""
    assert read(b"\xef\xbb\xbfa: 1\r\n") == {"a": 1}


UNREADABLE: list[str | bytes] = [
    b"a: \xff",
    "a: 1\n".encode("utf-16"),
    "a: \x07",
    "a: \ud800",
    "a:\n\t- b",
    "a: 'x",
    "a: [1",
    "%FOO\n",
    "a: |\n\tx",
    "",
]


@pytest.mark.parametrize("text", UNREADABLE)
def test_unreadable_text_is_refused_with_its_place(text: str | bytes) -> None:
    """Wrong encodings, control characters, tabs and open brackets give SYNTAX_INVALID with a line."""
    with pytest.raises(HostdError) as caught:
        load_documents(text, file="w.yaml")
    (fault,) = caught.value.violations
    assert caught.value.reason == "DOCUMENT_INVALID"
    assert (fault.reason, fault.file) == ("SYNTAX_INVALID", "w.yaml")
    assert fault.line >= 1


@pytest.mark.parametrize(
    "line,fix",
    [
        ("if: ${{ a ? b : c }}", 'if: "${{ a ? b : c }}"'),
        ("if: !failed()", 'if: "!failed()"'),
        ("with: {url: ${{ x }}}", 'url: "${{ x }}"'),
        ("message: it failed: badly", 'message: "it failed: badly"'),
        ("cron: * * * * *", 'cron: "* * * * *"'),
        ("if: 'a' == b", "if: \"'a' == b\""),
    ],
)
def test_the_traps_are_answered_with_the_quoted_form(line: str, fix: str) -> None:
    """Each trap says what to write, and the answer reads back as what was meant."""
    documents, faults = read_documents(f"{line}\nlast: 1\n")
    (fault,) = [*documents[0].faults, *faults]
    assert fault.reason == "QUOTES_NEEDED"
    assert fault.suggestion == f"write {fix}"
    assert value_of(documents[0].root)["last"] == 1, "reading goes on behind it"
    assert isinstance(read(fix)[fix.partition(":")[0]], str)
