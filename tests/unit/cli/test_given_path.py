"""Paths on the command line."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.mark.parametrize(
    "words", [("init", ""), ("dev", ""), ("workflow", "test", ""), ("config", "check", " "), ("validate", "")]
)
def test_an_empty_path_is_not_this_folder(hostd: Any, words: tuple[str, ...]) -> None:
    """`hostd init "$UNSET"` writes nothing."""
    done = hostd(*words)
    assert done.code == 2
    assert "is empty" in done.err


def test_json_is_no_data_folder(hostd: Any) -> None:
    """`--data` of a command that has no data of its own is the folder; who writes JSON is told."""
    done = hostd("trigger", "fire", "orders/door", "--data", '{"n": 1}')
    assert done.code == 2
    assert "--data names the daemon's data folder" in done.err
