"""Lua scripts without a daemon."""

import json
from pathlib import Path
from typing import Any

import pytest


def lua(folder: Path, source: str) -> str:
    """Return the path of a script."""
    (folder / "s.lua").write_text(source)
    return str(folder / "s.lua")


def test_a_script_prints_its_result(hostd: Any, tmp_path: Path) -> None:
    """As JSON; what it logs goes to standard error."""
    done = hostd(
        "script", "run", lua(tmp_path, 'log.info("hi") return {n = input.n + 1}'), "--input", '{"n": 1}', "-o", "json"
    )

    assert (done.code, done.out) == (0, '{"n":2}\n')
    assert "info: hi" in done.err


@pytest.mark.parametrize(
    "source,code,reason",
    [
        ("return nil +", 2, "SCRIPT_INVALID"),
        ("error('no')", 6, "SCRIPT_ERROR"),
        ("while true do end", 8, "SCRIPT_LIMIT"),
    ],
)
def test_a_failure_prints_its_reason(hostd: Any, tmp_path: Path, source: str, code: int, reason: str) -> None:
    """And exits with the code of its kind; nothing is printed as a result."""
    done = hostd("script", "run", lua(tmp_path, source), "--limit", "cpu_ms=100")

    assert (done.code, done.out) == (code, "")
    assert done.err.startswith(f"error: {reason}: ")


def test_wrong_limits_are_refused(hostd: Any, tmp_path: Path) -> None:
    """With the names there are."""
    file = lua(tmp_path, "return 1")

    for limit in ("cpu_ms", "cpu_ms=x", "cpu_ms=-1", "speed=1", "cpu_ms=99999999"):
        done = hostd("script", "run", file, "--limit", limit)
        assert done.code == 2, limit
        assert done.err.startswith("error: "), limit


def test_checking_runs_nothing(hostd: Any, tmp_path: Path) -> None:
    """A script that compiles is right whatever it would do; others are listed with their line."""
    file = lua(tmp_path, "error('never run')")
    assert hostd("script", "validate", file) == (0, "", "")

    wrong = lua(tmp_path, "local x = 1\nx = = 2\n")
    done = hostd("script", "validate", wrong, "-o", "json")
    assert done.code == 2
    fault = json.loads(done.out)
    assert (fault["file"], fault["line"], fault["reason"]) == (wrong, 2, "SCRIPT_INVALID")
