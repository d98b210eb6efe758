"""Plugins that the operator put into one process: each serves by itself, and what ends the process ends it for all."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from effects import shows
from lab import Lab, of_kind

from hostd.config.rooms import Plugins
from hostd.host.found import PluginReport, PluginState
from hostd.host.process.plugin_process import PluginProcess
from hostd.host.process.states import ProcessState
from hostd.model.messages import Cancel
from hostd.model.records import AttemptLost, AttemptSucceeded
from hostd.runtime.ring.intake import Started
from hostd.values.json_text import parse_json

MEMBER = '''
import asyncio, os
from hostd.plugin import Action, Field, Options, Registry, hookimpl

class How(Options):
    how: str = Field("well", description="How.")

class Act(Action[How]):
    """Acts."""

    id, since, stability, effects = "NAME.act", "0.1", "stable", "none"

    async def run(self, ctx, options):
        if options.how == "die" and ctx.attempt == 1: os._exit(9)
        if options.how == "wait" and ctx.attempt == 1: await asyncio.sleep(600)
        return os.getpid()

@hookimpl
def hostd_register(registry: Registry) -> None:
    registry.action(Act)
'''
ACT = "workflow: %s\nsteps:\n  a: {uses: %s.act, with: {how: %s}}\n"
NAMES = ("one", "two", "three")


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    """A core with three plugins in one process, and one by itself."""
    for name in (*NAMES, "alone"):
        write(tmp_path, name, MEMBER)
    plugins = {"groups": {"trusted": list(NAMES)}, "limits": {"idle": "300ms"}}
    opened = await Lab(tmp_path / "data", plugins=plugins).open()
    yield opened
    await opened.core.lua.close()
    await opened.close()


def write(tmp_path: Path, name: str, text: str) -> None:
    """Write a plugin's folder."""
    folder = tmp_path / "data" / "plugins" / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "__init__.py").write_text(text.replace("NAME", name))


def known(lab: Lab, name: str) -> PluginProcess:
    """Return a plugin's process as the host keeps it."""
    assert lab.core.host.processes is not None
    return lab.core.host.processes.known[name]


def report(lab: Lab, name: str) -> PluginReport:
    """Return what became of a plugin."""
    return next(one for one in lab.core.host.registry.plugins if one.id == name)


async def act(lab: Lab, name: str, how: str = "well") -> Any:
    """Run a plugin's action; return the id of the process it ran in."""
    row, records = await lab.run(ACT % (name, name, how))
    assert row.reason == ""
    return parse_json(of_kind(records, AttemptSucceeded)[0].output)


async def pinned(lab: Lab) -> tuple[Started, int]:
    """Start an attempt that keeps the group's process from resting; return both."""
    await lab.until(lambda: all(known(lab, name).state is ProcessState.IDLE for name in NAMES))
    started = await lab.start(await lab.register(ACT % ("waits", "two", "wait")))
    await lab.until(lambda: known(lab, "two").desk.attempts)
    return started, known(lab, "two").pid


@shows("plugins.groups")
async def test_a_group_has_one_process_from_its_start_to_its_rest(lab: Lab) -> None:
    """Whichever is needed first starts it for all, and it ends when none of them has anything to do."""
    assert {report(lab, name).components for name in NAMES} == {(f"action {name}.act",) for name in NAMES}
    started, pid = await pinned(lab)
    assert {await act(lab, name) for name in NAMES} == {pid}
    assert await act(lab, "alone") != pid
    await lab.core.loop.ask(started.key, Cancel(), "test")
    await lab.until(lambda: all(known(lab, name).state is ProcessState.IDLE for name in NAMES))
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)

    await lab.restart(**lab.config.model_dump(exclude_unset=True))  # now it is known what they serve
    assert {known(lab, name).pid for name in NAMES} == {0}
    _, again = await pinned(lab)
    assert {await act(lab, name) for name in NAMES} == {again}


async def test_a_crash_takes_the_group(lab: Lab) -> None:
    """What the others held is lost and issued again."""
    waits, pid = await pinned(lab)
    assert await act(lab, "one", "die") != pid
    await lab.ended(waits)
    assert of_kind(lab.records(waits), AttemptLost)
    assert parse_json(of_kind(lab.records(waits), AttemptSucceeded)[0].output) != pid
    assert [known(lab, name).restarts for name in NAMES] == [1, 1, 1]
    assert known(lab, "alone").restarts == 0


async def test_one_that_goes_or_breaks_leaves_the_others(lab: Lab, tmp_path: Path) -> None:
    """It is taken away, changed into another version, or cannot be loaded: the rest of the group works on."""
    waits, pid = await pinned(lab)
    old = known(lab, "one")
    write(tmp_path, "one", MEMBER.replace("Acts.", "Acts otherwise."))
    await lab.until(lambda: known(lab, "one") is not old and known(lab, "one").spoke)
    shutil.rmtree(tmp_path / "data" / "plugins" / "three")
    await lab.until(lambda: lab.core.host.registry.action("three.act") is None)
    assert await act(lab, "two") == pid
    assert not of_kind(lab.records(waits), AttemptLost)

    await lab.close()
    write(tmp_path, "one", "raise RuntimeError('not today')")
    await lab.again()
    assert (report(lab, "one").state, report(lab, "one").message) == (PluginState.FAILED, "RuntimeError: not today")
    await lab.ended(waits)
    await act(lab, "two")
    assert known(lab, "two").restarts == 0


@pytest.mark.parametrize(
    ("groups", "why"),
    [
        ({"a": ["one", "two"], "b": ["two"]}, "the plugin two is in a and in b; it has one process"),
        ({"a": ["one", "one"]}, "the plugin one is in a and in a"),
        ({"a": [f"p{number}" for number in range(101)]}, "the group a has 101 plugins; at most 100"),
    ],
)
def test_a_plugin_has_one_process(groups: dict[str, list[str]], why: str) -> None:
    """The configuration says what is wrong with it."""
    with pytest.raises(ValueError, match=why):
        Plugins.model_validate({"groups": groups})
