"""Codes of failures of plugins in a process of their own and in Lua: on pages, in calls, in `hostd explain`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from daemon_kit import Kit, running

from hostd.cli.main import run
from hostd.client import connect
from hostd.v1 import plugin_service_pb2 as pb

CODE = '''
from hostd.plugin import Action, Options, Registry, hookimpl

class Charge(Action[Options]):
    """Charges a card."""

    id, since, stability, effects = "shop.charge", "0.1", "stable", "none"
    codes = {"CARD_DECLINED": "The bank said no. Ask for another card.", "HTTP_<status>": "What the bank answered."}

    async def run(self, ctx, options):
        return 1

@hookimpl
def hostd_register(registry: Registry) -> None:
    registry.action(Charge)
'''
MEANING = "The bank said no. Ask for another card."
TILL = """
manifest: 1
id: till
runtime: lua
actions:
  till.pay:
    file: pay.lua
    codes: {NO_CASH: The till is empty. Fill it.}
"""
PAY = 'error{code = "NO_CASH", message = "nothing left", retryable = false}'


@pytest.fixture
async def kit(tmp_path: Path) -> AsyncIterator[Kit]:
    """A host that serves the plugins of two folders."""
    folder = tmp_path / "d" / "plugins" / "shop"
    till = folder.with_name("till")
    for one in (folder, till):
        one.mkdir(parents=True)
    (folder / "__init__.py").write_text(CODE)
    (till / "hostd-plugin.yaml").write_text(TILL)
    (till / "pay.lua").write_text(PAY)
    (tmp_path / "d").chmod(0o700)
    async with running(tmp_path / "d") as kit:
        for plugin in ("shop", "till"):
            async for message in kit.plugins.WatchPlugins(pb.WatchPluginsRequest(id=plugin)):
                if any(change.plugin.state == pb.PLUGIN_STATE_LOADED for change in message.changes):
                    break
        yield kit
        await kit.core.lua.close()


@pytest.fixture
def hostd(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Any:
    """Run `hostd ARGUMENTS` against the host; return what it printed."""

    async def command(*arguments: str) -> str:
        capfd.readouterr()
        code = await asyncio.to_thread(run, [*arguments, "--data", str(tmp_path / "d")])
        out, err = capfd.readouterr()
        assert code == 0, err
        return out

    return command


async def test_the_control_plane_tells_them(kit: Kit, tmp_path: Path) -> None:
    """GetPlugin and GetComponentSchema have them, in the plugin's order, and the client too."""
    (component,) = (await kit.plugins.GetPlugin(pb.GetPluginRequest(id="shop"))).components
    assert [(each.code, each.meaning) for each in component.codes] == [
        ("CARD_DECLINED", MEANING),
        ("HTTP_<status>", "What the bank answered."),
    ]
    schema = await kit.plugins.GetComponentSchema(pb.GetComponentSchemaRequest(id="shop.charge"))
    assert schema.component.codes == component.codes
    async with connect(data=tmp_path / "d") as client:
        about = await client.component_schema("shop.charge")
        assert (about.component.codes[0].code, about.component.codes[0].meaning) == ("CARD_DECLINED", MEANING)


async def test_commands_show_and_explain_them(kit: Kit, hostd: Any) -> None:
    """Asked of the daemon; where a built-in action has the same code, both are told."""
    assert MEANING in await hostd("plugin", "show", "shop", "-o", "wide")
    assert f"| `CARD_DECLINED` | {MEANING} |" in await hostd("plugin", "docs", "shop.charge")
    assert "CARD_DECLINED" in await hostd("plugin", "schema", "shop.charge")

    page = json.loads(await hostd("explain", "CARD_DECLINED", "-o", "json"))
    told = {"kind": "code of a failure", "name": "CARD_DECLINED", "of": "shop.charge", "meaning": MEANING}
    assert {name: page[name] for name in told} == told
    both = await hostd("explain", "HTTP_503")
    assert "shop.charge" in both
    assert "http.request" in both
    assert "# shop.charge" in await hostd("explain", "shop.charge")


async def test_a_manifest_says_those_of_actions_in_lua(kit: Kit, hostd: Any) -> None:
    """A step fails with the code that its script gave; the page, the listing and `explain` say what it means."""
    await kit.register("workflow: pay\nsteps:\n  cash: {uses: till.pay}\n")
    ended = await kit.execute("pay")
    assert ended.failures[0].code == "NO_CASH"
    (component,) = (await kit.plugins.GetPlugin(pb.GetPluginRequest(id="till"))).components
    assert [(each.code, each.meaning) for each in component.codes] == [("NO_CASH", "The till is empty. Fill it.")]
    assert "The till is empty" in await hostd("plugin", "show", "till", "-o", "wide")
    assert "| `NO_CASH` | The till is empty. Fill it. |" in await hostd("plugin", "docs", "till.pay")
    assert json.loads(await hostd("explain", "NO_CASH", "-o", "json"))["of"] == "till.pay"
