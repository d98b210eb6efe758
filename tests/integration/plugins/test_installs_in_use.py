"""Installed plugins whose attempts run while they are replaced or taken away."""

from __future__ import annotations

import io
import sys
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from lab import NAMESPACE, Lab, of_kind
from lua_installs import install

from hostd.host.process.launch import CHILD_MODULE
from hostd.model.records import AttemptFailed, AttemptLost, AttemptSucceeded
from hostd.model.states import RunState
from hostd.runtime.ring.intake import Started
from hostd.values.json_text import parse_json

MANIFEST = 'manifest: 1\nid: busy\nversion: "%s"\nruntime: exec\ncommand: [./run]\n'
RUN = """#!%s
import os, pathlib, sys
code = pathlib.Path(__file__).parent.absolute() / "code"
os.execv(sys.executable, [sys.executable, "-m", "%s", "--folder", str(code)])
"""
CODE = '''
import asyncio, pathlib
from hostd.plugin import Action, Options, Registry, hookimpl

class Work(Action[Options]):
    """Waits, then needs another of its files."""

    id = "busy.work"

    async def run(self, ctx, options):
        pathlib.Path({began!r}).touch()
        while not pathlib.Path({go!r}).exists():
            await asyncio.sleep(0.01)
        return pathlib.Path(__file__).with_name("late.txt").read_text()

@hookimpl
def hostd_register(registry: Registry) -> None:
    registry.action(Work)
'''
WORKFLOW = "workflow: w\nsteps:\n  a: {uses: busy.work}\n"


class Busy:
    """A plugin in a process, whose attempts wait until they may go on."""

    def __init__(self, folder: Path, lab: Lab) -> None:
        self.lab = lab
        self.home = folder / "data" / "plugins-installed" / "busy"
        self.began = folder / "began"
        self.go = folder / "go"

    async def install(self, version: str) -> None:
        """Install a version."""
        data = io.BytesIO()
        with zipfile.ZipFile(data, "w") as archive:
            archive.writestr("hostd-plugin.yaml", MANIFEST % version)
            program = zipfile.ZipInfo("run")
            program.external_attr = 0o100755 << 16
            archive.writestr(program, RUN % (sys.executable, CHILD_MODULE))
            archive.writestr("code/__init__.py", CODE.format(began=str(self.began), go=str(self.go)))
            archive.writestr("code/late.txt", version)
        await install(self.lab, data.getvalue())

    async def working(self) -> Started:
        """Return a run whose attempt waits."""
        started = await self.lab.start(await self.lab.register(WORKFLOW))
        await self.lab.until(self.began.exists)
        return started


@pytest.fixture
async def busy(tmp_path: Path) -> AsyncIterator[Busy]:
    """Its first version, installed."""
    lab = await Lab(tmp_path / "data").open()
    found = Busy(tmp_path, lab)
    await found.install("1")
    yield found
    found.go.touch()
    await lab.close()


async def test_the_files_of_a_version_stay_while_it_has_attempts(busy: Busy) -> None:
    """Two newer ones later it reads what it has not read before; once it has ended the next install removes it."""
    started = await busy.working()
    await busy.install("2")
    await busy.install("3")
    busy.go.touch()
    assert (await busy.lab.ended(started)).state == RunState.SUCCEEDED
    records = busy.lab.records(started)
    assert not of_kind(records, AttemptLost)
    assert parse_json(of_kind(records, AttemptSucceeded)[0].output) == "1"

    processes = busy.lab.core.host.processes
    assert processes is not None
    await busy.lab.until(lambda: len(processes.commands("busy")) == 1)
    await busy.install("4")
    assert sorted(entry.name for entry in busy.home.iterdir()) == ["3", "4", "state.json"]


async def test_an_uninstall_ends_what_its_versions_hold(busy: Busy) -> None:
    """Attempts of the version that serves and of the one before are lost; their runs end, and say why."""
    before = await busy.working()
    await busy.install("2")
    busy.began.unlink()
    last = await busy.working()
    await busy.lab.core.front.installs.uninstall(NAMESPACE, "busy", principal="owner")
    assert not busy.home.exists()
    for started in (before, last):
        row = await busy.lab.ended(started)
        assert (row.state, row.reason) == (RunState.FAILED, "ACTION_UNKNOWN")
        records = busy.lab.records(started)
        assert of_kind(records, AttemptLost)
        assert "`hostd plugin list`" in of_kind(records, AttemptFailed)[0].failure.message
