"""The watchdog of the loop: a plugin that blocks the daemon is seen, named and counted."""

from __future__ import annotations

from pathlib import Path

import pytest
from lab import HARMFUL, Lab

BLOCK = "workflow: w\nsteps:\n  a: {uses: mock.block, with: {duration: %s}}\n"


async def test_a_plugin_that_blocks_the_loop_is_named(caplog: pytest.LogCaptureFixture) -> None:
    """Its stack is logged while it blocks, and the stall is counted under its name."""
    lab = await Lab(None).open()
    try:
        await lab.run(BLOCK % "600ms")
        await lab.until(lambda: "loop_stalled plugin=mock" in caplog.text)
        assert "mock/harmful.py" in caplog.text
        assert b'hostd_loop_stalls_total{plugin="mock"} 1.0' in await lab.core.meter.render()
    finally:
        await lab.close()


async def test_in_a_thread_it_holds_up_nobody(tmp_path: Path) -> None:
    """The same action beside the daemon's loop: no stall, and the same output."""
    lab = await Lab(None, plugins={**HARMFUL["plugins"], "thread": ["mock"]}).open()
    try:
        row, _ = await lab.run(BLOCK % "600ms")
        assert row.reason == ""
        assert lab.core.loop_watch.stalls["mock"] == 0
    finally:
        await lab.close()
