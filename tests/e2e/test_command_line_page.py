"""docs/how-to/command-line.md, to the letter: its file is written, its blocks run against a daemon."""

from __future__ import annotations

import re
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from processes import DaemonProcess

PAGE = Path(__file__).parents[2] / "docs/how-to/command-line.md"
BLOCK = re.compile(r"(?:<!-- file: (?P<file>\S+) -->\n)?```(?P<kind>\w+)\n(?P<text>.*?)```", re.DOTALL)


def test_the_page_does_what_it_says(tmp_path: Path) -> None:
    """Every block runs; runs are started once, canceled by a pipe, and the difference is shown."""
    with closing(DaemonProcess(tmp_path)) as daemon:
        daemon.start()
        env = {**daemon.env, "PATH": f"{Path(sys.executable).parent}:{daemon.env['PATH']}"}
        said = []
        for match in BLOCK.finditer(PAGE.read_text(encoding="utf-8")):
            if match["file"]:
                (tmp_path / match["file"]).write_text(match["text"])
                continue
            command = ["bash", "-euo", "pipefail", "-c", match["text"]]
            done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=120)
            assert done.returncode == 0, f"{match['text']}\n{done.stdout}\n{done.stderr}"
            said.append(done.stdout)
        assert daemon.stop() == 0

    graph, many, one, pipes, change, _ = said
    assert "flow.wait  needs check" in graph
    assert many.count("order") >= 3
    assert "packed" in one
    assert "CANCEL" in pipes
    assert '~ steps.pack.with.message: "packed" -> "packed with care"' in change
