"""Blocks of pages, run as a person would type them."""

from __future__ import annotations

import subprocess
from pathlib import Path


def shell(script: str, folder: Path, env: dict[str, str]) -> str:
    """Run a block, which must succeed, and return what it prints."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script], cwd=folder, env=env, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
    return done.stdout
