"""`mock.emit`: a trigger that emits as many events as told, and ends as told."""

from __future__ import annotations

from typing import Any, Literal

from hostd.plugin import (
    Duration,
    EndOfTrigger,
    Field,
    NotConnected,
    Options,
    PermanentFailure,
    RetryLater,
    Trigger,
    TriggerContext,
)


class EmitOptions(Options):
    """What to emit, and what then."""

    count: int = Field(1, description="Events to emit.", ge=0, le=1_000_000, examples=[10])
    batch: int = Field(1, description="Events handed over at once.", ge=1, le=1_000)
    every: Duration = Field("0s", description="Wait between two batches.", le="1d")
    data: Any = Field(None, description="The events' data; null = `{number}`.")
    prefix: str = Field("event", description="Ids are `<prefix>-<number>`.", max_length=100)
    then: Literal["wait", "end", "return", "raise", "later", "disconnect", "permanent"] = Field(
        "wait", description="How it ends when all is emitted."
    )


class Emit(Trigger[EmitOptions]):
    """Goes on behind its cursor, the number of the last event that was durable."""

    id, since, stability = "mock.emit", "0.1", "stable"

    async def run(self, ctx: TriggerContext) -> None:
        """Emit, then end as told."""
        options = self.options
        done = ctx.cursor if isinstance(ctx.cursor, int) else 0
        while done < options.count:
            numbers = range(done + 1, min(done + options.batch, options.count) + 1)
            data = options.data
            first, *more = [
                ctx.event({"number": number} if data is None else data, id=f"{options.prefix}-{number}")
                for number in numbers
            ]
            await ctx.emit(first, *more, cursor=numbers[-1])
            done = numbers[-1]
            if options.every and done < options.count:
                await ctx.clock.sleep(options.every)
        await self._end(ctx)

    async def _end(self, ctx: TriggerContext) -> None:
        ends: dict[str, Exception] = {
            "end": EndOfTrigger("told to end"),
            "raise": RuntimeError("told to raise"),
            "later": RetryLater("1s"),
            "disconnect": NotConnected("told to disconnect"),
            "permanent": PermanentFailure("told to fail for good"),
        }
        if self.options.then == "wait":
            await ctx.stopped()
        elif self.options.then != "return":
            raise ends[self.options.then]
