"""Slots of a trigger that lives in a plugin's process: asked there, checked here."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from hostd.errors.base import HostdError, Kind
from hostd.host.process.link import fault_error
from hostd.host.process.plugin_process import PluginProcess
from hostd.plugin.slot_pages import SlotPage, Window, facts
from hostd.plugin.v1 import host_pb2 as pb

ANSWER_S = 10.0  # beyond what the slots may take
ZONE_CHARS_MAX = 100
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_INSTANT = timedelta(microseconds=1)


async def ask_slots(process: PluginProcess, trigger: str, options: bytes, window: Window) -> SlotPage:
    """Return slots as the process computes them, starting it where need be.

    Raises:
        HostdError: OPTION_INVALID; SCHEDULE_MISSING, also where its SDK does not know the question; PLUGIN_FAILED where
            it raises, answers late, or with what are no slots; PLUGIN_UNAVAILABLE.
    """
    asked = pb.PlanSlots(
        trigger=pb.StartTrigger(
            trigger=trigger, options=options, settings=process.provisioning.settings.get(trigger, b"")
        ),
        after_us=_micros(window.after),
        limit=window.limit,
        budget_ms=round(window.budget_s * 1000),
    )
    if window.until is not None:
        asked.until_us = _micros(window.until)
    await process.link()  # the time it needs to start does not count
    try:
        async with asyncio.timeout(window.budget_s + ANSWER_S):
            answered = await process.ask(pb.FromHost(plan_slots=asked))
    except TimeoutError:
        raise _failed(f"the schedule of {trigger} did not answer") from None
    if answered.WhichOneof("frame") != "slots":
        raise _unknown(trigger, answered.done.fault)
    if answered.slots.HasField("fault"):
        raise fault_error(answered.slots.fault)
    return _page(trigger, answered.slots, window)


def _page(trigger: str, told: pb.Slots, window: Window) -> SlotPage:
    if len(told.at_us) > window.limit:
        raise _failed(f"{trigger} named {len(told.at_us)} slots where {window.limit} were asked for")
    slots: list[datetime] = []
    after = window.after
    for at_us in told.at_us:
        slot = _moment(trigger, at_us)
        if slot <= after or (window.until is not None and slot >= window.until):
            raise _failed(f"{trigger} named the slot {slot.isoformat()}, which is not in its place")
        slots.append(slot)
        after = slot
    return SlotPage(slots, told.more, *facts(told.timezone[:ZONE_CHARS_MAX], told.overlap))


def _micros(moment: datetime) -> int:
    return (moment - _EPOCH) // _INSTANT


def _moment(trigger: str, at_us: int) -> datetime:
    try:
        return _EPOCH + timedelta(microseconds=at_us)
    except OverflowError:
        raise _failed(f"{trigger} named a slot outside the years 1 to 9999") from None


def _unknown(trigger: str, fault: pb.Fault) -> HostdError:
    """Return why a process that answers no slots has none; an older SDK, or one of another language, may not know."""
    if fault.reason in ("NOT_YET_SUPPORTED", "HOST_CALL_UNKNOWN"):
        return HostdError(Kind.STATE, "SCHEDULE_MISSING", f"{trigger} does not tell when it fires")
    return fault_error(fault)


def _failed(message: str) -> HostdError:
    return HostdError(Kind.INVALID, "PLUGIN_FAILED", message)
