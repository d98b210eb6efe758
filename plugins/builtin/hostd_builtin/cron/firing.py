"""What the cron triggers share: options about slots, and firing each slot once."""

from __future__ import annotations

import dataclasses
import hashlib
from datetime import datetime, timedelta

from hostd.plugin import CatchUp, Duration, Event, Field, Options, Overlap, Schedule, TriggerContext, rfc3339
from hostd.plugin.slots import sleep_until
from hostd_builtin.cron.zone import zone

_BOUND = "as 2026-03-29T02:30:00Z, or without an offset in the trigger's time zone"


class SlotOptions(Options):
    """What becomes of slots; the last options of every cron trigger."""

    catch_up: CatchUp = Field(
        "one",
        description="Of the slots missed while the daemon was away: `none`, the latest `one`, or `all` (at most 100).",
    )
    overlap: Overlap = Field(
        "allow",
        description=(
            "While a run this trigger started is open: `allow` another, `skip` the slot, `queue` it until the run has"
            " ended, or `cancel_running`."
        ),
    )
    jitter: Duration = Field(
        "0s",
        description="Delays each slot by up to this, always the same for the same trigger and slot; its id stays.",
        le="1h",
        examples=["30s"],
    )


class BoundOptions(Options):
    """From when until when a repeating trigger fires."""

    start: str = Field("", description=f"No slot before this, {_BOUND}; empty = none.", max_length=40)
    end: str = Field("", description="No slot after this, written as `start`; empty = none.", max_length=40)


def bounds(options: BoundOptions, timezone: str) -> tuple[datetime | None, datetime | None]:
    """Return both bounds. Raises ValueError when one cannot be read, or the end does not lie behind the start."""
    place = zone(timezone)
    start = place.parse(options.start) if options.start else None
    end = place.parse(options.end) if options.end else None
    if start is not None and end is not None and end <= start:
        raise ValueError("end must be after start")
    return start, end


async def fire(ctx: TriggerContext, schedule: Schedule, options: SlotOptions) -> None:
    """Emit an event for each slot as it comes; returns when there are no more."""
    async for slot in ctx.clock.slots(schedule, catch_up=options.catch_up):
        await sleep_until(ctx.clock, slot + jitter_of(ctx, slot, options.jitter))
        await ctx.emit(slot_event(ctx, slot, options.overlap), cursor=slot)


def slot_event(ctx: TriggerContext, slot: datetime, overlap: Overlap) -> Event:
    """Return the event of a slot; the slot is its id, so it can happen once only."""
    text = rfc3339(slot)
    return dataclasses.replace(ctx.event({"slot": text}, id=text, time=slot), overlap=overlap)


def jitter_of(ctx: TriggerContext, slot: datetime, most: timedelta) -> timedelta:
    """Return how much later a slot fires: from nothing to `most`, spread evenly by a hash of trigger and slot."""
    text = f"{ctx.namespace}/{ctx.workflow}/{ctx.name}\x00{rfc3339(slot)}"
    share = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=6).digest(), "big") / (1 << 48)
    return most * share
