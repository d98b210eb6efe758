"""What a process answers about slots is checked: nobody but it says what it is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from hostd.errors.base import HostdError
from hostd.host.process.remote_slots import ask_slots
from hostd.plugin.slot_pages import SlotPage, Window
from hostd.plugin.v1 import host_pb2 as pb

START = datetime(2026, 1, 1, tzinfo=UTC)
HOUR_US = 3_600_000_000
START_US = round(START.timestamp()) * 1_000_000
WINDOW = Window(START, START + timedelta(hours=5), 3, 1.0)


class Answering:
    """A process that answers every question with one frame."""

    def __init__(self, frame: pb.FromPlugin) -> None:
        self.provisioning = SimpleNamespace(settings={"shop.clock": b'{"n":1}'})
        self.asked: list[pb.FromHost] = []
        self._frame = frame

    async def link(self) -> None:
        """It is there."""

    async def ask(self, frame: pb.FromHost) -> pb.FromPlugin:
        self.asked.append(frame)
        return self._frame


async def ask(frame: pb.FromPlugin) -> tuple[SlotPage, pb.PlanSlots]:
    process: Any = Answering(frame)
    page = await ask_slots(process, "shop.clock", b"{}", WINDOW)
    return page, process.asked[0].plan_slots


async def test_slots_come_as_they_were_told() -> None:
    """In order, with zone and overlap; an overlap that is none counts as the usual one."""
    told = pb.Slots(
        at_us=[START_US + HOUR_US, START_US + 2 * HOUR_US], more=True, timezone="Asia/Tokyo", overlap="skip"
    )
    page, asked = await ask(pb.FromPlugin(slots=told))
    assert page == SlotPage([START + timedelta(hours=1), START + timedelta(hours=2)], True, "Asia/Tokyo", "skip")
    assert (asked.trigger.settings, asked.after_us, asked.limit) == (b'{"n":1}', START_US, 3)
    assert asked.until_us == START_US + 5 * HOUR_US
    odd, _ = await ask(pb.FromPlugin(slots=pb.Slots(overlap="twice")))
    assert odd == SlotPage([], False, "UTC", "allow")


@pytest.mark.parametrize(
    "at_us",
    [
        [START_US],
        [START_US - 1],
        [START_US + 5 * HOUR_US],
        [START_US + 2, START_US + 1],
        [START_US + 1, START_US + 1],
        [START_US + n for n in range(1, 5)],
        [2**63 - 1],
    ],
    ids=["at the start", "before", "at the end", "backwards", "twice", "too many", "past the year 9999"],
)
async def test_what_are_no_slots_of_the_window_is_refused(at_us: list[int]) -> None:
    """A slot outside the window or out of order, or more than asked for, are the plugin's failure."""
    with pytest.raises(HostdError, match="PLUGIN_FAILED"):
        await ask(pb.FromPlugin(slots=pb.Slots(at_us=at_us)))


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (pb.FromPlugin(done=pb.Done(fault=pb.Fault(reason="NOT_YET_SUPPORTED", message="?"))), "SCHEDULE_MISSING"),
        (pb.FromPlugin(done=pb.Done(fault=pb.Fault(reason="HOST_CALL_UNKNOWN"))), "SCHEDULE_MISSING"),
        (pb.FromPlugin(done=pb.Done()), "PLUGIN_FAILED"),
        (pb.FromPlugin(partitions=pb.Partitions()), "PLUGIN_FAILED"),
        (pb.FromPlugin(slots=pb.Slots(fault=pb.Fault(reason="OPTION_INVALID", message="no"))), "OPTION_INVALID"),
        (pb.FromPlugin(slots=pb.Slots(fault=pb.Fault(reason="MADE_UP", message="no"))), "PLUGIN_FAILED"),
    ],
)
async def test_why_there_are_none_is_told(frame: pb.FromPlugin, reason: str) -> None:
    """A reason of hostd's as it is; an SDK that does not know the question has no schedule to tell."""
    with pytest.raises(HostdError, match=reason):
        await ask(frame)
