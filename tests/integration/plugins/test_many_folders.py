"""As many folders as somebody may have: a few start at once, and one that is slow holds up itself only."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from lab import Lab
from machine_pulse import MachinePulse

from hostd.host.found import PluginState
from hostd.host.process import start_queue
from hostd.host.process.start_queue import STARTS_MAX
from hostd.host.process.states import ProcessState

PLUGIN = '''
from hostd.plugin import Action, Options, Registry, hookimpl
BEGIN
class Act(Action[Options]):
    """Acts."""

    id, since, stability, effects = "NAME.act", "0.1", "stable", "none"

    async def run(self, ctx, options):
        return 1

@hookimpl
def hostd_register(registry: Registry) -> None:
    registry.action(Act)
'''
SLOW = "import time\nfrom pathlib import Path\nwhile not Path(__file__).with_name('go').exists(): time.sleep(0.01)\n"


def write(plugins_dir: Path, name: str, begin: str = "") -> Path:
    """Write a plugin's folder, whole at once."""
    folder = plugins_dir / f".{name}"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text(PLUGIN.replace("NAME", name).replace("BEGIN", begin))
    return folder.rename(plugins_dir / name)


def loaded(lab: Lab) -> set[str]:
    """Return the plugins of folders that serve."""
    plugins = lab.core.host.registry.plugins
    return {one.id for one in plugins if one.isolation == "process" and one.state is PluginState.LOADED}


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_fifty_five_folders_start_a_few_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The daemon's loop goes on meanwhile; the next start needs no process for any of them."""
    monkeypatch.setattr(start_queue, "LENT_S", 600.0)
    names = {f"p{number:02}" for number in range(55)}
    for name in names:
        write(tmp_path / "plugins", name)
    lab = Lab(tmp_path / "data", plugins={"dir": str(tmp_path / "plugins")})
    most = 0
    pulse = MachinePulse()
    opening = asyncio.ensure_future(lab.open())
    try:
        while not opening.done() or loaded(lab) != names:
            await asyncio.sleep(0.01)
            processes = lab.core.host.processes
            known = processes.known.values() if processes is not None else ()
            most = max(most, sum(one.state is ProcessState.STARTING for one in known))
        await opening
        assert most == STARTS_MAX
        assert pulse.too_busy() or lab.core.loop_watch.stalls.total() <= 5  # here there are none
        await lab.restart(**lab.config.model_dump(exclude_unset=True))
        assert loaded(lab) == names
        assert lab.core.host.processes is not None
        assert [one.pid for one in lab.core.host.processes.known.values() if one.pid] == []
    finally:
        await lab.core.lua.close()
        await lab.close()


async def test_a_slow_folder_holds_up_itself_only(tmp_path: Path) -> None:
    """Others that are dropped in with it, or after it, are served while it still loads; so is what goes."""
    plugins = tmp_path / "data" / "plugins"
    lab = await Lab(tmp_path / "data").open()
    try:
        slow = write(plugins, "slow", SLOW)
        write(plugins, "quick")
        await lab.until(lambda: "quick" in loaded(lab))
        write(plugins, "later").rename(plugins / "renamed")
        await lab.until(lambda: "renamed" in loaded(lab))
        (plugins / "renamed").rename(plugins / "later")
        await lab.until(lambda: loaded(lab) == {"quick", "later"})
        (slow / "go").touch()
        await lab.until(lambda: "slow" in loaded(lab))
    finally:
        await lab.core.lua.close()
        await lab.close()
