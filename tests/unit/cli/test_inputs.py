"""Values from the command line."""

import io
from pathlib import Path
from typing import Any

import pytest

from hostd.cli.inputs import json_argument, listed, pairs_argument, read_text
from hostd.cli.run_filters import filter_of
from hostd.cli.run_names import run_ref
from hostd.cli.triggers import named
from hostd.cli.workflows import documents_of
from hostd.errors.base import HostdError


def test_json_comes_as_text_file_or_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The three ways give the same value."""
    file = tmp_path / "in.json"
    file.write_text('{"n": 1}')
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b'{"n": 1}')))

    assert json_argument('{"n": 1}', "--input") == {"n": 1}
    assert json_argument(f"@{file}", "--input") == {"n": 1}
    assert json_argument("-", "--input") == {"n": 1}


@pytest.mark.parametrize(
    "text,reason",
    [
        ("{n: 1}", "PAYLOAD_INVALID"),
        ("", "PAYLOAD_INVALID"),
        ("1e999", "NUMBER_OUT_OF_RANGE"),
        ("@/nowhere/x.json", "ARGUMENT_INVALID"),
        ("@/", "ARGUMENT_INVALID"),
    ],
)
def test_what_is_no_value_names_option_or_file(text: str, reason: str) -> None:
    """The sentence says where to look."""
    with pytest.raises(HostdError, match=r"--input|/") as caught:
        json_argument(text, "--input")
    assert caught.value.reason == reason


def test_files_are_utf_8(tmp_path: Path) -> None:
    """A byte order mark is no part of the text; other encodings are refused."""
    (tmp_path / "a").write_bytes("\ufeffworkflow: ä".encode())
    (tmp_path / "b").write_bytes("workflow: ä".encode("latin-1"))

    assert read_text(str(tmp_path / "a")) == "workflow: ä"
    with pytest.raises(HostdError, match="not UTF-8"):
        read_text(str(tmp_path / "b"))


def test_labels_are_pairs() -> None:
    """NAME=VALUE, the value may hold more of them; anything else is refused."""
    assert pairs_argument(["a=1", "b=x=y", "c="], "--label") == {"a": "1", "b": "x=y", "c": ""}
    for wrong in (["a"], ["=1"], ["a=1", "a=2"]):
        with pytest.raises(HostdError, match="--label"):
            pairs_argument(wrong, "--label")


def test_a_run_is_named_by_id_or_by_workflow_and_key() -> None:
    """A key may hold slashes; half a name is none."""
    assert run_ref("0abc").run_id == "0abc"
    ref = run_ref("order/eu/7")
    assert (ref.workflow, ref.key) == ("order", "eu/7")
    for wrong in ("", "order/", "/key"):
        with pytest.raises(HostdError, match="names no run"):
            run_ref(wrong)


def test_a_trigger_is_named_in_two_words_or_one() -> None:
    """WORKFLOW NAME or WORKFLOW/NAME, and NAME for one of its own."""
    assert named("w", "t") == named("w/t", "") == {"workflow": "w", "name": "t"}
    assert named("t", "") == {"workflow": "", "name": "t"}
    with pytest.raises(HostdError, match="name the trigger"):
        named("w/", "")


def test_options_of_a_list_become_one_filter() -> None:
    """Each part stands by itself, texts are quoted."""
    none: dict[str, Any] = {"filter_text": "", "workflow": "", "states": (), "labels": ()}

    assert filter_of(**none) == ""
    assert filter_of(**{**none, "filter_text": "a || b"}) == "a || b"
    assert (
        filter_of(**{**none, "filter_text": "a || b", "workflow": 'x"', "states": ("FAILED", "HELD")})
        == '(a || b) && (workflow == "x\\"") && (state in ["FAILED","HELD"])'
    )


def test_labels_become_terms_of_the_filter() -> None:
    """Each by its name, whatever it holds; what is no label is refused."""
    none: dict[str, Any] = {"filter_text": "", "workflow": "", "states": ()}

    assert filter_of(**none, labels=("team=a",)) == 'labels["team"] == "a"'
    assert filter_of(**none, labels=("a.b=", 'c=x"')) == '(labels["a.b"] == "") && (labels["c"] == "x\\"")'
    with pytest.raises(HostdError, match="--label: 'team' is not NAME=VALUE"):
        filter_of(**none, labels=("team",))


def test_documents_of_one_file_keep_their_lines() -> None:
    """Each document stands behind as many lines as in the file; comments alone are no document."""
    text = "# head\n---\nworkflow: a\nd: |\n  --- no\n---\nworkflow: b\n---\n# end\n"

    parts = list(documents_of(text))

    assert len(parts) == 2
    assert parts[0].splitlines()[2] == "workflow: a"
    assert "--- no" in parts[0]
    assert parts[1].splitlines()[6] == "workflow: b"
    assert list(documents_of("workflow: a\n")) == ["workflow: a\n"]
    assert list(documents_of("# nothing\n")) == []


def test_names_from_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    """`-` stands for its lines, wherever it stands; empty ones are left out."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"b\n\n  c \r\n")))
    assert list(listed(["a", "-", "d"])) == ["a", "b", "c", "d"]


def test_numbers_of_dead_letters(hostd: Any) -> None:
    """What is no number is refused before anybody is asked."""
    for word in ("x", "0", "-1", "9" * 19, "1e3"):
        done = hostd("dead-letters", "purge", "--", word)
        assert (done.code, done.out) == (2, "")
        assert "ARGUMENT_INVALID" in done.err
