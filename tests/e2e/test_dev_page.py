"""docs/how-to/develop.md, to the letter; what dev itself prints is shown by test_dev.py."""

from __future__ import annotations

from pathlib import Path

import pytest
from pages import Stage
from tree import ROOT


@pytest.mark.timeout(600)
def test_the_page_does_what_it_says(tmp_path: Path) -> None:
    """A folder is written, its cases pass, it runs."""
    Stage(tmp_path).play(ROOT / "docs/how-to/develop.md")
