"""`transform.jq`: what programs give, and that they can do nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hostd.plugin import ActionError
from hostd.plugin.testing import run_action
from hostd_builtin.transform.jq import Jq

pytest.importorskip("jq", reason="the package jq is not installed: pip install 'hostd[jq]'")


async def jq(program: str, value: Any = None, **options: Any) -> Any:
    """Run a program."""
    return await run_action(Jq, {"input": value, "program": program, **options})


async def failing(program: str, value: Any = None, **options: Any) -> str:
    """Return the code with which a program fails."""
    with pytest.raises(ActionError) as caught:
        await jq(program, value, **options)
    return caught.value.code


async def test_programs_give_values() -> None:
    """One value, the first, all of them; arguments are values; texts with line breaks stay whole."""
    assert await jq(".a | map(. + 1) | add", {"a": [1, 2]}) == 5
    assert await jq(".[]", [1, "a\nb\u2028c", None], results="all") == [1, "a\nb\u2028c", None]
    assert await jq(".[]", [1, 2], results="first") == 1
    assert await jq("$x.y + 1", args={"x": {"y": 1}}) == 2
    assert await failing(".[]", [1, 2]) == "JQ_RESULTS"
    assert await failing(".a", "text") == "JQ_FAILED"
    assert await failing(".a |") == "JQ_FAILED"
    assert await failing(".", 2**53 + 1) == "NUMBER_INEXACT"


async def test_programs_that_run_for_ever_are_ended() -> None:
    """An endless loop ends with its CPU time, a growing value with its memory; the daemon goes on."""
    assert await failing("def f: f; f", timeout="1s") == "JQ_LIMIT"
    assert await failing("[range(1e9)]", max_memory=64 * 1024 * 1024) == "JQ_LIMIT"


async def test_programs_reach_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the daemon's environment nor any file is to be had."""
    monkeypatch.setenv("HOSTD_TEST_SECRET", "hunter2")
    assert "HOSTD_TEST_SECRET" not in await jq("env")
    assert "HOSTD_TEST_SECRET" not in await jq("$ENV")
    (tmp_path / "x.json").write_text('{"s": 1}')
    assert await failing(f'import "x" as $d {{search: "{tmp_path}"}}; $d') == "JQ_FAILED"
