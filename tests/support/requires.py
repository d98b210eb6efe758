"""What a test needs from the machine: without it a developer's run skips and counts, continuous integration fails."""

from __future__ import annotations

import os
import shutil
from typing import NoReturn

import pytest


def lacking(reason: str) -> NoReturn:
    """Skip with a reason, or fail under CI, where nothing is left out quietly."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{reason} (under CI this is an error, not a skip)")
    pytest.skip(reason)


def require_tool(name: str) -> str:
    """Return the path of a command."""
    found = shutil.which(name)
    if found is None:
        lacking(f"{name} is not installed")
    return found
