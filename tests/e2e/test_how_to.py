"""docs/how-to/plugin.md, to the letter: its files are written, its commands run, its plugin works in a daemon."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest
from shells import shell

PAGE = Path(__file__).parents[2] / "docs/how-to/plugin.md"
BLOCK = re.compile(r"<!-- (?P<mark>[^\n]*?) -->\n```(?P<kind>\w+)\n(?P<text>.*?)```", re.DOTALL)


@pytest.mark.timeout(400)
def test_the_plugin_of_the_page_is_tested_installed_and_used(tmp_path: Path) -> None:
    """pip puts it into a folder of its own instead of the environment the tests run in; nothing is fetched."""
    env = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(tmp_path / "site"),
        "PIP_TARGET": str(tmp_path / "site"),
        "PIP_NO_BUILD_ISOLATION": "0",
        "PIP_NO_INDEX": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }
    said = []
    for match in BLOCK.finditer(PAGE.read_text(encoding="utf-8")):
        if match["mark"].startswith("file: "):
            file = tmp_path / match["mark"].removeprefix("file: ")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(match["text"])
        elif match["kind"] == "sh" and not match["mark"].startswith("fragment: "):
            said.append(shell(match["text"], tmp_path, env))
    tested, _, ran = said
    assert "5 passed" in tested
    assert '{"state":"SUCCEEDED","output":"1111","failure":null}' in ran
