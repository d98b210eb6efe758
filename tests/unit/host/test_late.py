"""Built-in plugins that are imported when something of theirs is first looked at."""

import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from hostd.errors.base import HostdError
from hostd.host.discover import find_built_in
from hostd.host.found import Choices, Found, PluginState, Source
from hostd.host.host import PluginHost
from hostd.host.late import LateActionEntry, late_plugin
from hostd.plugin import Action, Options, Registry, Trigger, hookimpl

LISTING = '{"actions": {"shop.buy": {"max_in_flight": 3}}, "triggers": ["shop.open"]}'


class BuyOptions(Options):
    """What is bought."""

    what: str


class Buy(Action[BuyOptions]):
    """Buys. Pays, too."""

    id = "shop.buy"
    max_in_flight = 3

    async def run(self, ctx: Any, options: BuyOptions) -> str:
        """Buy it."""
        return options.what


class Open(Trigger[Options]):
    """Opens."""

    id = "shop.open"

    async def run(self, ctx: Any) -> None:
        """Open it."""


class Plugin:
    """Holds the hook."""

    @hookimpl
    def hostd_register(self, registry: Registry) -> None:
        """Register both."""
        registry.action(Buy)
        registry.trigger(Open)


class Shop:
    """Finds the plugin, and counts how often it is imported."""

    def __init__(self, folder: Path, error: Exception | None = None) -> None:
        self.loads = 0
        self._error = error
        listing = folder / "components.json"
        listing.write_text(LISTING)
        self.found = Found("shop", "1.0", Source.BUILT_IN, str(folder), self._load, listing=listing)

    def _load(self) -> Plugin:
        self.loads += 1
        if self._error is not None:
            raise self._error
        return Plugin()


def test_what_the_list_says_is_known_without_an_import(tmp_path: Path) -> None:
    """Ids, executors, limits and the report; everything else imports the plugin, once for all of its components."""
    shop, host = Shop(tmp_path), PluginHost()
    registry = host.load([shop.found], may_wait=True)
    buy, opens = registry.actions["shop.buy"], registry.triggers["shop.open"]

    assert (buy.id, buy.plugin, buy.executors, buy.max_in_flight) == ("shop.buy", "shop", ("inline",), 3)
    assert registry.plugin("shop").components == ("action shop.buy", "trigger shop.open")
    assert host.homes() == {}
    assert (registry.shared(), shop.loads) == ([], 0)

    assert buy.description == "Buys."
    assert buy.parse({"what": "tea"}).what == "tea"
    assert buy.life.ready
    assert opens.create(Options()).id == "shop.open"
    assert (registry.shared(), shop.loads) == ([buy], 1)


def test_it_is_imported_once_by_many_threads(tmp_path: Path) -> None:
    """Whoever comes while it is imported waits for the whole of it."""
    shop = Shop(tmp_path)
    entry = PluginHost().load([shop.found], may_wait=True).actions["shop.buy"]
    start, seen = threading.Barrier(8), []

    def look() -> None:
        start.wait()
        seen.append((entry.description, entry.code_fields, entry.life.ready))

    threads = [threading.Thread(target=look) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert seen == [("Buys.", frozenset(), True)] * 8
    assert shop.loads == 1


def test_it_is_filled_when_it_is_whole(tmp_path: Path) -> None:
    """Who sees from another thread that it is not yet imports it there, and does not look at half of it."""
    shop = Shop(tmp_path)
    entry = PluginHost().load([shop.found], may_wait=True).actions["shop.buy"]
    loads, seen = shop.found.load, []
    entry._late.found = shop.found._replace(load=lambda: (seen.append(entry.filled), loads())[1])  # type: ignore[attr-defined]
    assert entry.filled is False
    entry.look()
    assert (seen, entry.filled, entry.effects) == ([False], True, "idempotent")


async def test_one_that_cannot_be_imported_says_why_and_is_taken_out(tmp_path: Path) -> None:
    """Until it is noticed its steps fail with the reason; from then on it is listed as failed, and gone."""
    shop, host = Shop(tmp_path, ImportError("no module named tea")), PluginHost()
    entry = host.load([shop.found], may_wait=True).actions["shop.buy"]
    assert not entry.life.ready
    with pytest.raises(HostdError, match="shop: ImportError: no module named tea"):
        await entry.life.prepare()

    await host.complete()

    assert host.registry.action("shop.buy") is None
    assert host.registry.trigger("shop.open") is None
    report = host.registry.plugin("shop")
    assert (report.state, report.reason, report.components) == (PluginState.FAILED, "PLUGIN_FAILED", ())


async def test_complete_fills_in_everything(tmp_path: Path) -> None:
    """Afterwards nothing is imported any more, whatever is asked."""
    shop, host = Shop(tmp_path), PluginHost()
    registry = host.load([shop.found], may_wait=True)

    await host.complete()

    assert all(entry.filled for entry in (*registry.actions.values(), *registry.triggers.values()))
    assert shop.loads == 1


def test_written_settings_are_checked_at_the_start(tmp_path: Path) -> None:
    """Of its plugin or of one of its components; and a plugin without a list is loaded as ever."""
    found = Shop(tmp_path).found
    assert late_plugin(found, Choices()) is not None
    assert late_plugin(found, Choices(settings={"shop": {}})) is None
    assert late_plugin(found, Choices(settings={"shop.buy": {}})) is None
    assert late_plugin(found, Choices(settings={"shop.buy": {}}, defaults=frozenset({"shop.buy"}))) is not None
    assert late_plugin(found, Choices(thread=frozenset({"shop"}))) is None
    assert late_plugin(found._replace(source=Source.PACKAGE), Choices()) is None
    assert late_plugin(found._replace(listing=tmp_path / "nothing"), Choices()) is None


def test_the_lists_of_built_in_plugins_say_what_they_register() -> None:
    """Of every one but `secrets`, whose providers are asked at the start; each entry is as if it was never late."""
    lists = {one.id: one for one in find_built_in() if one.listing is not None and one.listing.is_file()}
    assert {one.id for one in find_built_in()} - lists.keys() == {"secrets"}
    at_once, late = PluginHost().load(), PluginHost().load(may_wait=True)

    assert {one.id: set(one.components) for one in late.plugins} == {
        one.id: set(one.components) for one in at_once.plugins
    }
    for action, entry in at_once.actions.items():
        mine = late.actions[action]
        assert isinstance(mine, LateActionEntry)
        assert (mine.executors, mine.max_in_flight) == (entry.executors, entry.max_in_flight), action
        assert (mine.description, mine.origin) == (entry.description, entry.origin)
        assert (mine.executors, mine.max_in_flight) == (entry.executors, entry.max_in_flight), "filled in"
    assert late.triggers.keys() == at_once.triggers.keys()


def test_nothing_is_imported_for_the_list() -> None:
    """A host that may wait imports the providers of secrets alone."""
    program = """
import sys
from hostd.host.host import PluginHost
assert "http.request" in PluginHost().load(may_wait=True).actions
print(sorted({name.split(".")[1] for name in sys.modules if name.startswith("hostd_builtin.")}))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert (done.stdout, done.stderr) == ("['secrets']\n", "")
