"""docs/how-to/observe.md, to the letter: its commands run against a daemon, and its settings are taken."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path

import pytest
import yaml
from processes import DaemonProcess
from shells import shell

from hostd.config.rooms import Config

PAGE = Path(__file__).parents[2] / "docs/how-to/observe.md"
BLOCK = re.compile(r"<!-- (?P<mark>file: [^\n]*?|run) -->\n```\w+\n(?P<text>.*?)```", re.DOTALL)
SETTINGS = re.compile(r"```yaml\n(# pip.*?)```", re.DOTALL)


@pytest.mark.timeout(400)
def test_the_page_works(tmp_path: Path) -> None:
    """Logs name whose they are, levels change and go back, metrics come in both formats."""
    daemon = DaemonProcess(tmp_path, PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    daemon.start()
    try:
        said = []
        for match in BLOCK.finditer(PAGE.read_text(encoding="utf-8")):
            if match["mark"].startswith("file: "):
                name = match["mark"].removeprefix("file: ")
                (tmp_path / name).write_text(match["text"])
                (daemon.data / name).write_text(match["text"])
            else:
                said.append(shell(match["text"].replace("127.0.0.1:7421", daemon.http), tmp_path, daemon.env))
    finally:
        daemon.close()

    logged, levels, scraped = said
    line = json.loads(logged.rstrip().splitlines()[-1])
    assert (line["line"], line["step"], line["workflow"], line["plugin"]) == ("hello", "say", "greet", "lua")
    assert {"run_id", "attempt", "action", "namespace", "trace_id", "span_id"} <= line.keys()
    assert re.search(r"hostd\.journal +debug", levels)
    assert re.search(r'hostd_runs_ended_total\{outcome="SUCCEEDED"\} 1\.0\n', scraped)
    assert scraped.rstrip().endswith("# EOF")


def test_the_settings_of_the_page_are_taken() -> None:
    """They are what the configuration knows."""
    [text] = SETTINGS.findall(PAGE.read_text(encoding="utf-8"))
    config = Config.model_validate(yaml.safe_load(text))
    assert (config.otel.endpoint, config.otel.sample) == ("http://localhost:4318", 0.1)
