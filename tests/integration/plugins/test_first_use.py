"""Plugins that are known start with their first use: listed, checked and reloaded without a process before that."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from lab import Lab, of_kind

from hostd.errors.base import HostdError
from hostd.host.found import PluginReport, PluginState
from hostd.host.process.plugin_process import PluginProcess
from hostd.host.process.states import ProcessState
from hostd.model.records import AttemptLost, AttemptSucceeded
from hostd.values.json_text import parse_json

SHOP = '''
import asyncio, os
from hostd.plugin import Action, Field, Options, Registry, Trigger, hookimpl

class ChargeOptions(Options):
    cents: int = Field(description="How much.", ge=1)

class Charge(Action[ChargeOptions]):
    """Charges."""

    id, since, stability, effects = "shop.charge", "0.1", "stable", "none"
    codes = {"TOO_MUCH": "The bank gives less.", "BUSY": "Try again."}

    async def run(self, ctx, options):
        if options.cents == 99:
            await ctx.kv.put("waits", str(ctx.run_id))
            await asyncio.sleep(600)
        return {"pid": os.getpid(), "cents": options.cents}

class Orders(Trigger[Options]):
    """Orders."""

    id, since, stability = "shop.orders", "0.1", "stable"

    async def run(self, ctx):
        await asyncio.sleep(600)

@hookimpl
def hostd_register(registry: Registry) -> None:
    registry.action(Charge)
    registry.trigger(Orders)
'''
MANIFEST = """
manifest: 1
id: shop
version: "1"
runtime: python
permissions: [kv]
provides:
  shop.charge:
    description: Charges.
    effects: none
    options: {type: object, properties: {cents: {type: integer, minimum: 1}}, required: [cents]}
    sample: {cents: 250}
    codes: {TOO_MUCH: As the manifest says.}
  shop.refund: {effects: none}
"""
CODES = {"TOO_MUCH": "The bank gives less.", "BUSY": "Try again."}
PAY = "workflow: pay\nsteps:\n  a: {uses: shop.charge, with: {cents: %s}}\n"


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    """A core whose plugins rest soon; `open` it when the folder is there."""
    made = Lab(tmp_path / "data", plugins={"limits": {"idle": "300ms"}})
    yield made
    if made.core.host.processes is not None:
        await made.core.lua.close()
        await made.close()


def write(tmp_path: Path, text: str = SHOP, manifest: str = "") -> None:
    """Write the plugin's folder."""
    path = tmp_path / "data" / "plugins" / "shop"
    path.mkdir(parents=True, exist_ok=True)
    (path / "__init__.py").write_text(text)
    if manifest:
        (path / "hostd-plugin.yaml").write_text(manifest)


def process(lab: Lab) -> PluginProcess:
    """Return the plugin's process as the host keeps it."""
    assert lab.core.host.processes is not None
    return lab.core.host.processes.known["shop"]


def report(lab: Lab) -> PluginReport:
    """Return what became of the plugin."""
    return next(one for one in lab.core.host.registry.plugins if one.id == "shop")


def codes(lab: Lab) -> dict[str, str]:
    """Return what failures of the plugin's action may be called, as the host knows it."""
    entry = lab.core.host.registry.action("shop.charge")
    assert entry is not None
    return dict(entry.codes)


async def restart(lab: Lab) -> None:
    """Close, and open anew with the same configuration."""
    await lab.restart(**lab.config.model_dump(exclude_unset=True))


async def charge(lab: Lab, cents: int = 5) -> Any:
    """Run one step; return its output."""
    row, records = await lab.run(PAY % cents)
    assert row.reason == ""
    return parse_json(of_kind(records, AttemptSucceeded)[0].output)


async def test_a_plugin_that_was_known_starts_with_its_first_attempt(lab: Lab, tmp_path: Path) -> None:
    """Asked once, remembered: listed, and documents checked, without a process; it rests when nothing is to do."""
    write(tmp_path)
    await lab.open()
    assert process(lab).pid
    await lab.until(lambda: process(lab).state is ProcessState.IDLE)  # nobody uses its trigger

    await restart(lab)
    assert (process(lab).state, process(lab).pid) == (ProcessState.IDLE, 0)
    assert report(lab).state is PluginState.LOADED
    assert report(lab).components == ("action shop.charge", "trigger shop.orders")
    assert codes(lab) == CODES
    assert "kv" in report(lab).permissions
    with pytest.raises(HostdError, match="less than the minimum"):
        await lab.register(PAY % 0)
    assert process(lab).pid == 0

    first = await charge(lab)
    await lab.until(lambda: process(lab).state is ProcessState.IDLE)
    assert process(lab).pid == 0
    second = await charge(lab)
    assert first["pid"] != second["pid"]
    assert process(lab).restarts == 0
    assert report(lab).message == ""


async def test_a_trigger_in_use_starts_its_plugin_at_once(lab: Lab, tmp_path: Path) -> None:
    """And keeps it from resting."""
    write(tmp_path)
    await lab.open()
    await lab.register("workflow: w\ntriggers:\n  t: {uses: shop.orders}\nsteps:\n  a: {uses: mock.noop}\n")
    await restart(lab)
    await lab.core.triggers.start()
    await lab.until(lambda: process(lab).desk.triggers)
    assert process(lab).state is ProcessState.READY
    assert process(lab).conversation.idle_s() == 0.0


async def test_a_manifest_is_enough_to_be_listed(lab: Lab, tmp_path: Path) -> None:
    """What it says is used until the plugin says otherwise; then that counts, and is told."""
    write(tmp_path, manifest=MANIFEST)
    await lab.open()
    assert process(lab).pid == 0
    assert report(lab).components == ("action shop.charge", "action shop.refund")
    assert codes(lab) == {"TOO_MUCH": "As the manifest says."}
    with pytest.raises(HostdError, match="less than the minimum"):
        await lab.register(PAY % 0)
    assert process(lab).pid == 0

    assert (await charge(lab, 7))["cents"] == 7
    told = "it serves other things than what its manifest says: new: trigger shop.orders; gone: action shop.refund"
    assert report(lab).message.startswith(told)
    assert report(lab).components == ("action shop.charge", "trigger shop.orders")
    assert lab.core.host.registry.action("shop.refund") is None
    assert codes(lab) == CODES

    await restart(lab)  # now it is known what the plugin itself said
    assert (process(lab).pid, report(lab).message) == (0, "")
    assert report(lab).components == ("action shop.charge", "trigger shop.orders")


async def test_a_plugin_that_says_something_else_the_next_time_is_told_of(lab: Lab, tmp_path: Path) -> None:
    """What it serves may depend on more than its files."""
    write(tmp_path, SHOP.replace('"shop.orders", "0.1"', f'open({str(tmp_path / "name")!r}).read(), "0.1"'))
    (tmp_path / "name").write_text("shop.orders")
    await lab.open()
    (tmp_path / "name").write_text("shop.returns")
    await restart(lab)
    assert report(lab).components == ("action shop.charge", "trigger shop.orders")
    await charge(lab)
    await lab.until(lambda: report(lab).message)
    told = "it serves other things than what it said before: new: trigger shop.returns; gone: trigger shop.orders"
    assert report(lab).message == told


async def test_another_content_and_a_damaged_memory_are_asked_about(lab: Lab, tmp_path: Path) -> None:
    """Nothing old is believed of new files, nor anything of a file that was altered."""
    write(tmp_path)
    await lab.open()
    await restart(lab)
    assert process(lab).pid == 0
    memory = tmp_path / "data" / "cache" / "plugins" / "shop.hello"
    memory.write_bytes(memory.read_bytes().replace(b"shop.charge", b"shop.cherge"))
    await restart(lab)
    assert process(lab).spoke
    assert report(lab).components == ("action shop.charge", "trigger shop.orders")

    await lab.close()
    write(tmp_path, SHOP.replace("shop.orders", "shop.sales"))
    await lab.again()
    assert process(lab).spoke
    assert report(lab).components == ("action shop.charge", "trigger shop.sales")


async def test_old_versions_are_few_and_listed(lab: Lab, tmp_path: Path) -> None:
    """Each reload leaves one behind that ends what it holds; the fourth ends the oldest, whose attempt is lost."""
    write(tmp_path)
    await lab.open()
    processes = lab.core.host.processes
    assert processes is not None
    workflow = await lab.register(PAY % 99)
    runs, held = [], []
    for _ in range(4):
        runs.append(await lab.start(workflow))
        serving = process(lab)
        await lab.until(lambda serving=serving: serving.desk.attempts)
        held.append(serving)
        assert await processes.reload("shop")
        assert process(lab) is not serving
    view = processes.process("shop")
    assert view is not None
    assert [(old.version, old.attempts) for old in view.draining] == [("0", 1)] * 3
    assert {old.pid for old in view.draining} == {one.pid for one in held[1:]}
    assert held[0].pid == 0
    await lab.until(lambda: of_kind(lab.records(runs[0]), AttemptLost))
    await lab.until(lambda: len(process(lab).desk.attempts) == 1)  # issued again, to the version that serves
    assert not any(of_kind(lab.records(run), AttemptLost) for run in runs[1:])
