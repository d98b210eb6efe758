"""What would end an event loop ends the attempt only, in a thread as in a process."""

from __future__ import annotations

from pathlib import Path

import pytest

from hostd.testing import on_stage

PLUGIN = '''
import asyncio
from hostd.plugin import Action, Field, Options, Registry, hookimpl

class RaiseOptions(Options):
    what: str = Field(description="Name of a built-in exception; none for none.", max_length=40)

def do(what):
    if what:
        raise __builtins__[what]("now")
    return "here"

class Raise(Action[RaiseOptions]):
    """Raises."""

    id, since, stability, effects = "ends.raise", "1.0", "stable", "none"

    async def run(self, ctx, options):
        return do(options.what)

class Block(Action[RaiseOptions]):
    """Raises in a thread of the pool."""

    id, since, stability, effects, executors = "ends.block", "1.0", "stable", "none", ("thread", "process")

    def run(self, ctx, options):
        return do(options.what)

class Stop(Action[Options]):
    """Stops the loop it is on."""

    id, since, stability, effects = "ends.stop", "1.0", "stable", "none"

    async def run(self, ctx, options):
        asyncio.get_running_loop().stop()
        return "stopped"

@hookimpl
def hostd_register(registry: Registry) -> None:
    for action in (Raise, Block, Stop):
        registry.action(action)
'''


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    """The plugin's folder."""
    folder = tmp_path / "ends"
    folder.mkdir()
    (folder / "__init__.py").write_text(PLUGIN)
    return folder


@pytest.mark.parametrize("mode", ["thread", "process"])
async def test_an_attempt_fails_and_the_next_succeeds(plugin: Path, mode: str) -> None:
    """KeyboardInterrupt would end the daemon with its loop, GeneratorExit would be waited for for ever."""
    async with on_stage(plugin, mode=mode) as stage:
        for action in ("ends.raise", "ends.block"):
            for what in ("KeyboardInterrupt", "GeneratorExit", "SystemExit"):
                outcome = await stage.attempt(action, {"what": what}, timeout="60s")
                assert (outcome.reason, outcome.message) == ("ACTION_RAISED", f"{what}: now")
            assert (await stage.attempt(action, {"what": ""})).output == "here"


async def test_a_plugin_cannot_stop_its_loop_in_a_thread(plugin: Path) -> None:
    """The loop goes on: with this attempt, and for those to come."""
    async with on_stage(plugin, mode="thread") as stage:
        assert (await stage.attempt("ends.stop", {}, timeout="60s")).output == "stopped"
        assert (await stage.attempt("ends.raise", {"what": ""})).output == "here"
