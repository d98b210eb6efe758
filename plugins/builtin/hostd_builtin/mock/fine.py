"""Mock actions that do as they should."""

from __future__ import annotations

from typing import Any

from hostd.plugin import Action, ActionContext, ActionError, Duration, Field, JsonValue, Options
from hostd_builtin.mock.codes import FAILED


class NoopOptions(Options):
    """Nothing to say."""


class Noop(Action[NoopOptions]):
    """Does nothing, as cheaply as an action can; never waits. The output is null."""

    id, since, stability, effects = "mock.noop", "0.1", "stable", "none"

    async def run(self, ctx: ActionContext, options: NoopOptions) -> None:
        """Return at once."""


class EchoOptions(Options):
    """What comes back."""

    value: Any = Field(None, description="Any JSON value.", examples=[{"price": 42}])


class Echo(Action[EchoOptions]):
    """Returns its value; never waits."""

    id, since, stability, effects = "mock.echo", "0.1", "stable", "none"

    async def run(self, ctx: ActionContext, options: EchoOptions) -> Any:
        """Return the value."""
        return options.value


class SleepOptions(Options):
    """How long."""

    duration: Duration = Field(description="Time to wait.", le="1d", examples=["2s"])
    value: Any = Field(None, description="The output.")


class Sleep(Action[SleepOptions]):
    """Waits on the loop, then returns its value. The wait is lost with the daemon; `flow.wait` is durable."""

    id, since, stability, effects = "mock.sleep", "0.1", "stable", "none"

    async def run(self, ctx: ActionContext, options: SleepOptions) -> Any:
        """Wait."""
        await ctx.clock.sleep(options.duration)
        return options.value


class ProgressOptions(Options):
    """How far, and where it breaks."""

    parts: int = Field(description="Parts to do.", ge=1, le=10_000, examples=[3])
    every: Duration = Field("0s", description="Time a part takes.", le="1h")
    fail_after: int | None = Field(None, description="The first attempt fails after so many parts.", ge=0)


class Progress(Action[ProgressOptions]):
    """Reports each part it has done, and goes on where the attempt before it stopped."""

    id, since, stability, effects = "mock.progress", "0.1", "stable", "none"
    codes = FAILED

    async def run(self, ctx: ActionContext, options: ProgressOptions) -> dict[str, JsonValue]:
        """Do the parts that are left. Raises ActionError MOCK_FAILED where it is told to."""
        begun = ctx.progress if isinstance(ctx.progress, int) else 0
        for part in range(begun, options.parts):
            if ctx.attempt == 1 and options.fail_after is not None and part >= options.fail_after:
                raise ActionError(f"told to fail after {options.fail_after} parts", code="MOCK_FAILED", retryable=True)
            await ctx.clock.sleep(options.every)
            ctx.heartbeat(part + 1)
        return {"parts": options.parts, "resumed_at": begun}
