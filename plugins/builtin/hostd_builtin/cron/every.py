"""`cron.every`: fires at a fixed period."""

from __future__ import annotations

from pydantic import model_validator

from hostd.plugin import Duration, EndOfTrigger, Field, Options, Schedule, Trigger, TriggerContext
from hostd.plugin.slots import Periodic
from hostd_builtin.cron.firing import BoundOptions, SlotOptions, bounds, fire
from hostd_builtin.cron.slots import bounded


class Period(Options):
    """Multiples of the period since 1970-01-01T00:00:00Z, plus the offset."""

    period: Duration = Field(description="Time between two firings.", ge="100ms", le="366d", examples=["10s"])
    offset: Duration = Field("0s", description="Moves every slot; shorter than the period.", examples=["2s"])


class EveryOptions(BoundOptions, SlotOptions, Period):
    """A period, within bounds."""

    @model_validator(mode="after")
    def _is_consistent(self) -> EveryOptions:
        if self.offset >= self.period:
            raise ValueError("offset must be shorter than period")
        bounds(self, "UTC")
        return self


class Every(Trigger[EveryOptions]):
    """Emits `{slot}` for each slot, exactly once, across restarts too."""

    id, since, stability = "cron.every", "0.1", "stable"

    def schedule(self) -> Schedule:
        """Return the slots."""
        return bounded(Periodic(self.options.period, self.options.offset), *bounds(self.options, "UTC"))

    async def run(self, ctx: TriggerContext) -> None:
        """Fire until stopped, or until the end."""
        await fire(ctx, self.schedule(), self.options)
        raise EndOfTrigger(f"no slot comes before the end, {self.options.end}")
