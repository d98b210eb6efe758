"""What watches of triggers are told through lives of the daemon, kept in a real journal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from clocks import HandClock
from lab import Lab

from hostd.errors.base import HostdError
from hostd.model.views import TriggerChanges, TriggerView
from hostd.runtime.triggers.trigger_roster import TriggerRoster
from hostd.runtime.triggers.trigger_watch import TriggerWatch


class House:
    """A journal, the triggers that there are, and one daemon's watch at a time."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self.there: dict[str, str] | None = {}  # state by name
        self.begin()

    def begin(self) -> None:
        """Begin a life: what the one before had in memory is gone."""
        core = self._lab.core
        roster = TriggerRoster(loop=core.loop, journal=core.journal, readers=core.readers)
        self.clock = HandClock()
        self._watch = TriggerWatch(
            look=self._look, roster=roster, closed=lambda: False, clock=self.clock, deleted_max=2
        )

    def _look(self) -> list[TriggerView] | None:
        if self.there is None:
            return None
        return [TriggerView("default", "w", name, "t", state) for name, state in self.there.items()]

    async def told(self, after: str) -> tuple[list[tuple[str, str]], str]:
        """Return the first batch behind a position, and the position behind it."""
        self.clock._elapsed_s += 1  # so that it looks anew
        batch: TriggerChanges = await anext(self._watch.watch("default", "", after=after))
        return sorted((change.kind, change.trigger.name) for change in batch.changes), batch.position

    async def snapshot(self) -> str:
        """Return the position behind a snapshot."""
        return (await self.told(""))[1]


@pytest.fixture
async def house() -> AsyncIterator[House]:
    lab = await Lab(None).open()
    yield House(lab)
    await lab.close()


async def test_each_life_knows_what_was_told_in_those_before(house: House) -> None:
    """A position of the first life, resumed in the third, and one of the second: each is told what it does not know."""
    house.there = {"a": "ACTIVE", "b": "ACTIVE"}
    first = await house.snapshot()
    house.begin()
    house.there = {"a": "ACTIVE", "c": "ACTIVE"}
    second = await house.snapshot()
    house.begin()
    house.there = {"c": "PAUSED", "d": "ACTIVE"}

    assert (await house.told(first))[0] == [("ADDED", "c"), ("ADDED", "d"), ("DELETED", "a"), ("DELETED", "b")]
    changes, third = await house.told(second)
    assert changes == [("ADDED", "d"), ("DELETED", "a"), ("MODIFIED", "c")]
    house.there = {"c": "ACTIVE", "d": "ACTIVE", "b": "ACTIVE"}
    assert (await house.told(third))[0] == [("ADDED", "b"), ("MODIFIED", "c")]
    assert int(third.partition(":")[0]) > int(second.partition(":")[0]) > int(first.partition(":")[0])


async def test_a_position_from_before_a_forgotten_deletion_is_expired(house: House) -> None:
    """Two deletions are remembered here; behind the third, in a later life too, an older token is refused."""
    house.there = dict.fromkeys("abcd", "ACTIVE")
    early = await house.snapshot()
    late = early
    for names in ("bcd", "cd", "d"):
        house.there = dict.fromkeys(names, "ACTIVE")
        _, late = await house.told(late)
    for _ in range(2):
        with pytest.raises(HostdError, match="RESUME_TOKEN_EXPIRED"):
            await house.told(early)
        house.begin()
    assert (await house.told(late))[0] == [("MODIFIED", "d")]


async def test_triggers_that_are_not_started_yet_are_not_gone(house: House) -> None:
    """A watch that comes before the triggers waits for them: nothing is told to be deleted."""
    house.there = {"a": "ACTIVE"}
    place = await house.snapshot()
    house.begin()
    house.there = None
    watch = house._watch.watch("default", "", after=place)
    waiting = asyncio.ensure_future(anext(watch))
    while not house.clock._sleepers:
        await asyncio.sleep(0)
    house.there = {"a": "ACTIVE"}
    await house.clock.turn(1)
    batch = await waiting
    assert [(change.kind, change.trigger.name) for change in batch.changes] == [("MODIFIED", "a")]
