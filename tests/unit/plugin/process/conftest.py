"""A host in the test and a plugin that does everything a plugin may, well or badly."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from plugin_child import PluginChild, TestHost

SAMPLE = '''
"""A plugin that tries everything."""
import asyncio, os, sys, threading, time
from datetime import UTC, datetime, timedelta
from hostd.plugin import *
from hostd.plugin import PermanentFailure, PARTITIONS

class NoOptions(Options): ...

class GreetOptions(Options):
    name: str = Field(description="Whom to greet.", examples=["Ada"])
    times: int = Field(1, description="How often.", ge=1)

class Greet(Action[GreetOptions]):
    """Says hello. And more."""
    id, since, stability, effects = "sample.greet", "0.1", "stable", "none"
    codes = {"SHY": "Nobody is there.", "HTTP_<status>": "The answer's status."}
    class Settings(Options):
        salute: str = Field("hello", description="The word.")
    async def provision(self, ctx):
        self.home = str(ctx.data_dir) if ctx.data_dir else ""
        ctx.log.info("provisioned", plugin=ctx.plugin)
    async def run(self, ctx, options):
        return {"text": " ".join([self.settings.salute, options.name] * options.times), "home": self.home,
                "key": ctx.idempotency_key, "progress": ctx.progress, "attempt": ctx.attempt}

class BadHome(Action[NoOptions]):
    id = "sample.bad_home"
    async def provision(self, ctx):
        raise RuntimeError("no disk")
    async def run(self, ctx, options): return 1

class Strange(BaseException): ...

class FailOptions(Options):
    how: str = Field(description="How.")

class Fail(Action[FailOptions]):
    id = "sample.fail"
    async def run(self, ctx, options):
        how = options.how
        if how == "words": raise ActionError("declined", code="CARD", retryable=True, retry_after=2, details={"a": 1})
        if how == "exit": sys.exit(5)
        if how == "strange": raise Strange("odd")
        if how == "keyboard": raise KeyboardInterrupt
        if how == "cancel": raise asyncio.CancelledError
        if how == "huge": return "x" * 3_000_000
        if how == "object": return object()
        if how == "bug": return 1 / 0

class Blocking(Action[FailOptions]):
    id, executors = "sample.blocking", ("thread", "process")
    def run(self, ctx, options):
        if options.how == "exit": sys.exit(5)
        if options.how == "stop": raise StopIteration
        ctx.heartbeat({"n": 1})
        ctx.log.info("in a thread", main=threading.current_thread() is threading.main_thread())
        while options.how == "until" and not ctx.cancel.requested: time.sleep(0.01)
        if ctx.cancel.requested: raise ActionError("stopped")
        return "done"

class Wait(Action[NoOptions]):
    """Goes on when a file is there."""
    id = "sample.wait"
    async def run(self, ctx, options):
        print("waiting", flush=True)
        try:
            while not os.path.exists(os.environ["GATE"]): await asyncio.sleep(0.01)
        except asyncio.CancelledError:
            print("cancelled", flush=True)
            raise
        return "went on"

class Beat(Action[NoOptions]):
    id = "sample.beat"
    async def run(self, ctx, options):
        for n in range(1000): ctx.heartbeat({"n": n}); ctx.log.info("line", n=n)
        return 1

class Flood(Action[NoOptions]):
    id = "sample.flood"
    async def run(self, ctx, options):
        for n in range(12_000): ctx.log.debug("x" * 20, odd=object())
        return os.environ.get("HOSTD_PLUGIN_COOKIE", "no cookie")

class Stuck(Action[NoOptions]):
    id = "sample.stuck"
    async def run(self, ctx, options): print("stuck", flush=True); time.sleep(30)

class Ask(Action[FailOptions]):
    id = "sample.ask"
    async def run(self, ctx, options):
        how = options.how
        try:
            if how == "secret": return await ctx.secrets.get("TOKEN")
            if how == "kv":
                put = await ctx.kv.put("a", [1], ttl=timedelta(seconds=5), expected_version=3)
                return {"put": put.version, "none": await ctx.kv.get("b"), "n": (await ctx.kv.add("c")).value,
                        "gone": await ctx.kv.delete("a"), "keys": [e.key for e in await ctx.kv.list("a", limit=5)]}
            if how == "blob":
                ref = await ctx.blobs.put(b"12345", content_type="text/plain")
                return {**ref.to_json(), "back": (await ctx.blobs.get(ref)).decode()}
            if how == "huge_blob":
                await ctx.blobs.put(b"x" * 3_000_000)
            if how == "events":
                at = datetime(2026, 1, 1, tzinfo=UTC)
                seen = [(await ctx.events.publish("t", Event("e", "s", "y", at, {"a": 1})))[0]]
                async for one in ctx.events.subscribe(["t.*"]):
                    seen.append([one.position, one.topic, one.event.data])
                    if len(seen) == 3: return seen
            if how == "http":
                limit = timedelta(seconds=3)
                got = await ctx.http.request("POST", "http://x", headers={"a": "b"}, body=b"in", timeout=limit)
                return [got.status, dict(got.headers), got.body.decode()]
            if how == "weigh": return await ctx.expressions.evaluate("a + 1", [{"a": 1}, {"a": 2}])
            if how == "compile": return ctx.expressions.compile("a + 1", "a")({"a": 1})
            if how == "add": return (await ctx.kv.add("c")).value
        except HostdError as error:
            return {"reason": error.reason, "kind": error.kind.value}
        except ActionError as error:
            return {"code": error.code}

class TickOptions(Options):
    mode: str = Field("ticks", description="What to do.")

class Tick(Trigger[TickOptions]):
    """Fires."""
    id = "sample.tick"
    async def run(self, ctx):
        mode = self.options.mode
        if mode == "later": raise RetryLater("3s", "busy")
        if mode == "down": raise NotConnected("broker")
        if mode == "wrong": raise PermanentFailure("password")
        if mode == "bug": 1 / 0
        if mode == "exit": sys.exit(1)
        if mode == "return": return
        if mode == "hook":
            async def handle(request):
                if request.body == b"bug": 1 / 0
                done = await ctx.emit(ctx.event({"got": request.body.decode()}, id="h"))
                return WebhookResponse.json(201, {"runs": list(done[0].run_ids), "h": request.headers["x"]})
            print(ctx.http.route("orders", ["POST"], handle).url_path, flush=True)
            await ctx.stopped()
        if mode == "last":
            try: await ctx.stopped()
            except asyncio.CancelledError:
                done = await ctx.emit(ctx.event(id="last"))
                print("emitted", done[0].outcome, flush=True)
                raise
        slot = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
        ctx.log.warning("from", cursor=ctx.cursor, since=ctx.clock._mark.isoformat() if ctx.clock._mark else "")
        done = await ctx.emit(ctx.event({"n": 1}, id="e1"), ctx.event(id="e2", time=slot), cursor=slot)
        print(done, repr(ctx.cursor), flush=True)
        await ctx.emit(ctx.event(id="e3"), cursor={"offset": 4})
        await ctx.stopped()

class Parts(Trigger[NoOptions]):
    id, instances = "sample.parts", PARTITIONS
    async def partitions(self, ctx): return ["a", "b"]
    async def run(self, ctx): await ctx.stopped()

@hookimpl
def hostd_register(registry):
    for action in (Greet, BadHome, Fail, Blocking, Wait, Beat, Flood, Stuck, Ask): registry.action(action)
    for trigger in (Tick, Parts): registry.trigger(trigger)
'''


@pytest.fixture
async def host(tmp_path: Path) -> AsyncIterator[TestHost]:
    """A host that listens."""
    started = TestHost(tmp_path / "h.sock")
    await started.start()
    yield started
    await started.stop()


@pytest.fixture
async def sample(tmp_path: Path, host: TestHost) -> AsyncIterator[PluginChild]:
    """The sample plugin's process; its gate is `gate` in the folder."""
    folder = tmp_path / "sample"
    folder.mkdir()
    (folder / "__init__.py").write_text(SAMPLE)
    child = await PluginChild.start(host, folder, GATE=str(tmp_path / "gate"))
    yield child
    await child.close()
