"""docs/how-to/test-workflows.md, to the letter: its files are written, its commands print what it says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/how-to/test-workflows.md"
BLOCK = re.compile(r"(?:<!-- (?P<mark>[^\n]*?) -->\n)?```(?P<kind>\w+)\n(?P<text>.*?)```", re.DOTALL)


@pytest.mark.timeout(600)
def test_the_page_works_as_written(tmp_path: Path) -> None:
    """No daemon; pytest finds hostd's plugin as it does where hostd is installed, or is told where it is."""
    said = ""
    for match in BLOCK.finditer(PAGE.read_text(encoding="utf-8")):
        mark, text = match["mark"] or "", match["text"]
        if mark.startswith("file: "):
            (tmp_path / mark.removeprefix("file: ")).write_text(text)
        elif mark == "prints":
            _check(text, said)
        else:
            assert match["kind"] == "sh", text
            said = _shell(text, tmp_path)


def _shell(script: str, folder: Path) -> str:
    env = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTEST_ADDOPTS": "-p pytest_asyncio.plugin -p hostd.testing.pytest_plugin -p no:cacheprovider",
        "PYTHONPATH": f"{ROOT}:{ROOT / 'plugins/builtin'}",
    }
    command = ["bash", "-euo", "pipefail", "-c", script]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def _check(wanted: str, said: str) -> None:
    """Check that lines were printed, in this order; `in ...` stands for any time."""
    lines = iter(said.splitlines())
    for line in wanted.splitlines():
        head, anything, _ = line.partition(" in ...")
        pattern = re.escape(head) + (" in .*" if anything else "")
        assert any(re.fullmatch(pattern, each) for each in lines), f"{line!r} is not in\n{said}"
