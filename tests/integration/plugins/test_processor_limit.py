"""`plugins.limits.cpu`: a plugin that computes for ever is ended, and its step says so."""

from __future__ import annotations

from pathlib import Path

import pytest
from lab import Lab, of_kind

from hostd.host.process import crashes, watchdog
from hostd.model.records import AttemptFailed
from hostd.model.states import RunState

PLUGIN = '''
import asyncio
from hostd.plugin import Action, Options, Registry, hookimpl

class Spin(Action[Options]):
    """Computes for ever, and lets its loop answer all the same."""

    id, since, stability, effects = "spins.spin", "0.1", "stable", "none"

    async def run(self, ctx, options):
        while True:
            sum(range(10_000))
            await asyncio.sleep(0)

@hookimpl
def hostd_register(registry: Registry) -> None:
    registry.action(Spin)
'''
SPIN = "workflow: spin\nsteps:\n  a: {uses: spins.spin}\n"
OTHER = "workflow: other\nsteps:\n  a: {uses: mock.sleep, with: {duration: 10ms}}\n"


async def test_a_spinner_is_ended_and_its_step_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each try loses its process, the last one alone: the step fails; what others do goes on."""
    monkeypatch.setattr(watchdog, "CPU_WINDOW_S", 0.5)
    monkeypatch.setattr(crashes, "BACKOFF_S", (0.0,))
    monkeypatch.setattr(crashes, "CRASHES_MAX", 100)  # its start alone may take more than that little
    folder = tmp_path / "data" / "plugins" / "spins"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text(PLUGIN)
    lab = await Lab(tmp_path / "data", plugins={"limits": {"cpu": 0.02}}).open()
    try:
        await lab.until(lambda: lab.core.host.registry.action("spins.spin"))
        spins = await lab.start(await lab.register(SPIN))
        other, _ = await lab.run(OTHER)
        assert other.state == RunState.SUCCEEDED
        row = await lab.ended(spins)
        [failed] = of_kind(lab.records(spins), AttemptFailed)
        assert row.reason == failed.failure.reason == "ATTEMPT_LOST"
        assert "processors over" in failed.failure.message
        assert failed.failure.message.endswith("it may use 0.02")
    finally:
        await lab.core.lua.close()
        await lab.close()
