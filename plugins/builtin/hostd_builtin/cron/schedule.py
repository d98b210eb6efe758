"""`cron.schedule`: fires when a cron expression says."""

from __future__ import annotations

from typing import Literal

from pydantic import field_validator

from hostd.plugin import CatchUp, EndOfTrigger, Field, OptionNotSupported, Options, Trigger, TriggerContext
from hostd_builtin.cron.every import slot_event
from hostd_builtin.cron.expression import CronExpression

UTC_NAMES = frozenset({"UTC", "Etc/UTC", "Z"})


class ScheduleOptions(Options):
    """A cron expression in UTC."""

    cron: str = Field(
        description="Five fields: minute, hour, day of month, month, day of week.",
        max_length=256,
        examples=["*/5 * * * *"],
    )
    timezone: str = Field("UTC", description="Only `UTC` so far.", max_length=64)
    catch_up: CatchUp = Field(
        "one",
        description="Of the slots missed while the daemon was away: `none`, the latest `one`, or `all` (at most 100).",
    )
    overlap: Literal["allow", "skip"] = Field(
        "allow", description="What happens while a run of the slot before still goes; only `allow` so far."
    )

    @field_validator("cron")
    @classmethod
    def _can_be_read(cls, cron: str) -> str:
        CronExpression(cron)
        return cron

    @field_validator("timezone")
    @classmethod
    def _is_utc(cls, timezone: str) -> str:
        if timezone not in UTC_NAMES:
            raise OptionNotSupported(f"the time zone {timezone!r} is not supported yet; write the expression in UTC")
        return timezone

    @field_validator("overlap")
    @classmethod
    def _overlaps(cls, overlap: str) -> str:
        if overlap != "allow":
            raise OptionNotSupported(f"overlap: {overlap} is not supported yet; leave it out")
        return overlap


class CronSchedule(Trigger[ScheduleOptions]):
    """Emits `{slot}` for each slot, exactly once, across restarts too."""

    id, since, stability = "cron.schedule", "0.1", "stable"

    async def run(self, ctx: TriggerContext) -> None:
        """Fire until stopped, or until the expression names no more moments."""
        expression = CronExpression(self.options.cron)
        async for slot in ctx.clock.slots(expression, catch_up=self.options.catch_up):
            await ctx.emit(slot_event(ctx, slot), cursor=slot)
        raise EndOfTrigger(f"{self.options.cron!r} names no more moments")
