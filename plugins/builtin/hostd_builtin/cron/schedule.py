"""`cron.schedule`: fires when a cron expression says, in a time zone."""

from __future__ import annotations

from functools import cached_property

from pydantic import field_validator, model_validator

from hostd.plugin import EndOfTrigger, Field, Options, Schedule, Trigger, TriggerContext
from hostd_builtin.cron.expression import CronExpression, SecondsAt
from hostd_builtin.cron.firing import BoundOptions, SlotOptions, bounds, fire
from hostd_builtin.cron.slots import CronSlots, bounded
from hostd_builtin.cron.zone import zone


class Expression(Options):
    """A cron expression and whose wall it means."""

    cron: str = Field(
        description=(
            "Minute, hour, day of month, month, day of week; six fields have a second too; or `@hourly`, `@daily`,"
            " `@weekly`, `@monthly`, `@yearly`."
        ),
        max_length=256,
        examples=["*/5 * * * *"],
    )
    seconds: SecondsAt = Field(
        "first", description="Where the second stands in an expression of six fields: `first` or `last`."
    )
    timezone: str = Field(
        "UTC", description="IANA name of the time zone the expression means.", max_length=64, examples=["Europe/Berlin"]
    )

    @field_validator("timezone")
    @classmethod
    def _is_known(cls, timezone: str) -> str:
        zone(timezone)
        return timezone


class ScheduleOptions(BoundOptions, SlotOptions, Expression):
    """A cron expression, within bounds."""

    @cached_property
    def expression(self) -> CronExpression:
        """The expression, read once: to check it, and to fire by it."""
        return CronExpression(self.cron, seconds_at=self.seconds)

    @model_validator(mode="after")
    def _can_be_read(self) -> ScheduleOptions:
        self.expression  # noqa: B018
        bounds(self, self.timezone)
        return self


class CronSchedule(Trigger[ScheduleOptions]):
    """Emits `{slot}` for each slot, exactly once, across restarts too."""

    id, since, stability = "cron.schedule", "0.1", "stable"

    def schedule(self) -> Schedule:
        """Return the slots."""
        options = self.options
        slots = CronSlots(options.expression, zone(options.timezone))
        return bounded(slots, *bounds(options, options.timezone))

    async def run(self, ctx: TriggerContext) -> None:
        """Fire until stopped, or until the expression names no more moments."""
        await fire(ctx, self.schedule(), self.options)
        raise EndOfTrigger(f"{self.options.cron!r} names no more moments")
