"""docs/how-to/configure.md, to the letter: its file is checked, and its commands change a daemon that runs."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path

import jsonschema_rs
import pytest
import yaml
from processes import DaemonProcess
from shells import shell

PAGE = Path(__file__).parents[2] / "docs/how-to/configure.md"
BLOCK = re.compile(r"<!-- (?P<mark>file: [^\n]*?|run) -->\n```\w+\n(?P<text>.*?)```", re.DOTALL)


@pytest.mark.timeout(400)
def test_the_page_works(tmp_path: Path) -> None:
    """The file is right by its schema, holds after the reload, and the log says more for a while."""
    daemon = DaemonProcess(tmp_path, PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    daemon.start()
    try:
        said = []
        for match in BLOCK.finditer(PAGE.read_text(encoding="utf-8")):
            if match["mark"].startswith("file: "):
                (tmp_path / match["mark"].removeprefix("file: ")).write_text(match["text"])
            else:
                said.append(shell(match["text"], tmp_path, daemon.env))
    finally:
        daemon.close()

    checked, reloaded, levels = said
    assert "90d" in checked.splitlines()
    schema = json.loads((tmp_path / "hostd.schema.json").read_text())
    jsonschema_rs.validator_for(schema).validate(yaml.safe_load((tmp_path / "hostd.yaml").read_text()))
    assert re.search(r"limits\.threads +32 +48 +changed", reloaded)
    assert re.search(rf"limits\.threads +48 +{daemon.data}/hostd\.yaml:3", reloaded)
    assert re.search(r"hostd\.journal +debug", levels)
    assert levels.rstrip().splitlines()[-1].startswith("as configured")
