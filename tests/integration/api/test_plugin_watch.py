"""WatchPlugins on a real host: folders of plugins that come, change and go while somebody watches."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from daemon_kit import Kit, refused, running

from hostd.client import connect
from hostd.v1 import plugin_service_pb2 as pb
from hostd.v1 import run_service_pb2 as runs

MANIFEST = """
manifest: 1
id: shouting
version: VERSION
runtime: lua
actions:
  text.shout: {file: shout.lua, description: Says it louder.}
"""
Told = list[tuple[str, str, str, str]]


def write(folder: Path, version: str) -> None:
    """Write a plugin beside its place, and put it there whole."""
    made = folder.with_name("." + folder.name)
    made.mkdir(parents=True)
    (made / "hostd-plugin.yaml").write_text(MANIFEST.replace("VERSION", version))
    (made / "shout.lua").write_text("return input")
    if folder.exists():
        shutil.rmtree(folder)
    made.rename(folder)


def taken_apart(message: pb.WatchPluginsResponse) -> Told:
    """Return changes as (kind, id, version, state)."""
    return [
        (
            runs.ChangeKind.Name(change.kind).removeprefix("CHANGE_KIND_"),
            change.plugin.id,
            change.plugin.version,
            pb.PluginState.Name(change.plugin.state).removeprefix("PLUGIN_STATE_"),
        )
        for change in message.changes
    ]


async def until(call: Any, kind: str, state: str = "", version: str = "") -> tuple[Told, str]:
    """Return what a watch tells of the plugin up to such a change, and the token behind it."""
    told: Told = []
    async for message in call:
        told += [change for change in taken_apart(message) if change[1] == "shouting"]
        if any(each == kind and version in ("", had) and state in ("", now) for each, _, had, now in told):
            return told, message.resume_token
    raise AssertionError(f"the watch ended: {told}")


@pytest.fixture
async def kit(tmp_path: Path) -> AsyncIterator[Kit]:
    async with running(tmp_path / "d") as kit:
        yield kit
        await kit.core.lua.close()


@pytest.mark.timeout(400)
async def test_plugins_are_watched_and_a_watch_is_resumed(kit: Kit, tmp_path: Path) -> None:
    """A snapshot, then added, modified and deleted; a token goes on behind it, also where all that is over."""
    folder = tmp_path / "d" / "plugins" / "shouting"
    call = kit.plugins.WatchPlugins(pb.WatchPluginsRequest())
    first = await anext(aiter(call))
    write(folder, "1.0.0")
    came, token = await until(call, "ADDED")
    write(folder, "2.0.0")
    changed, newest = await until(call, "MODIFIED", "LOADED", "2.0.0")
    await kit.plugins.DisablePlugin(pb.DisablePluginRequest(id="shouting"))
    await until(call, "MODIFIED", "DISABLED")
    call.cancel()
    shutil.rmtree(folder)
    resumed = kit.plugins.WatchPlugins(pb.WatchPluginsRequest(resume_token=token))
    gone, _ = await until(resumed, "DELETED")
    resumed.cancel()

    assert first.snapshot_end and {change[0] for change in taken_apart(first)} == {"ADDED"}
    assert {"http", "cron"} <= {change[1] for change in taken_apart(first)}
    assert came[0][0] == "ADDED" and changed[-1][2:] == ("2.0.0", "LOADED")
    assert "ADDED" not in [change[0] for change in gone]
    foreign = kit.plugins.WatchPlugins(pb.WatchPluginsRequest(id="shouting", resume_token=newest))
    assert (await refused(foreign)).reason == "RESUME_TOKEN_INVALID"


async def test_a_token_ends_with_its_daemon_and_the_client_begins_anew(tmp_path: Path) -> None:
    """After a restart it is RESUME_TOKEN_EXPIRED; a client that says what then to do is given a snapshot."""
    async with running(tmp_path / "d") as kit:
        call = kit.plugins.WatchPlugins(pb.WatchPluginsRequest())
        token = (await anext(aiter(call))).resume_token
        call.cancel()
    async with running(tmp_path / "d") as kit:
        late = await refused(kit.plugins.WatchPlugins(pb.WatchPluginsRequest(resume_token=token)))
        expired: list[str] = []
        async with connect(data=tmp_path / "d") as client:
            async with client.watch_plugins(resume_token=token, on_expired=lambda: expired.append("anew")) as watch:
                there = {change.plugin.id for change in await watch.snapshot() if change.kind == "ADDED"}
            async with client.watch_plugins("http") as watch:
                assert [change.plugin.id for change in await watch.snapshot()] == ["http"]

    assert (late.code, late.reason) == ("FAILED_PRECONDITION", "RESUME_TOKEN_EXPIRED")
    assert expired == ["anew"] and "http" in there
