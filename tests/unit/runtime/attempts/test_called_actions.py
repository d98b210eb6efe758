"""Actions that scripts call while no loaded plugin provides them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Collection
from typing import Any

import pytest

from hostd.lua.ports import ScriptCallError
from hostd.runtime.attempts.called_actions import CalledActions


class House:
    """Actions that come when a test says so."""

    def __init__(self, *, why: str = "") -> None:
        self.entries: dict[str, Any] = {}
        self.over = asyncio.Event()
        self.why = why

    def action(self, component_id: str) -> Any:
        """Return what came."""
        return self.entries.get(component_id)

    async def settled(self, components: Collection[str]) -> None:
        """Wait until nothing is to come."""
        await self.over.wait()

    async def at_start(self, components: Collection[str]) -> bool:
        """Look again never."""
        return False

    def absence(self, component: str) -> str:
        """Say why."""
        return self.why


class Late:
    """An action whose plugin is not imported."""

    filled = False

    def look(self) -> None:
        """Import it."""
        self.filled, self.looked_in = True, threading.current_thread()


async def test_a_call_waits_for_its_action() -> None:
    """It goes on with what came, imported in a thread where that was not done."""
    house, came = House(), Late()
    called = CalledActions(lambda: house, house, wait_s=600.0)
    waiting = asyncio.ensure_future(called.entry("kv.get"))
    await asyncio.sleep(0)
    house.entries["kv.get"] = came
    house.over.set()
    assert await waiting is came
    assert came.filled
    assert came.looked_in is not threading.current_thread()


async def test_what_nobody_brings_is_unknown() -> None:
    """With the plugin that might have, or the command that lists them."""
    for why, told in (
        ("plugin kv, which may provide it, is quarantined", "plugin kv, which may provide it, is quarantined"),
        ("", "`hostd plugin list` shows what is loaded"),
    ):
        house = House(why=why)
        house.over.set()
        with pytest.raises(ScriptCallError) as failed:
            await CalledActions(lambda house=house: house, house, wait_s=600.0).entry("kv.get")
        assert (failed.value.code, failed.value.retryable) == ("ACTION_UNKNOWN", False)
        assert failed.value.message == f"no loaded plugin provides the action kv.get; {told}"


async def test_a_call_does_not_wait_for_ever() -> None:
    """It holds a worker: past the script's wall limit it fails with what it waited for, and may be tried again."""
    house = House(why="plugin kv, which may provide it, is starting")
    with pytest.raises(ScriptCallError) as failed:
        await CalledActions(lambda: house, house, wait_s=0.01).entry("kv.get")
    assert (failed.value.code, failed.value.retryable) == ("PLUGIN_UNAVAILABLE", True)
    assert "within 0.01 s" in failed.value.message
    assert "plugin kv, which may provide it, is starting" in failed.value.message
