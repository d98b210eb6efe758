"""What -o prints."""

import json

import pytest
import yaml

from hostd.cli.printing import Printer, yaml_text

VALUE = {
    "a": 1,
    "t": "ä",
    "n": None,
    "big": 2**60,
    "f": 1e16,
    "list": [1, {"x": "12:30"}],
    "s": "1e3",
    "lines": "a\nb\n",
}


def test_a_resource_is_one_line_of_json(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    """UTF-8 whatever the locale, numbers under the rule."""
    Printer("json").one(VALUE, lambda _: "")

    out = capsysbinary.readouterr().out
    assert out.count(b"\n") == 1
    assert json.loads(out) == VALUE
    assert "ä".encode() in out


def test_a_list_is_json_lines_yaml_documents_or_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    """One item a line; documents behind ---; people see the view of all."""
    items = [{"n": 1}, {"n": 2}]

    Printer("json").many(iter(items), lambda _: "")
    assert capsys.readouterr().out == '{"n":1}\n{"n":2}\n'
    Printer("yaml").many(iter(items), lambda _: "")
    assert capsys.readouterr().out == "---\nn: 1\n---\nn: 2\n"
    Printer("table").many(iter(items), lambda values: f"{len(values)} items")
    assert capsys.readouterr().out == "2 items\n"


def test_nothing_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """An empty list is no line in any form."""
    for form in ("json", "yaml", "table"):
        Printer(form).many([], lambda _: "")
    assert capsys.readouterr().out == ""


def test_yaml_reads_back_as_the_same_value() -> None:
    """Texts that look like numbers, times or words of other YAML versions stay texts."""
    value = {
        **VALUE,
        "odd": ["on", "no", "0x10", "1_000", "2026-01-01", "~", "", "-", ".5", "+1", "1e3", "null", "- a"],
    }

    assert yaml.load(yaml_text(value), Loader=yaml.SafeLoader) == value
    assert 's: "1e3"' in yaml_text(value)
    assert yaml_text("x") == "x\n"
