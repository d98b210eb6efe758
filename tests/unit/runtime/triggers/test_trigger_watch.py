"""What watches of triggers are told through lives of the daemon, kept in a real journal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Set
from contextlib import aclosing

import pytest
from clocks import HandClock
from lab import Lab

from hostd.errors.base import HostdError
from hostd.model.views import TriggerChanges, TriggerView
from hostd.runtime.triggers.trigger_live import Name
from hostd.runtime.triggers.trigger_roster import TriggerRoster
from hostd.runtime.triggers.trigger_watch import TriggerWatch


class House:
    """A journal, the triggers that there are, and one daemon's watch at a time."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self.looks: list[set[str] | None] = []  # the names that were looked at, None for all
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

    def _look(self, names: Set[Name] | None) -> dict[Name, TriggerView] | None:
        if self.there is None:
            return None
        self.looks.append(None if names is None else {name[2] for name in names})
        there = (
            self.there if names is None else {name[2]: self.there[name[2]] for name in names if name[2] in self.there}
        )
        return {("default", "w", name): TriggerView("default", "w", name, "t", state) for name, state in there.items()}

    def change(self, **states: str | None) -> None:
        """Change triggers, and tell of it; None: it goes."""
        assert self.there is not None
        self.there = {name: state for name, state in (self.there | states).items() if state is not None}
        for name in states:
            self._watch.touch(("default", "w", name))

    async def told(self, after: str) -> tuple[list[tuple[str, str]], str]:
        """Return the first batch behind a position, and the position behind it."""
        self.clock._elapsed_s += 1  # so that it looks anew
        async with aclosing(self._watch.watch("default", "", after=after)) as watch:  # type: ignore[type-var]
            batch: TriggerChanges = await anext(watch)
        return told_of(batch), batch.position

    async def turned(self, waiting: asyncio.Future[TriggerChanges]) -> TriggerChanges:
        """Return a batch that comes while time passes."""
        while not waiting.done():
            await self.clock.turn(0.25)
        return waiting.result()

    async def snapshot(self) -> str:
        """Return the position behind a snapshot."""
        return (await self.told(""))[1]


def told_of(batch: TriggerChanges) -> list[tuple[str, str]]:
    """Return the kinds and names of changes."""
    return sorted((change.kind, change.trigger.name) for change in batch.changes)


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


async def test_while_somebody_watches_only_what_was_told_to_be_different_is_looked_at(house: House) -> None:
    """Nothing while nothing changes; a second watch is told from what the first found; the next one looks at all."""
    house.there = dict.fromkeys("abcd", "ACTIVE")
    first = house._watch.watch("default", "", after="")
    assert len((await anext(first)).changes) == 4
    house.looks.clear()
    waiting = asyncio.ensure_future(anext(first))
    while len(house.looks) < 3:
        await house.clock.turn(0.25)
    assert (house.looks, waiting.done()) == ([set()] * 3, False)
    house.change(b="PAUSED", c=None, e="STARTING")
    house.change(e="ACTIVE")
    batch = await house.turned(waiting)
    assert told_of(batch) == [("ADDED", "e"), ("DELETED", "c"), ("MODIFIED", "b")]
    second = house._watch.watch("default", "", after=batch.position)
    waiting = asyncio.ensure_future(anext(second))
    house.change(a="FAILED")
    assert told_of(await house.turned(waiting)) == [("MODIFIED", "a")]
    assert [looked for looked in house.looks if looked] == [{"b", "c", "e"}, {"a"}]
    await first.aclose()  # type: ignore[attr-defined]
    await second.aclose()  # type: ignore[attr-defined]
    house.there = {"a": "ACTIVE"}  # nobody takes note now
    gone = [("DELETED", name) for name in "bde"]
    assert (await house.told(batch.position))[0] == [*gone, ("MODIFIED", "a")]
