"""Webhooks of a plugin in a process of its own that never answer: the sender hears why, and nothing is left behind."""

from __future__ import annotations

import asyncio
from pathlib import Path

from hooks_kit import open_door
from lab import Lab

PLUGIN = '''
import asyncio, os, signal
from datetime import timedelta
from hostd.plugin import *

class Door(Options):
    path: str = Field(description="Where.")
    mode: str = Field("hang", description="What is done.")

class Listen(Trigger[Door]):
    """Answers, or does not."""

    id, since, stability = "outside.listen", "0.1", "stable"

    async def run(self, ctx):
        async def answer(request):
            await ctx.kv.add(f"asked/{self.options.mode}")
            if self.options.mode == "answer":
                return WebhookResponse.json(200, "here")
            if self.options.mode == "die":
                os.kill(os.getpid(), signal.SIGKILL)
            await asyncio.Event().wait()

        short = timedelta(milliseconds=300) if self.options.mode == "hang" else timedelta(minutes=5)
        ctx.http.route(self.options.path, ["POST"], answer, timeout=short)
        await ctx.stopped()

@hookimpl
def hostd_register(registry):
    registry.trigger(Listen)
'''


async def test_a_process_that_does_not_answer_is_a_504_and_one_that_dies_a_503(tmp_path: Path) -> None:
    """The time is the plugin's own; the process goes on answering others, and after its end a new one does."""
    folder = tmp_path / "data" / "plugins" / "outside"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text(PLUGIN)
    lab = await Lab(tmp_path / "data").open()
    try:
        await lab.until(lambda: lab.core.host.registry.trigger("outside.listen"))
        for mode in ("hang", "answer", "die"):
            await lab.register(
                f"workflow: {mode}\ntriggers:\n  t:\n    uses: outside.listen\n"
                f"    with: {{path: {mode}, mode: {mode}}}\nsteps:\n  a: {{uses: mock.noop}}\n"
            )
        async with open_door(lab) as door:
            status, said, _ = await door.send("hang")
            assert (status, said["reason"]) == (504, "WEBHOOK_TIMEOUT")
            both = await asyncio.gather(door.send("hang"), door.send("answer"))
            assert [(status, said) for status, said, _ in both][1] == (200, "here")
            status, said, _ = await door.send("die")
            assert (status, said["reason"]) == (503, "PLUGIN_UNAVAILABLE")
            assert door.waiting() == 0
            while (await door.send("answer"))[0] == 503:  # until the next process has opened its paths
                await asyncio.sleep(0.01)
            assert (await door.send("answer"))[:2] == (200, "here")
    finally:
        await lab.core.lua.close()
        await lab.close()
