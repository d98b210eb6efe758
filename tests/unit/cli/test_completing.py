"""What shells complete from a daemon, and how silent they are without one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest

from hostd.cli import completing


def completed(words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Return what the completion of a command line prints, in a process of its own as shells ask."""
    asked = {"_HOSTD_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    known = {name: value for name, value in os.environ.items() if not name.startswith("HOSTD_")}
    command = [sys.executable, "-c", "from hostd.cli.main import main; main()"]
    env = {**known, **asked, **environment}
    return subprocess.run(command, capture_output=True, text=True, timeout=200, env=env)


def test_without_a_daemon_nothing_is_said(tmp_path: Path) -> None:
    """No names, no error, whatever the address is."""
    for address in ("", "127.0.0.1:1", "nonsense", f"unix:{tmp_path}/none"):
        done = completed("hostd runs show ", HOSTD_DATA=str(tmp_path), HOSTD_ADDRESS=address)
        assert (done.stdout.strip(), done.stderr) == ("", "")


def test_commands_and_options_are_completed(tmp_path: Path) -> None:
    """As before: by click."""
    assert "plain,start" in completed("hostd runs st", HOSTD_DATA=str(tmp_path)).stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("hostd run flows/or", "file,flows/or"),
        ("hostd workflow register or", "file,or"),
        ("hostd workflow graph or", "file,or"),
        ("hostd runs start --from or", "file,or"),
        ("hostd workflows li", "plain,list"),
        ("hostd man runs hi", "plain,history"),
        ("hostd explain run_mis", "plain,RUN_MISSING"),
        ("hostd runs list --state timed", "plain,TIMED_OUT"),
    ],
)
def test_what_needs_no_daemon_is_completed_without_one(tmp_path: Path, words: str, said: str) -> None:
    """Files by the shell itself; commands in singular and plural; reasons and states in any case."""
    assert completed(words, HOSTD_DATA=str(tmp_path)).stdout.splitlines() == [said]


def test_whatever_goes_wrong_is_no_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception anywhere is an empty list."""

    def broken(*_: Any) -> Any:
        raise RuntimeError("broken")

    monkeypatch.setattr(completing, "_names", broken)
    command = click.Command("x")
    assert completing.complete_runs(click.Context(command), click.Argument(["run"]), "") == []
