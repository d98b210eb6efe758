"""The README's five minutes, to the letter: its files are written, its commands run, against a real daemon."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from requires import require_tool
from shells import shell

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"(?:<!-- (?P<mark>[^\n]*?) -->\n)?```(?P<kind>\w+)\n(?P<text>.*?)```", re.DOTALL)


class Block(NamedTuple):
    """A fenced block of the README and the remark above it."""

    mark: str
    kind: str
    text: str


def blocks() -> Iterator[Block]:
    """Yield the blocks of the tour."""
    text = (ROOT / "README.md").read_text()
    tour = text[text.index("## Five minutes") : text.index("## What it promises")]
    for match in BLOCK.finditer(tour):
        yield Block(match["mark"] or "", match["kind"], match["text"])


@pytest.mark.timeout(400)
def test_the_five_minutes_work_as_written(tmp_path: Path) -> None:
    """Every file and command of the tour works in an empty folder."""
    require_tool("curl")
    for port in (7420, 7421):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                pytest.skip(f"another program listens on {port}, a default port of the tour")
    env = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "HOSTD_DATA": "./data"}
    daemon: subprocess.Popen[bytes] | None = None
    said = ""
    try:
        for block in blocks():
            if block.mark.startswith("file: "):
                (tmp_path / block.mark.removeprefix("file: ")).write_text(block.text)
            elif block.mark in ("background", "dev"):
                if daemon is not None:  # `q` in the terminal of `hostd dev`
                    stop(daemon)
                daemon = subprocess.Popen(["bash", "-c", f"exec {block.text.strip()}"], cwd=tmp_path, env=env)
                there = ["workflow", "show", "hello", "--data", "first/.hostd"] if block.mark == "dev" else ["health"]
                wait_for(there, tmp_path, env)
            elif block.kind == "sh":
                said += shell(block.text, tmp_path, env)
        said += shell("python start.py", tmp_path, env)
    finally:
        if daemon is not None:
            stop(daemon)
    assert "hello ada" in said
    assert '"text":"hello ada"' in said.replace(" ", "").replace("helloada", "hello ada")
    assert "STARTED" in said
    assert 'hostd_runs_started_total{source="trigger"}' in said


def stop(daemon: subprocess.Popen[bytes]) -> None:
    """End it in good order, where it has not ended so already."""
    daemon.send_signal(signal.SIGTERM)
    assert daemon.wait(timeout=120) == 0


def wait_for(command: list[str], folder: Path, env: dict[str, str]) -> None:
    """Wait until the daemon answers a command."""
    until = time.monotonic() + 120
    while subprocess.run(["hostd", *command], cwd=folder, env=env, capture_output=True).returncode != 0:
        assert time.monotonic() < until, "the daemon did not start"
        time.sleep(0.1)
