"""Installed plugins in trouble: folders that cannot be written, damage, kills at every instant, taken names."""

from __future__ import annotations

import asyncio
import errno
import os
import random
import shutil
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from lab import NAMESPACE, Lab
from lua_installs import install, order, packed, sent
from wheelhouse import dependencies_of_the_sdk, plugin_wheel, write_wheel

from hostd.errors.base import HostdError
from hostd.host.found import PluginReport, PluginState
from hostd.host.host import PluginHost
from hostd.host.installed.installed import Installed
from hostd.model.installs import WHEEL, InstallOrder
from hostd.runtime.desks.plugin_desk import PluginDesk


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    """A core on a data folder, with two versions of a plugin."""
    opened = await Lab(tmp_path / "data").open()
    for version in ("1", "2"):
        await install(opened, packed("one", version))
    yield opened
    await opened.close()


def report(lab: Lab, plugin: str) -> PluginReport:
    """Return what is told of a plugin."""
    return lab.core.host.registry.plugin(plugin)


def desk(lab: Lab) -> PluginDesk:
    """Return where plugins are changed."""
    return lab.core.front.installs


async def test_what_cannot_be_written_changes_nothing(lab: Lab, tmp_path: Path) -> None:
    """An install, a rollback, an uninstall, a switch: the old one serves on, the message says where, and the fix."""
    root = tmp_path / "data" / "plugins-installed"
    (root / "one" / "state.partial").mkdir()
    (root / "disabled.partial").mkdir()
    changes: list[Callable[[], Awaitable[Any]]] = [
        lambda: install(lab, packed("one", "3")),
        lambda: desk(lab).rollback(NAMESPACE, "one", principal="owner"),
        lambda: desk(lab).disable(NAMESPACE, "one", principal="owner"),
    ]
    for change in changes:
        with pytest.raises(HostdError, match=r"\.partial: Is a directory; make room, or let hostd write") as refused:
            await change()
        assert refused.value.reason == "INSTALL_FAILED"
        assert (report(lab, "one").state, report(lab, "one").version) == (PluginState.LOADED, "2")
    (root / "one" / "state.partial").rmdir()

    (root / "one" / "state.json").rename(tmp_path / "kept")
    (root / "one" / "state.json").mkdir()
    with pytest.raises(HostdError, match="state.json: "):
        await desk(lab).uninstall(NAMESPACE, "one", principal="owner")
    assert report(lab, "one").state is PluginState.LOADED
    (root / "one" / "state.json").rmdir()
    (tmp_path / "kept").rename(root / "one" / "state.json")
    await lab.restart()
    assert (report(lab, "one").state, report(lab, "one").version) == (PluginState.LOADED, "2")


@pytest.mark.parametrize("way", ["install", "uninstall"])
async def test_a_damaged_state_is_listed_with_its_fix(lab: Lab, tmp_path: Path, way: str) -> None:
    """It is not as if the plugin had never been installed; nothing of it is removed until somebody says so."""
    home = tmp_path / "data" / "plugins-installed" / "one"
    (home / "state.json").write_text('{"serv')
    await lab.restart()
    assert report(lab, "one").state is PluginState.FAILED
    assert report(lab, "one").message == "its files are damaged; install it again, or `hostd plugin uninstall` it"
    assert {"1", "2"} <= {entry.name for entry in home.iterdir()}
    if way == "install":
        await install(lab, packed("one", "4"))
        assert (report(lab, "one").state, report(lab, "one").version) == (PluginState.LOADED, "4")
    else:
        await desk(lab).uninstall(NAMESPACE, "one", principal="owner")
        assert not home.exists()


async def test_an_action_that_is_taken_keeps_a_plugin_out_until_it_is_free(lab: Lab, tmp_path: Path) -> None:
    """An install that would not serve is none; a plugin that was there comes when the other one goes."""
    for action, owner in (("log.write", "log"), ("one.act", "one")):
        with pytest.raises(HostdError, match=f"{action} is provided by plugin {owner} already; take one"):
            await install(lab, packed("two", "1", action=action))
        assert not any(one.id == "two" for one in lab.core.host.registry.plugins)
        assert lab.core.host.registry.action(action).plugin == owner  # type: ignore[union-attr]

    dropped = tmp_path / "data" / "plugins" / "two"
    dropped.mkdir(parents=True)
    manifest = 'manifest: 1\nid: two\nversion: "1"\nruntime: lua\nactions: {one.act: {file: a.lua}}\n'
    (dropped / "a.lua").write_text("return 1")
    (dropped / "hostd-plugin.yaml").write_text(manifest)
    found = await lab.until(lambda: next((one for one in lab.core.host.registry.plugins if one.id == "two"), None))
    assert (found.state, found.isolation) == (PluginState.FAILED, "lua")
    await desk(lab).uninstall(NAMESPACE, "one", principal="owner")
    assert (report(lab, "two").state, report(lab, "two").message) == (PluginState.LOADED, "")
    assert lab.core.host.registry.action("one.act") is not None


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_a_package_may_not_take_the_interpreters_place(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor may what the plugin depends on: nothing would start as it should, and no message would say why."""
    links = dependencies_of_the_sdk(tmp_path / "links")
    script = {"harmless/__init__.py": "", "harmless-1.0.data/scripts/python": "#!python\n"}
    write_wheel(tmp_path / "links", "harmless", "1.0", script)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(links))
    wheel = plugin_wheel(tmp_path / "w", needs=("hostd-sdk", "harmless"))
    wanted = InstallOrder(WHEEL, wheel.name, all_permissions=True)
    with pytest.raises(HostdError, match="in the place of the environment's interpreter") as refused:
        await desk(lab).install(NAMESPACE, wanted, sent(wheel.read_bytes()), principal="owner", local=True)
    assert refused.value.reason == "INSTALL_FAILED"
    assert not (tmp_path / "data" / "plugins-installed" / "greet").exists()


# -- kills


class Instants:
    """What lies in a folder at each instant at which a change of it could be cut off."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        self.seen: list[Path] = []
        self._copies = root.parent / "instants"
        self._known: set[Any] = set()
        self._looks = False
        self._copies.mkdir()
        for name in ("replace", "rename", "unlink", "mkdir", "rmdir", "open"):
            monkeypatch.setattr(os, name, self._watched(getattr(os, name)))

    def _watched(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*args: Any, **kwargs: Any) -> Any:
            self.look()
            return call(*args, **kwargs)

        return watched

    def look(self) -> None:
        """Keep a copy of what is there, where it is not known."""
        if not self._looks:
            return
        self._looks = False
        tree = frozenset((str(path), path.read_bytes() if path.is_file() else b"") for path in self.root.rglob("*"))
        if tree not in self._known:
            self._known.add(tree)
            copy = self._copies / str(len(self.seen))
            shutil.copytree(self.root, copy)
            self.seen.append(copy)
        self._looks = True

    async def during(self, change: Awaitable[Any]) -> None:
        """Watch a change."""
        self._looks = True
        await change
        self.look()
        self._looks = False


async def opened(root: Path) -> PluginHost:
    """Return a host on a folder of installed plugins."""
    host = PluginHost(installed_dir=root, random=random.Random(1))
    host.load(found=[])
    await host.start_processes()
    return host


async def shown(root: Path) -> tuple[str, str]:
    """Return how the plugin is, and its version, as a start on the folder finds it; nothing else is left then."""
    host = await opened(root)
    try:
        found = [one for one in host.registry.plugins if one.id == "one"]
        counts = len(list((root / "one").iterdir())) if (root / "one").exists() else 0
        assert counts <= 3, "two versions and a state"
        assert not list(root.glob(".incoming-*"))
        return (found[0].state.value, found[0].version) if found else ("", "")
    finally:
        await host.close()


async def uninstalled(installed: Installed, host: PluginHost) -> None:
    """Uninstall the plugin."""
    await installed.uninstall("one")


CHANGES: dict[str, tuple[Callable[[Installed, PluginHost], Awaitable[Any]], tuple[str, str]]] = {
    "install": (lambda one, host: one.install(order(), sent(packed("one", "3"))), ("LOADED", "3")),
    "rollback": (lambda one, host: one.rollback("one"), ("LOADED", "1")),
    "uninstall": (uninstalled, ("", "")),
    "disable": (lambda one, host: host.disable("one"), ("DISABLED", "2")),
}


@pytest.mark.parametrize("verb", CHANGES)
async def test_a_kill_at_any_instant_leaves_the_old_or_the_new(
    verb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whole either way, and nothing of what did not come to its end; what was acknowledged is the new."""
    root = tmp_path / "installed"
    host = await opened(root)
    installed = host.installed
    assert installed is not None
    for version in ("1", "2"):
        await installed.install(order(), sent(packed("one", version)))
    change, new = CHANGES[verb]
    instants = Instants(root, monkeypatch)
    try:
        await instants.during(change(installed, host))
    finally:
        monkeypatch.undo()
        await host.close()

    assert len(instants.seen) > 2
    found = [await shown(copy) for copy in instants.seen]
    assert set(found) == {("LOADED", "2"), new}
    assert found[-1] == new


async def test_a_version_that_does_not_serve_never_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kill before it was put back does not bring it, nor does it take from another plugin what that has."""
    root = tmp_path / "installed"
    host = await opened(root)
    installed = host.installed
    assert installed is not None
    await installed.install(order(), sent(packed("one", "2")))
    await installed.install(order(), sent(packed("two", "1")))

    async def refused() -> None:
        with pytest.raises(HostdError, match="did not begin to serve"):
            await installed.install(order(), sent(packed("one", "3", action="two.act")))

    instants = Instants(root, monkeypatch)
    try:
        await instants.during(refused())
    finally:
        monkeypatch.undo()
        await host.close()

    assert len(instants.seen) > 2
    assert {await shown(copy) for copy in instants.seen} == {("LOADED", "2")}


async def test_an_uninstall_that_nobody_waits_for_holds_up_the_next_change(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its files are still being removed: a version that was installed meanwhile would go with them."""
    removing, go_on = threading.Event(), threading.Event()
    remove = shutil.rmtree

    def slow(*args: Any, **kwargs: Any) -> None:
        removing.set()
        assert go_on.wait(60)
        remove(*args, **kwargs)

    installed = lab.core.host.installed
    assert installed is not None
    monkeypatch.setattr(shutil, "rmtree", slow)
    uninstalling = asyncio.ensure_future(installed.uninstall("one"))
    assert await asyncio.to_thread(removing.wait, 60)
    uninstalling.cancel()
    await asyncio.sleep(0)
    with pytest.raises(HostdError, match="one at a time") as refused:
        await installed.install(order(), sent(packed("one", "3")))
    assert refused.value.reason == "INSTALL_BUSY"

    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await uninstalling
    await installed.install(order(), sent(packed("one", "3")))
    assert report(lab, "one").version == "3"


@pytest.mark.parametrize("verb", ["install", "rollback", "disable"])
async def test_a_full_disk_is_told_with_the_folder(verb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system names no file when there is no room to write; what served serves on."""
    host = await opened(tmp_path)
    installed = host.installed
    assert installed is not None
    for version in ("1", "2"):
        await installed.install(order(), sent(packed("one", version)))

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    try:
        with pytest.raises(HostdError) as refused:
            await CHANGES[verb][0](installed, host)
        why = f"{tmp_path}: No space left on device; make room, or let hostd write there, and try again"
        assert (refused.value.reason, refused.value.message) == ("INSTALL_FAILED", why)
        assert [(one.state.value, one.version) for one in host.registry.plugins] == [("LOADED", "2")]
    finally:
        monkeypatch.undo()
        await host.close()
    assert await shown(tmp_path) == ("LOADED", "2")
