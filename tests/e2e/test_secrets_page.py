"""docs/how-to/secrets.md, to the letter: its commands run against a daemon, and what they keep shows no secret."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest
from processes import DaemonProcess
from shells import shell

PAGE = Path(__file__).parents[2] / "docs/how-to/secrets.md"
BLOCK = re.compile(r"<!-- (?P<mark>file: [^\n]*?|run) -->\n```\w+\n(?P<text>.*?)```", re.DOTALL)


@pytest.mark.timeout(400)
def test_the_page_works(tmp_path: Path) -> None:
    """Set, used, turned to a new key and deleted; the output is `Bearer ***`, and no file holds the value."""
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

    listed, ran, rotated, told = said
    assert "api_token" in listed and "secrets.store" in listed
    assert '"Bearer ***"' in ran
    assert "new key: 1" in rotated
    assert all(verb in told for verb in ("secret.set", "secret.rotate", "secret.delete"))
    files = [path for path in daemon.data.rglob("*") if path.is_file()]
    assert not [path for path in files if b"s3cret-t0ken" in path.read_bytes()]
