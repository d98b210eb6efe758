"""`cron.at`: fires at listed times, then ends."""

from __future__ import annotations

from datetime import datetime

from pydantic import field_validator, model_validator

from hostd.plugin import CatchUp, EndOfTrigger, Field, Options, Schedule, Trigger, TriggerContext
from hostd_builtin.cron.firing import SlotOptions, fire
from hostd_builtin.cron.slots import ListedSlots
from hostd_builtin.cron.zone import zone

TIMES_MAX = 1_000


class Times(Options):
    """Listed times."""

    at: str | list[str] = Field(
        description="A time or a list of times, as 2026-03-29T02:30:00Z, or without an offset in `timezone`.",
        examples=["2030-01-01T00:00:00Z"],
        min_length=1,
        max_length=TIMES_MAX,
    )
    timezone: str = Field("UTC", description="IANA name of the time zone of times without an offset.", max_length=64)

    @field_validator("timezone")
    @classmethod
    def _is_known(cls, timezone: str) -> str:
        zone(timezone)
        return timezone


class AtOptions(SlotOptions, Times):
    """Times, each fired once."""

    catch_up: CatchUp = Field(
        "all",
        description="Of the times missed while the daemon was away: `none`, the latest `one`, or `all` (at most 100).",
    )

    @model_validator(mode="after")
    def _can_be_read(self) -> AtOptions:
        self.moments()
        return self

    def moments(self) -> list[datetime]:
        """Return the times in UTC, as written. Raises ValueError."""
        place = zone(self.timezone)
        return [place.parse(text) for text in ([self.at] if isinstance(self.at, str) else self.at)]


class At(Trigger[AtOptions]):
    """Emits `{slot}` at each listed time that lies ahead when it is activated, exactly once, then ends."""

    id, since, stability = "cron.at", "0.1", "stable"

    def schedule(self) -> Schedule:
        """Return the slots."""
        return ListedSlots(self.options.moments())

    async def run(self, ctx: TriggerContext) -> None:
        """Fire until the last time has passed."""
        await fire(ctx, self.schedule(), self.options)
        raise EndOfTrigger("every time has passed")
