"""`hostd workflow test`: what it prints, writes and exits with."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as Xml

import jsonschema_rs
import pytest

from hostd.cli.main import run
from hostd.definition.document import load_documents
from hostd.definition.nodes import value_of

GREET = """
workflow: greet
steps: {wait: {uses: flow.wait, with: {duration: 1d}}, say: {needs: wait, uses: log.write, with: {message: hi}}}
output: hello
"""
CASES = """workflow: greet.yaml
cases:
  - {name: greets, expect: {output: hello, path: [wait, say], steps: {say: SUCCEEDED}, took: 1d, calls: {log.write: 0}}}
  - {name: is wrong, expect: {output: goodbye}}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a workflow and two cases, one of which fails."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "greet.yaml").write_text(GREET)
    (tmp_path / "greet.test.yaml").write_text(CASES)
    return tmp_path


def test_it_prints_dots_what_failed_and_how_many(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A dot a case, then each failure with its place, expected and got."""
    assert run(["workflow", "test"]) == 1
    said = capsys.readouterr().out
    assert said.startswith("greet.test.yaml .F\n")
    assert 'FAILED greet.test.yaml:4 is wrong\n  output: expected "goodbye", got "hello"\n' in said
    assert "1 passed, 1 failed in " in said
    assert run(["workflow", "test", str(folder), "--filter", "greets", "-v"]) == 0
    assert "greet.test.yaml:3 greets PASSED\n1 passed in " in capsys.readouterr().out


def test_programs_read_json_and_junit(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line of JSON a case; JUnit's suite has the counts, the places and the text."""
    assert run(["workflow", "test", "greet.test.yaml", "-o", "json", "--junit", "report.xml"]) == 1
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert (first["name"], first["passed"], first["took"]) == ("greets", True, 86400)
    assert second["problems"] == ['output: expected "goodbye", got "hello"']
    suite = Xml.parse(folder / "report.xml").getroot()[0]
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    failure = suite.find("testcase[@name='is wrong']/failure")
    assert failure is not None and failure.text == second["problems"][0]


def test_files_with_mistakes_are_told_and_the_others_run(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, every mistake with its line, and a case of another file still counts."""
    (folder / "bad.test.yaml").write_text("workflow: greet.yaml\ncases:\n  - {name: a, expects: {}}\n")
    assert run(["workflow", "test", "--filter", "greets", "--junit", "report.xml"]) == 2
    said = capsys.readouterr()
    assert "bad.test.yaml:3:15" in said.err and "did you mean expect?" in said.err
    assert "1 passed, 1 files with mistakes" in said.out
    assert len(Xml.parse(folder / "report.xml").getroot()) == 2


def test_no_case_at_all_is_a_mistake(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder without case files, and words that no case has, must not look like success."""
    assert run(["workflow", "test", str(tmp_path)]) == 2
    assert "there is no case here" in capsys.readouterr().err
    assert run(["workflow", "test", str(tmp_path / "none.test.yaml")]) == 2


def test_it_stops_at_the_first_failure_where_asked(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With -x the cases behind it do not run."""
    (folder / "greet.test.yaml").write_text(CASES.replace("output: hello,", "output: hi,"))
    assert run(["workflow", "test", "-x"]) == 1
    assert "0 passed, 1 failed" in capsys.readouterr().out


def test_editors_get_a_schema_that_knows_the_format(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The schema takes what is read, and refuses a key that is not."""
    assert run(["schema", "tests"]) == 0
    schema = json.loads(capsys.readouterr().out)
    validator = jsonschema_rs.validator_for(schema)
    value = value_of(load_documents(CASES)[0].root)
    assert validator.is_valid(value)
    for wrong in (
        {"nam": "x"},
        {"name": "x", "expect": {"steps": {"a": "DONE"}}},
        {"name": "x", "at": [{"signal": "A"}]},
    ):
        assert not validator.is_valid({**value, "cases": [wrong]})
    assert validator.is_valid(
        {**value, "cases": [{"name": "x", "mocks": {"a.b": {"script": [{"returns": 1}, {"fails": {"code": "X"}}]}}}]}
    )
