"""`cron.every`: fires at a fixed period."""

from __future__ import annotations

from datetime import datetime

from pydantic import model_validator

from hostd.plugin import CatchUp, Duration, Event, Field, Options, Trigger, TriggerContext, rfc3339


class EveryOptions(Options):
    """Multiples of the period since 1970-01-01T00:00:00Z, plus the offset."""

    period: Duration = Field(description="Time between two firings.", ge="100ms", le="366d", examples=["10s"])
    offset: Duration = Field("0s", description="Moves every slot; shorter than the period.", examples=["2s"])
    catch_up: CatchUp = Field(
        "one",
        description="Of the slots missed while the daemon was away: `none`, the latest `one`, or `all` (at most 100).",
    )

    @model_validator(mode="after")
    def _offset_is_within(self) -> EveryOptions:
        if self.offset >= self.period:
            raise ValueError("offset must be shorter than period")
        return self


def slot_event(ctx: TriggerContext, slot: datetime) -> Event:
    """Return the event of a slot; the slot is its id, so it can happen once only."""
    text = rfc3339(slot)
    return ctx.event({"slot": text}, id=text, time=slot)


class Every(Trigger[EveryOptions]):
    """Emits `{slot}` for each slot, exactly once, across restarts too."""

    id, since, stability = "cron.every", "0.1", "stable"

    async def run(self, ctx: TriggerContext) -> None:
        """Fire until stopped."""
        options = self.options
        async for slot in ctx.clock.ticks(options.period, options.offset, catch_up=options.catch_up):
            await ctx.emit(slot_event(ctx, slot), cursor=slot)
