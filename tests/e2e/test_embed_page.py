"""docs/how-to/embed.md, to the letter: its programs run, and its blocks, one after the other."""

from __future__ import annotations

import ast
import inspect
import os
import re
import subprocess
import sys
from pathlib import Path
from types import CodeType
from typing import Any

import pytest

PAGE = Path(__file__).parents[2] / "docs/how-to/embed.md"
ROOT = PAGE.parents[2]
BLOCK = re.compile(r"(?:<!-- (?P<mark>[^\n]*?) -->\n)?```python\n(?P<text>.*?)```", re.DOTALL)


def blocks() -> dict[str, list[str]]:
    """Return the page's Python by mark; notebook cells have none."""
    found: dict[str, list[str]] = {}
    for match in BLOCK.finditer(PAGE.read_text(encoding="utf-8")):
        found.setdefault(match["mark"] or "cell", []).append(match["text"])
    return found


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the page's programs keep their data."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


async def run(source: str, names: dict[str, Any]) -> None:
    """Run a block; `await` may stand at its top."""
    code: CodeType = compile(source, "embed.md", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    found = eval(code, names)
    if code.co_flags & inspect.CO_COROUTINE:
        await found


def program(folder: Path, name: str) -> str:
    """Write a file of the page and return what it prints."""
    file = folder / name
    (text,) = blocks()[f"file: {name}"]
    file.write_text(text)
    path = os.pathsep.join([str(ROOT), str(ROOT / "plugins/builtin")])
    done = subprocess.run(
        [sys.executable, name],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_first_program_prints_its_output(folder: Path) -> None:
    """Twice, on one folder: the second finds what the first has made."""
    assert program(folder, "first.py") == "21\n"
    assert program(folder, "first.py") == "21\n"


async def test_the_blocks_run_one_after_the_other(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With what the first program defines; each may use what those before it have made."""
    (first,) = blocks()["file: first.py"]
    names: dict[str, Any] = {"__name__": "page"}
    await run(first.replace("asyncio.run(main())", ""), names)
    for block in blocks()["python"]:
        await run(block, names)
    for cell in blocks()["cell"]:
        await run(cell.replace("Host.open(", "Host.open(actions=[price], path="), names)

    said = capsys.readouterr().out
    assert "RUN_STARTED \n" in said
    assert "ATTEMPT_SUCCEEDED price\n" in said
    assert "if: (steps.fetch.output.status == 200) && (!has(steps.fetch.output.body.error))" in said
    assert names["charge"](names["charge"], "c-1", 5) == "charged 5 to c-1"


def test_the_blocking_block_runs_without_a_loop(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In plain synchronous code."""
    (first,) = blocks()["file: first.py"]
    names: dict[str, Any] = {"__name__": "page"}
    exec(first.replace("asyncio.run(main())", ""), names)
    (block,) = blocks()["python: blocking"]
    exec(block, names)

    assert capsys.readouterr().out == "21\nSUCCEEDED\n"


async def test_the_web_application_answers(folder: Path) -> None:
    """Its lifespan and its route, driven as a server drives them; a real server is in the integration tests."""
    (text,) = blocks()["file: shop.py"]
    names: dict[str, Any] = {"__name__": "shop"}
    exec(text, names)
    app = names["app"]
    async with app.router.lifespan_context(app):
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        scope = {"type": "http", "method": "GET", "path": "/say/hi", "headers": [], "query_string": b"", "app": app}
        await app(scope, receive, send)
    assert (sent[0]["status"], sent[1]["body"]) == (200, b'"hi"')
