"""The YAML of configuration files."""

import pytest

from hostd.config.marked_yaml import read_yaml


def test_only_json_scalars_come_out() -> None:
    """`on`, `no`, dates and octals stay text; JSON's words and numbers are what they say."""
    text = (
        "{a: on, b: no, c: 2026-01-01, d: '', e: 017, f: 0x1f, g: 3, h: -2.5, i: true, j: null, k: '3', l: 1e3, m: .5}"
    )

    value = read_yaml(text).value

    assert value == {
        "a": "on", "b": "no", "c": "2026-01-01", "d": "", "e": "017", "f": "0x1f", "g": 3, "h": -2.5,
        "i": True, "j": None, "k": "3", "l": 1000, "m": ".5",
    }  # fmt: skip


@pytest.mark.parametrize(
    "text,reason,line",
    [
        ("a: 1\na: 2\n", "KEY_DUPLICATE", 2),
        ("a: !!python/object:os.system x\n", "YAML_UNSUPPORTED", 1),
        ("a: !secret x\n", "YAML_UNSUPPORTED", 1),
        ("a: &x [1]\nb: *x\n", "YAML_UNSUPPORTED", 2),
        ("<<: {a: 1}\n", "YAML_UNSUPPORTED", 1),
        ("? [a]\n: 1\n", "YAML_UNSUPPORTED", 1),
        ("a: [1\n", "SYNTAX_INVALID", 2),
        ("a: 1\n---\nb: 2\n", "SYNTAX_INVALID", 2),
        ("a: \x07\n", "SYNTAX_INVALID", 0),
        ("a: 9999999999999999999\n", "NUMBER_OUT_OF_RANGE", 1),
        ("[" * 40 + "]" * 40, "DOCUMENT_TOO_LARGE", 1),
        ("a: " + "x" * (1 << 20), "DOCUMENT_TOO_LARGE", 0),
    ],
)
def test_surprises_are_refused_with_their_line(text: str, reason: str, line: int) -> None:
    """Whatever would be read differently from how it looks is a mistake."""
    mistakes = read_yaml(text, file="f").mistakes

    assert [(found.reason, found.line) for found in mistakes] == [(reason, line)]
    assert mistakes[0].file == "f"


def test_every_part_has_its_place() -> None:
    """A key stands where its name begins, an item where its value begins."""
    marks = read_yaml("a:\n  b: 1\n  c: [x,\n    y]\n").marks

    assert marks[("a",)] == (1, 1)
    assert marks[("a", "b")] == (2, 3)
    assert marks[("a", "c", 1)] == (4, 5)


def test_an_empty_file_is_an_empty_mapping() -> None:
    """Nothing written means nothing said."""
    assert read_yaml("").value == {}
    assert read_yaml("# only a comment\n").value == {}
