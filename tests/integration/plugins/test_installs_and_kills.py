"""Installed plugins, changed and killed again and again: each start finds what was done, or what was begun, whole."""

from __future__ import annotations

from pathlib import Path

import pytest
from lab import NAMESPACE, Lab
from lua_installs import install, packed
from nurseries import kill_often

NURSERY = "install_nursery.py"


@pytest.mark.timeout(600)
def test_a_start_finds_what_was_done_or_begun(tmp_path: Path) -> None:
    """Installs, rollbacks, switches and uninstalls that a kill cuts off have happened or not, and leave no rubbish."""
    verdict = kill_often(NURSERY, tmp_path / "data", 8, 1)
    assert verdict["faults"] == []
    assert verdict["changes"] + verdict["cut_off"] > 0


async def test_an_uninstall_that_was_cut_off_disables_nobody(tmp_path: Path) -> None:
    """Killed before it forgot that the plugin was disabled: the next one of that name serves."""
    lab = await Lab(tmp_path / "data").open()
    try:
        await install(lab, packed("one", "1"))
        await lab.core.front.installs.disable(NAMESPACE, "one", principal="owner")
        assert lab.core.host.installed is not None
        await lab.core.host.installed.uninstall("one")  # the kill comes here
        await lab.restart()
        assert (await install(lab, packed("one", "2"))).plugin.state == "LOADED"
    finally:
        await lab.close()


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", range(10, 14))
def test_many_kills(tmp_path: Path, seed: int) -> None:
    """The same, with a hundred kills a seed."""
    assert kill_often(NURSERY, tmp_path / "data", 100, seed)["faults"] == []
