"""What processes use."""

from __future__ import annotations

import os
import sys

import pytest

from hostd.host.process.usage import usage_of


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_what_a_process_uses_is_read_and_one_that_is_gone_left_out() -> None:
    """Ours has memory and has used the processor; a number that no process has, and none at all, say nothing."""
    found = usage_of({"ours": os.getpid(), "gone": 2**22 + 1, "none": 0})
    assert list(found) == ["ours"]
    assert found["ours"].memory_bytes > 1_000_000
    assert found["ours"].cpu_s > 0
