"""Built-in plugins that are imported behind the start: an attempt that comes first has its own imported in a thread."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from lab import Lab

from hostd.host.found import Found, Source
from hostd.model.states import RunState
from hostd.plugin import Action, Options, Registry, hookimpl

BOUGHT = "workflow: buys\nsteps:\n  a: {uses: shop.buy}\n  b: {uses: shop.buy}\noutput: ${{ steps.b.output }}\n"


class Buy(Action[Options]):
    """Buys."""

    id, since, stability, effects = "shop.buy", "0.1", "stable", "at_most_once"

    async def run(self, ctx: Any, options: Options) -> str:
        """Buy it."""
        return "tea"


class Plugin:
    """Holds the hook."""

    @hookimpl
    def hostd_register(self, registry: Registry) -> None:
        """Register the action."""
        registry.action(Buy)


class Shop:
    """A built-in plugin that notes in which threads it is imported."""

    def __init__(self, folder: Path) -> None:
        self.imported_in: list[threading.Thread] = []
        listing = folder / "components.json"
        listing.write_text('{"actions": {"shop.buy": {}}}')
        self.found = Found("shop", "1.0", Source.BUILT_IN, str(folder), self._load, listing=listing)

    def _load(self) -> Plugin:
        self.imported_in.append(threading.current_thread())
        return Plugin()


async def test_the_first_attempt_imports_its_plugin_off_the_loop(tmp_path: Path) -> None:
    """A run that was registered and interrupted before: its steps begin while the daemon has not come to the plugin."""
    shop = Shop(tmp_path)
    lab = Lab(tmp_path / "data")
    lab.core.host.also.append(shop.found)
    await lab.open()
    await lab.register(BOUGHT)
    await lab.close()
    shop.imported_in.clear()

    lab.core = lab._build()
    lab.core.host.also.append(shop.found)
    await lab.core.open(plugins_may_wait=True)
    assert shop.imported_in == []
    row = await lab.ended(await lab.start("buys"))
    assert row.state == RunState.SUCCEEDED
    assert len(shop.imported_in) == 1
    assert shop.imported_in[0].name.startswith("asyncio_")  # of the attempt, not of the compiler
    await lab.close()
