"""The smallest trigger: it fires at a fixed period."""

from hostd.plugin import Duration, Field, Options, Registry, Trigger, TriggerContext, hookimpl


class TickOptions(Options):
    """How often."""

    period: Duration = Field(description="Time between two firings.", gt="0s", examples=["10s"])


class Tick(Trigger[TickOptions]):
    """Emits an event at each multiple of the period, once, across restarts too."""

    id, since, stability = "tick.every", "0.1", "stable"

    async def run(self, ctx: TriggerContext) -> None:
        """Fire until the host stops the trigger."""
        async for slot in ctx.clock.ticks(self.options.period):
            await ctx.emit(ctx.event({"slot": slot.isoformat()}, id=slot.isoformat()), cursor=slot)


@hookimpl
def hostd_register(registry: Registry) -> None:
    """Register the trigger."""
    registry.trigger(Tick)
