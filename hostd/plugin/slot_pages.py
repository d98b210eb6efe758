"""Slots to come, a page at a time: what a trigger that goes by the clock says without running."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple, cast, get_args

from hostd.errors.base import HostdError, Kind
from hostd.plugin.event import Overlap
from hostd.plugin.guard import PLUGIN_ERRORS
from hostd.plugin.slots import Schedule

PAGE_SLOTS_MAX = 20_000
_OVERLAPS = get_args(Overlap)


class Window(NamedTuple):
    """Which slots: at most `limit`, with after < slot < until (None: no end), in at most `budget_s` of computing."""

    after: datetime
    until: datetime | None
    limit: int
    budget_s: float


class SlotPage(NamedTuple):
    """Slots in order, and whether more may follow. `timezone`, `overlap`: as the trigger's options say."""

    slots: list[datetime]
    more: bool
    timezone: str = "UTC"
    overlap: Overlap = "allow"


def slot_page(component: str, options: Any, create: Callable[[Any], Any], window: Window) -> SlotPage:
    """Return slots of a trigger with parsed options. Blocks: for a thread.

    Args:
        component: id of the trigger plugin.
        create: returns an instance for the options.

    Raises:
        HostdError: SCHEDULE_MISSING where it does not go by the clock; PLUGIN_FAILED where it raises, or its schedule
            does not move on.
    """
    try:
        schedule: Schedule | None = create(options).schedule()
        found = _slots(schedule, window) if schedule is not None else None
    except PLUGIN_ERRORS as error:
        message = f"the schedule of {component} failed: {type(error).__name__}: {str(error)[:500]}"
        raise HostdError(Kind.INVALID, "PLUGIN_FAILED", message) from None
    if found is None:
        raise HostdError(Kind.STATE, "SCHEDULE_MISSING", f"{component} does not go by the clock")
    return SlotPage(*found, *facts(getattr(options, "timezone", ""), getattr(options, "overlap", "")))


def facts(timezone: Any, overlap: Any) -> tuple[str, Overlap]:
    """Return a time zone and an overlap, the usual ones where the options have none, or something else."""
    zone = timezone if isinstance(timezone, str) and timezone else "UTC"
    return zone, cast("Overlap", overlap if overlap in _OVERLAPS else "allow")


def _slots(schedule: Schedule, window: Window) -> tuple[list[datetime], bool]:
    slots: list[datetime] = []
    after, over_s = window.after, time.monotonic() + window.budget_s
    while len(slots) < window.limit and time.monotonic() < over_s:
        slot = schedule.next_after(after)
        if slot is None or (window.until is not None and slot >= window.until):
            return slots, False
        if slot <= after:
            raise ValueError(f"next_after({after.isoformat()}) returned {slot.isoformat()}")
        slots.append(slot)
        after = slot
    return slots, True
