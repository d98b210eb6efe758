"""Starters are written once, under names that work. (That they load and pass: tests/unit/cli/test_plugin_tools.py.)"""

from __future__ import annotations

from pathlib import Path

import pytest

from hostd.errors.base import HostdError
from hostd.host.starters import RUNTIMES, write_starter


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_names_are_filled_in_everywhere(tmp_path: Path, runtime: str) -> None:
    """No placeholder is left, in no file and no file's name."""
    for file in write_starter("price-feed", runtime, tmp_path):
        assert "@@" not in str(file)
        assert "@@" not in file.read_text()


@pytest.mark.parametrize("plugin_id", ["Price", "a b", "../up", "", "x" * 80])
def test_a_bad_id_writes_nothing(tmp_path: Path, plugin_id: str) -> None:
    """It is refused before anything is written."""
    with pytest.raises(HostdError, match="is no plugin id"):
        write_starter(plugin_id, "python", tmp_path)
    assert list(tmp_path.iterdir()) == []
