"""What watches of plugins are told: numbered looks at what there is, for as long as one daemon lives."""

from __future__ import annotations

import pytest
from clocks import HandClock

from hostd.errors.base import HostdError
from hostd.model.plugin_changes import PluginChanges
from hostd.model.views import PluginView, ProcessView
from hostd.runtime.desks.plugin_watch import BATCH_MAX, PluginWatch

READY = ProcessView("ready", 7, 0, 0, 0, "", ())


class House:
    """The plugins that there are, and one daemon's watch."""

    def __init__(self, life: str = "one") -> None:
        self.there: dict[str, PluginView] = {}
        self.looks = 0
        self.clock = HandClock()
        self._watch = PluginWatch(look=self._look, life=life, closed=lambda: False, clock=self.clock, deleted_max=2)

    def put(self, name: str, state: str = "LOADED", process: ProcessView | None = None) -> None:
        """Let a plugin be there."""
        self.there[name] = PluginView(name, "1", "folder", state, process=process)

    def _look(self) -> list[PluginView]:
        self.looks += 1
        return list(self.there.values())

    async def told(self, after: str, plugin: str = "") -> tuple[list[tuple[str, str]], str]:
        """Return the first batch behind a position, and the position behind it."""
        self.clock._elapsed_s += 1  # so that it looks anew
        batch: PluginChanges = await anext(self._watch.watch(plugin, after=after))
        return [(change.kind, change.plugin.id) for change in batch.changes], batch.position


async def test_a_position_tells_what_its_holder_knows() -> None:
    """Behind a snapshot: what came, changed and went, once each and in order; of another plugin nothing."""
    house = House()
    for name in "abc":
        house.put(name)
    snapshot, position = await house.told("")
    house.put("b", "FAILED")
    del house.there["a"]
    house.put("d")
    told, later = await house.told(position)
    assert [kind for kind, _ in snapshot] == ["ADDED"] * 3
    assert sorted(told) == [("ADDED", "d"), ("DELETED", "a"), ("MODIFIED", "b")]
    house.put("a")
    house.put("c", "DISABLED")
    assert sorted((await house.told(later))[0]) == [("ADDED", "a"), ("MODIFIED", "c")]
    assert (await house.told(position, "c"))[0] == [("MODIFIED", "c")]


async def test_what_changes_with_every_attempt_is_no_change() -> None:
    """Attempts, triggers and printed lines tell nobody anything; a restart of the process does."""
    house = House()
    house.put("a", process=READY)
    house.put("b", process=READY)
    _, position = await house.told("")
    house.put("a", process=ProcessView("ready", 7, 0, 3, 1, "", ("hello",)))
    house.put("b", process=ProcessView("ready", 8, 1, 0, 0, "", ()))
    assert (await house.told(position))[0] == [("MODIFIED", "b")]


async def test_positions_that_are_not_known_are_expired() -> None:
    """One of another daemon, one that is none, and one from before a deletion that was forgotten."""
    house, other = House(), House("two")
    for name in "abcd":
        house.put(name)
    _, position = await house.told("")
    for name in "abc":
        del house.there[name]
        _, newest = await house.told("")
    for expired in (position, "one:x", "garbage", (await other.told(""))[1]):
        with pytest.raises(HostdError, match="RESUME_TOKEN_EXPIRED"):
            await house.told(expired)
    house.put("e")
    assert (await house.told(newest))[0] == [("ADDED", "e")]


async def test_watches_look_together_and_nobody_else_does() -> None:
    """Ten watches at one moment are one look; a snapshot of many comes in parts, of which the last ends it."""
    house = House()
    for number in range(BATCH_MAX + 1):
        house.put(f"p{number:03}")
    assert house.looks == 0
    house.clock._elapsed_s += 1
    streams = [house._watch.watch("", after="") for _ in range(10)]
    batches = [[await anext(stream), await anext(stream)] for stream in streams]
    assert house.looks == 1
    assert [len(batch.changes) for batch in batches[0]] == [BATCH_MAX, 1]
    assert [(batch.snapshot_end, bool(batch.position)) for batch in batches[0]] == [(False, False), (True, True)]
