"""A trigger with partitions in a plugin's process, on a whole core: keys that come and go, a crash, a restart."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
from lab import Lab

from hostd.runtime.triggers import trigger_life

PLUGIN = '''
import asyncio, json
from pathlib import Path
from hostd.plugin import *

class Where(Options):
    file: str = Field(description="Counts of messages by partition, as JSON.")

class Parts(Trigger[Where]):
    """Reads a stream by partition."""

    id, since, stability = "stream.read", "0.1", "stable"
    instances = PARTITIONS

    def read(self):
        return json.loads(Path(self.options.file).read_text())

    async def partitions(self, ctx):
        return sorted(self.read())

    async def run(self, ctx):
        done = ctx.cursor or 0
        while True:
            while done < self.read().get(ctx.partition, 0):
                done += 1
                await ctx.emit(ctx.event(done, id=f"{ctx.partition}/{done}"), cursor=done)
            await asyncio.sleep(0.01)

@hookimpl
def hostd_register(registry: Registry) -> None:
    registry.trigger(Parts)
'''
DOCUMENT = """
workflow: w
triggers:
  t: {uses: stream.read, with: {file: %s}}
steps:
  a: {uses: flow.pass}
"""


@pytest.fixture
async def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Lab]:
    """A core that asks for partitions often, with the plugin in its folder."""
    monkeypatch.setattr(trigger_life, "PARTITIONS_EVERY_S", 0.02)
    monkeypatch.setattr(trigger_life, "BACKOFF_S", (0.01,))
    folder = tmp_path / "data" / "plugins" / "stream"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text(PLUGIN)
    opened = await Lab(tmp_path / "data").open()
    yield opened
    await opened.core.lua.close()
    await opened.close()


def write(file: Path, counts: Mapping[str, int]) -> None:
    """Say how many messages there are, at one instant."""
    file.with_suffix(".new").write_text(json.dumps(counts))
    file.with_suffix(".new").replace(file)


async def test_every_message_of_every_partition_starts_one_run(lab: Lab, tmp_path: Path) -> None:
    """Whatever partitions come, go and come back, and however often the process dies or the core is opened anew."""
    file = tmp_path / "stream.json"
    write(file, {"p0": 3, "p1": 2})
    await lab.until(lambda: lab.core.host.registry.trigger("stream.read"))
    await lab.register(DOCUMENT % file)
    await lab.core.triggers.start()
    await lab.until(lambda: len(lab.runs()) == 5)

    write(file, {"p1": 2, "p2": 4})  # p0 is gone
    await lab.until(lambda: len(lab.runs()) == 9 and set(lab.trigger("w", "t").parts) == {"p1", "p2"})
    assert lab.core.host.processes is not None
    os.kill(lab.core.host.processes.known["stream"].pid, signal.SIGKILL)
    write(file, {"p0": 5, "p1": 3, "p2": 4})  # p0 is back, further on
    await lab.until(lambda: len(lab.runs()) == 12)

    await lab.restart()
    write(file, {"p0": 6, "p1": 3, "p2": 4})
    await lab.core.triggers.start()
    await lab.until(lambda: len(lab.runs()) == 13 and len(lab.trigger("w", "t").parts) == 3)
    assert lab.trigger("w", "t").source.row.fired == 13
