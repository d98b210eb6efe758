"""A plugin that uses everything a plugin may use: what all three ways to run one are held against."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from hostd.plugin import (
    Action,
    ActionContext,
    ActionError,
    EndOfTrigger,
    Event,
    Field,
    NotConnected,
    Options,
    PermanentFailure,
    Registry,
    RetryLater,
    Schedule,
    Trigger,
    TriggerContext,
    WebhookRequest,
    WebhookResponse,
    hookimpl,
)

RAISES: dict[str, BaseException] = {
    "bug": ZeroDivisionError("division by zero"),
    "exit": SystemExit(3),
    "stop": StopAsyncIteration("stop"),
}
RETURNS: dict[str, Any] = {
    "huge": "x" * (17 * 1024 * 1024),
    "large": "x" * 1024 * 1024,
    "object": {"value": object()},
    "set": {1, 2},
    "nan": float("nan"),
    "nothing": None,
}


class DoOptions(Options):
    """What to do."""

    what: str = Field(description="Which of them.", max_length=20, examples=["succeed"])
    number: int = Field(0, description="A number.", ge=0, le=9)


class Do(Action[DoOptions]):
    """Does one of many things."""

    id, since, stability, effects = "probe.do", "1.0", "stable", "none"

    async def provision(self, ctx: Any) -> None:
        """Belong to the loop that attempts run on."""
        self.lock = asyncio.Lock()

    async def run(self, ctx: ActionContext, options: DoOptions) -> Any:
        """Do it."""
        async with self.lock:
            pass
        what = options.what
        if what in RAISES:
            raise RAISES[what]
        if what in RETURNS:
            return RETURNS[what]
        return await getattr(self, what)(ctx, options)

    async def succeed(self, ctx: ActionContext, options: DoOptions) -> Any:
        """Return facts of the attempt."""
        return {"step": ctx.step, "attempt": ctx.attempt, "number": options.number, "namespace": ctx.namespace}

    async def decline(self, ctx: ActionContext, options: DoOptions) -> Any:
        """Fail in its own words, for good."""
        raise ActionError("declined", code="CARD", details={"left": 1})

    async def busy(self, ctx: ActionContext, options: DoOptions) -> Any:
        """Fail once."""
        if ctx.attempt == 1:
            raise ActionError("busy", code="BUSY", retryable=True, retry_after="50ms")
        return ctx.attempt

    async def progress(self, ctx: ActionContext, options: DoOptions) -> Any:
        """Tell how far it is; the next attempt goes on from there."""
        if ctx.attempt == 1:
            ctx.heartbeat({"done": 1})
            ctx.heartbeat({"done": 7})
            raise ActionError("half way", code="HALF", retryable=True)
        return ctx.progress

    async def say(self, ctx: ActionContext, options: DoOptions) -> Any:
        """Log, with a secret in it."""
        secret = await ctx.secrets.get("card")
        ctx.log.info("charging", card=secret)
        ctx.log.error("and more")
        return {"card": secret, "length": len(secret)}

    async def keep(self, ctx: ActionContext, options: DoOptions) -> Any:
        """Use values, bytes and topics."""
        entry = await ctx.kv.put("a", {"n": 1})
        count = await ctx.kv.add("b", 4)
        listed = [one.key for one in await ctx.kv.list()]

        async def pieces() -> Any:
            yield b"by"
            yield b"tes"

        ref = await ctx.blobs.put(pieces())
        back = await ctx.blobs.get(ref)
        gone = await ctx.kv.delete("a")
        try:
            await ctx.kv.put("b", 1, expected_version=99)
        except Exception as error:
            conflict = getattr(error, "reason", "")
        return [entry.version, count.value, listed, back.decode(), gone, conflict]

    async def weigh(self, ctx: ActionContext, options: DoOptions) -> Any:
        """Evaluate an expression."""
        return await ctx.expressions.evaluate("a + 1", [{"a": 1}, {"a": 2}])

    async def publish(self, ctx: ActionContext, options: DoOptions) -> Any:
        """Publish events, one of them twice, and read them back."""
        events = [
            Event(id=f"p-{n}", source="/probe", type="probe.told", time=datetime(2026, 1, 1, tzinfo=UTC), data={"n": n})
            for n in (1, 2, 1)
        ]
        positions = await ctx.events.publish("told", *events)
        read = []
        async for published in ctx.events.subscribe(["told"], after=0):
            read.append([published.topic, published.event.id, published.event.data])
            if len(read) == 2:
                break
        return [positions[0] == positions[2], read]

    async def request(self, ctx: ActionContext, options: DoOptions) -> Any:
        """Have the host send a request to this machine."""
        url = f"http://127.0.0.1:{await ctx.secrets.get('port')}/echo"
        answer = await ctx.http.request("POST", url, headers={"x-who": "probe"}, body=b"ping")
        return [answer.status, answer.headers["content-type"], answer.body.decode()]

    async def fetch(self, ctx: ActionContext, options: DoOptions) -> Any:
        """Ask for an address that nobody may reach."""
        answer = await ctx.http.request("GET", "http://169.254.169.254/latest")
        return answer.status

    async def missing(self, ctx: ActionContext, options: DoOptions) -> Any:
        """Ask for a secret that is not there."""
        return await ctx.secrets.get("nowhere")

    async def linger(self, ctx: ActionContext, options: DoOptions) -> Any:
        """Wait until it is asked to stop."""
        await ctx.kv.put("lingers", True)
        try:
            await asyncio.sleep(60)
        finally:
            ctx.log.info("stopped", asked=ctx.cancel.requested)

    async def stubborn(self, ctx: ActionContext, options: DoOptions) -> Any:
        """Answer although it is asked to stop."""
        await ctx.kv.put("stubborn", True)
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            return "late, but here"


class CallOptions(Options):
    """How long."""

    ms: int = Field(0, description="Time it blocks, in milliseconds.", ge=0)


class Call(Action[CallOptions]):
    """Blocks its thread."""

    id, since, stability, effects, executors = "probe.call", "1.0", "stable", "none", ("thread", "process")

    def run(self, ctx: ActionContext, options: CallOptions) -> Any:
        """Sleep until done or asked to stop."""
        end_s = time.monotonic() + options.ms / 1000
        while time.monotonic() < end_s and not ctx.cancel.requested:
            time.sleep(0.005)
        ctx.log.info("called")
        return {"attempt": ctx.attempt}


class TellOptions(Options):
    """What to tell."""

    then: str = Field("wait", description="How it ends.", max_length=20, examples=["end"])


class Tell(Trigger[TellOptions]):
    """Tells of three things, one of them twice, and answers requests."""

    id, since, stability = "probe.tell", "1.0", "stable"

    async def run(self, ctx: TriggerContext) -> None:
        """Emit, then do as told."""

        async def answer(request: WebhookRequest) -> WebhookResponse:
            [emitted] = await ctx.emit(ctx.event({"n": len(request.body)}, id=f"hook-{len(request.body)}"))
            return WebhookResponse.json(202, {"outcome": emitted.outcome, "who": request.headers.get("who", "")})

        if self.options.then == "answer":
            ctx.http.route("probe", ["POST"], answer)
            await ctx.stopped()
        begun = ctx.cursor if isinstance(ctx.cursor, int) else 0
        for number in range(begun, 3):
            await ctx.emit(ctx.event({"n": number}, id=f"e-{number}"), cursor=number + 1)
        again = await ctx.emit(ctx.event({"n": 0}, id="e-0"))
        await ctx.kv.put("told", {"again": [one.outcome for one in again], "begun": begun})
        ends: dict[str, BaseException] = {
            "end": EndOfTrigger("over"), "later": RetryLater("1h"), "lost": NotConnected("gone"),
            "fail": PermanentFailure("for good"), "bug": KeyError("oh"), "exit": SystemExit(1),
        }  # fmt: skip
        if self.options.then in ends:
            raise ends[self.options.then]
        try:
            await ctx.stopped()
        finally:
            ctx.log.info("stopped")


class ClockOptions(Options):
    """When."""

    goes: str = Field("hourly", description="What its schedule does.", max_length=20, examples=["hourly"])
    timezone: str = Field("Europe/Berlin", description="Whose clocks.", max_length=60, examples=["Europe/Berlin"])
    overlap: str = Field("skip", description="While a run is open.", max_length=20, examples=["skip"])


class Hourly:
    """Every hour, or nothing that could be called a schedule."""

    def __init__(self, goes: str) -> None:
        self._goes = goes

    def next_after(self, at: datetime) -> datetime | None:
        """Return the next hour, or what was asked for."""
        if self._goes == "raises":
            raise KeyError("no hour")
        if self._goes == "stands":
            return at
        hour = at.replace(minute=0, second=0, microsecond=0)
        return None if self._goes == "ends" and at.hour >= 14 else hour + timedelta(hours=1)

    def at_or_before(self, at: datetime) -> datetime | None:
        """Return the hour before."""
        return at.replace(minute=0, second=0, microsecond=0)


class Clock(Trigger[ClockOptions]):
    """Goes by the clock, as far as it says; it emits nothing."""

    id, since, stability = "probe.clock", "1.0", "stable"

    def schedule(self) -> Schedule | None:
        """Return what it goes by."""
        if self.options.goes == "refuses":
            raise ValueError("no schedule")
        return Hourly(self.options.goes) if self.options.goes != "free" else None

    async def run(self, ctx: TriggerContext) -> None:
        """Wait."""
        await ctx.stopped()


@hookimpl
def hostd_register(registry: Registry) -> None:
    """Register everything."""
    registry.action(Do)
    registry.action(Call)
    registry.trigger(Tell)
    registry.trigger(Clock)
