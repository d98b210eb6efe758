"""Slots between what the SDK knows and what goes over the wire."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hostd.errors.base import HostdError, Kind
from hostd.plugin.slot_pages import PAGE_SLOTS_MAX, SlotPage, Window
from hostd.plugin.v1 import host_pb2 as pb

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_INSTANT = timedelta(microseconds=1)


def window_of(wanted: pb.PlanSlots) -> Window:
    """Return which slots the host asks for. Raises HostdError ARGUMENT_INVALID."""
    try:
        after = _EPOCH + timedelta(microseconds=wanted.after_us)
        until = _EPOCH + timedelta(microseconds=wanted.until_us) if wanted.HasField("until_us") else None
    except OverflowError:
        raise HostdError(Kind.INVALID, "ARGUMENT_INVALID", "a time lies within the years 1 to 9999") from None
    return Window(after, until, min(wanted.limit, PAGE_SLOTS_MAX), wanted.budget_ms / 1000)


def slots_to_wire(page: SlotPage) -> pb.Slots:
    """Return slots as a frame holds them."""
    return pb.Slots(
        at_us=[(slot - _EPOCH) // _INSTANT for slot in page.slots],
        more=page.more,
        timezone=page.timezone,
        overlap=page.overlap,
    )
