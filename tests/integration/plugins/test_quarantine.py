"""A plugin that crashed from its first start on: nobody knows what it serves. What is said, and how it comes back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from lab import NAMESPACE, Lab, of_kind

from hostd.host.found import PluginState
from hostd.host.process import crashes
from hostd.model.records import AttemptFailed
from hostd.model.states import RunState

CRASHES = '''
import os, pathlib
from hostd.plugin import Action, Options, Registry, hookimpl

if not pathlib.Path({mended!r}).exists():
    os._exit(3)

class Act(Action[Options]):
    """Acts."""

    id = "other.act"

    async def run(self, ctx, options):
        return 1

@hookimpl
def hostd_register(registry: Registry) -> None:
    registry.action(Act)
'''
WORKFLOW = "workflow: w\nsteps:\n  a: {uses: other.act}\n"
QUARANTINE_S = 3_600.0


class House:
    """A daemon with one plugin that crashes until it is mended."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab = lab
        self.mended = folder / "mended"
        self.source = folder / "data" / "plugins" / "shaky" / "__init__.py"

    @property
    def state(self) -> PluginState:
        """How the plugin is."""
        return self.lab.core.host.registry.plugin("shaky").state

    async def quarantined(self) -> str:
        """Wait until it is; return what is said of it."""
        registry = self.lab.core.host
        await self.lab.until(lambda: any(one.id == "shaky" for one in registry.registry.plugins))
        await self.lab.until(lambda: self.state is PluginState.QUARANTINED)
        return registry.registry.plugin("shaky").message


@pytest.fixture
async def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    """Crashes follow each other quickly; the quarantine is long."""
    monkeypatch.setattr(crashes, "BACKOFF_S", (0.01,))
    monkeypatch.setattr(crashes, "QUARANTINE_S", QUARANTINE_S)
    lab = Lab(tmp_path / "data")
    found = House(lab, tmp_path)
    found.source.parent.mkdir(parents=True)
    found.source.write_text(CRASHES.format(mended=str(found.mended)))
    yield found
    await lab.close()


async def test_it_is_started_again_by_itself_when_its_time_is_over(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody can ask for what it serves, so nobody has to."""
    monkeypatch.setattr(crashes, "QUARANTINE_S", 0.01)
    await house.lab.open()
    house.mended.touch()
    await house.lab.until(lambda: house.lab.core.host.registry.action("other.act"))
    row, _ = await house.lab.run(WORKFLOW)
    assert row.state == RunState.SUCCEEDED


@pytest.mark.parametrize("road", ["reload", "enable", "change"])
async def test_the_roads_back(house: House, road: str) -> None:
    """Its message names them; a reload, enabling it and a change in its folder start it at once."""
    lab = house.lab
    await lab.open()
    message = await house.quarantined()
    assert message.startswith("kept out for ten minutes after 5 crashes, then started again by itself; ")
    assert "`hostd plugin reload shaky` starts it now" in message
    assert message.endswith("the last crash: exit 3")

    house.mended.touch()
    if road == "reload":
        await lab.core.host.reload("shaky")
    elif road == "enable":
        await lab.core.front.installs.enable(NAMESPACE, "shaky", principal="lab")
    else:
        house.source.write_text(house.source.read_text() + "\n")
    await lab.until(lambda: lab.core.host.registry.action("other.act"))
    row, _ = await lab.run(WORKFLOW)
    assert row.state == RunState.SUCCEEDED


async def test_a_step_says_why_it_cannot_have_its_action(house: House) -> None:
    """Another plugin in quarantine does not keep it waiting; that it may be the one is said, with the fix."""
    lab = house.lab
    house.mended.touch()
    await lab.open()
    workflow = await lab.register(WORKFLOW)
    house.mended.unlink()
    await lab.close()
    house.source.write_text(house.source.read_text() + "\n")
    await lab.again()
    await house.quarantined()
    started = await lab.start(workflow)
    await lab.ended(started)
    failure = of_kind(lab.records(started), AttemptFailed)[0].failure
    assert failure.reason == "ACTION_UNKNOWN"
    assert "plugin shaky, which may provide it, is quarantined: kept out for ten minutes" in failure.message
    assert "`hostd plugin reload shaky` starts it now" in failure.message
