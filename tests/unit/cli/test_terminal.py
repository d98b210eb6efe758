"""What the terminal wants: said by options, else by the environment."""

from typing import Any

import pytest

from hostd.cli import terminal
from hostd.cli.names import name_of
from hostd.cli.progress import Progress, bar


@pytest.mark.parametrize(
    "environment,wanted",
    [({}, True), ({"LANG": "C"}, False), ({"LANG": "C", "LC_ALL": "de_DE.UTF-8"}, True), ({"LC_ALL": "POSIX"}, False)],
)
def test_drawings_are_ascii_where_the_locale_says_so(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], wanted: bool
) -> None:
    """LC_ALL goes before LC_CTYPE before LANG."""
    for name in ("LC_ALL", "LC_CTYPE", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert terminal.unicode() is wanted


def test_options_hold_for_one_command_line(hostd: Any) -> None:
    """--quiet before or behind a command; the next command line of the process knows nothing of it."""
    assert hostd("--quiet", "explain", "RUN_MISSING").out == "RUN_MISSING\n"
    assert hostd("explain", "RUN_MISSING", "-q").out == "RUN_MISSING\n"
    assert hostd("explain", "RUN_MISSING").out.startswith("reason")
    assert hostd("explain", "RUN_MISSING", "-q", "-o", "json").out.startswith("{")


def test_progress_is_for_terminals(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipe gets none; a terminal gets one line that is gone at the end; --quiet none."""
    with Progress("work") as progress:
        progress.note(1, 2)
    assert capsys.readouterr() == ("", "")
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("LANG", "C")
    with Progress("work") as progress:
        progress.note(4, 4, unit="pages")
    shown = capsys.readouterr().err
    assert "100%  4 of 4 pages" in shown
    assert shown.endswith("\r\x1b[2K")
    terminal.WISHES.hear(quiet=True)
    with Progress("work") as progress:
        progress.note(4, 4)
    terminal.WISHES.forget()
    assert capsys.readouterr().err == ""


def test_a_bar_is_never_longer_than_full() -> None:
    """Done may pass what was foreseen."""
    assert len(bar(5, 2)) == len(bar(0, 2)) == len(bar(1, 0))


@pytest.mark.parametrize(
    "value,name",
    [
        ({"run_id": "r", "key": "k", "workflow": "w"}, "r"),
        ({"run_id": "r", "version": "1"}, "r"),
        ({"workflow": "w", "activate_time": None, "version": {"version": "1"}}, "w"),
        ({"workflow": {"workflow": "w", "activate_time": None}, "created": True}, "w"),
        ({"workflow": "w", "name": "t", "state": "ACTIVE"}, "w/t"),
        ({"workflow": "", "name": "t"}, "t"),
        ({"version": "1.0.0", "digest": "d"}, "1.0.0"),
        ({"id": "http", "version": "1"}, "http"),
        ({"number": 7, "reason": "INPUT_INVALID", "workflow": "w", "event_id": "e"}, "7"),
        ({"seq": 3, "kind": "RUN_STARTED", "time": "t"}, "3"),
        ({"reason": "RUN_MISSING", "kind": "missing"}, "RUN_MISSING"),
        ({"path": "/a", "size_bytes": 1}, "/a"),
        ({"key": "limits.watches", "value": 1}, "limits.watches"),
        ({}, ""),
        ("text", "text"),
        (None, ""),
    ],
)
def test_names_are_what_other_commands_take(value: Any, name: str) -> None:
    """Run ids, WORKFLOW, WORKFLOW/TRIGGER, versions, plugins, numbers."""
    assert name_of(value) == name
