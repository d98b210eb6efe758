"""Every method of the Python client against a real host: none is only there."""

from __future__ import annotations

import ast
import inspect
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from daemon_kit import ECHO, WAIT, Kit, running

from hostd.client import BlockingClient, Client, Door, RunHandle, Start, errors

DAY = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, 4, tzinfo=UTC))
HOURLY = {"trigger": "hourly", "target": "echo@active", "uses": "cron.schedule", "with": {"cron": "0 * * * *"}}
STRICT = (
    "workflow: strict\nversion: {version}\n"
    "inputs: {{type: object, required: [n], properties: {{n: {{type: {type}}}}}}}\n"
    "triggers:\n  hook: {{uses: mock.emit, with: {{count: 0}}}}\n"
    "steps:\n  a: {{uses: flow.pass}}\n"
)
SHOUT = """
manifest: 1
id: shouting
version: "1"
runtime: lua
permissions: [net]
actions:
  text.shout: {file: shout.lua, options: {text: {type: string, required: true}}}
"""
BASKET = "workflow: basket\nsignals: {item: {}}\nsteps:\n  open: {uses: flow.wait, with: {duration: 1h}}\n"


def methods(kind: type) -> set[str]:
    """Return the public methods of a class."""
    return {name for name, _ in inspect.getmembers(kind, inspect.isfunction) if not name.startswith("_")}


@pytest.fixture
async def kit(tmp_path: Path) -> AsyncIterator[Kit]:
    """A host."""
    async with running(tmp_path / "data") as kit:
        yield kit


@pytest.fixture
async def client(kit: Kit, tmp_path: Path) -> AsyncIterator[Client]:
    """A client of it."""
    async with Client(Door(f"unix:{tmp_path / 'data' / 'run' / 'hostd.sock'}")) as client:
        yield client


async def test_workflows(client: Client) -> None:
    """In, shown, activated, out."""
    assert (await client.validate("workflow: x\n")).violations
    with pytest.raises(errors.DocumentInvalid):
        await client.register("workflow: x\n")
    first = await client.register(STRICT.format(version="1.0.0", type="integer"))
    assert (first.created, first.workflow.active_version) == (True, "1.0.0")
    again = await client.register(STRICT.format(version="1.1.0", type="string"), activate=False)
    assert again.workflow.active_version == "1.0.0"
    assert [each.version async for each in client.list_versions("strict")] == ["1.1.0", "1.0.0"]
    assert (await client.activate("strict", "1.1.0", expected="1.0.0")).active_version == "1.1.0"
    with pytest.raises(errors.ActiveChanged):
        await client.activate("strict", "1.0.0", expected="1.0.0")
    assert (await client.get_workflow("strict")).version.source.startswith("workflow: strict")
    (difference,) = [
        each for each in (await client.diff_versions("strict", "1.0.0")).differences if each.path.startswith("inputs")
    ]
    assert (difference.kind, difference.before, difference.after) == ("CHANGED", '"integer"', '"string"')
    await client.delete_workflow("strict", version="1.0.0")
    assert [each.workflow async for each in client.list_workflows()] == ["strict"]


async def test_runs(client: Client) -> None:
    """Started in every way, read in every way, steered in every way."""
    for document in (ECHO, WAIT, BASKET):
        await client.register(document)
    run = await client.start("echo", {"n": 1}, key="one", labels={"a": "b"})
    assert (await run.result(), (await run.get()).key) == ({"n": 1}, "one")
    assert (await client.execute("echo", [1, 2.5, None, "ä"])).output == [1, 2.5, None, "ä"]
    same = [await client.start("echo", request_id="same") for _ in range(2)]
    assert (same[0].run_id == same[1].run_id, same[1].existing) == (True, True)
    many = await client.start_many([Start("echo", {"n": n}) for n in range(501)] + [Start("nope")])
    assert isinstance(many[-1], errors.WorkflowMissing)
    assert sum(isinstance(each, RunHandle) for each in many) == 501
    listed = [each.run_id async for each in client.list_runs('workflow == "echo"', order_by="create_time")]
    assert (len(listed), listed[0]) == (504, run.run_id)
    assert [each.run_id async for each in client.list_runs(limit=150, order_by="create_time")] == listed[:150]
    assert [each async for each in client.list_runs(limit=0)] == []
    assert await client.count('labels.a == "b"') == 1
    assert (await client.get_run("echo/one")).run_id == client.run(run.run_id).run_id
    assert [each.seq async for each in client.history(run)] == [each.seq async for each in client.watch_run(run)]
    assert list(await client.logs(run)) == []
    assert [line async for line in client.tail_logs(run)] == []
    assert (await client.wait(run)).final
    await client.delete_run(run)
    with pytest.raises(errors.RunMissing):
        await run.get()

    basket = await client.signal_with_start("basket", "b", "item", {"n": 1})
    assert (await client.signal_with_start("basket", "b", "item")).run_id == basket.run_id
    await client.signal("basket/b", "item", 3)
    assert (await basket.get()).signals == {"item": 3}
    assert ((await client.pause(basket, "tea")).state, (await client.resume(basket)).state) == ("PAUSED", "WAITING")
    assert (await client.cancel(basket, "enough")).state in ("CANCELING", "CANCELED")
    assert (await basket.wait()).state == "CANCELED"
    with pytest.raises(errors.WaitExpired) as late:
        await client.execute("wait", timeout_s=2.0)
    assert not (await client.get_run(late.value.metadata["run_id"])).final
    waiting = await client.start("wait")
    assert (await client.terminate(waiting)).state == "CANCELED"
    with pytest.raises(errors.RunUnsuccessful) as caught:
        await waiting.result()
    assert caught.value.reason == "TERMINATED"


async def test_large_values(client: Client) -> None:
    """What is too large for an answer is read by what the answer holds."""
    await client.register(ECHO)
    text = "0123456789" * 60_000
    run = await client.execute("echo", {"text": text})
    assert set(run.output) == {"$blob", "size_bytes"}
    whole = await client.read_blob(run.output)
    assert whole.decode() == f'{{"text":"{text}"}}'
    parts = [part async for part in client.stream_blob(run.output["$blob"])]
    assert len(parts) > 1
    assert b"".join(parts) == whole
    with pytest.raises(errors.BlobMissing):
        await client.read_blob("0" * 64)
    with pytest.raises(errors.ArgumentInvalid):
        await client.read_blob({})


async def test_triggers(client: Client, kit: Kit) -> None:
    """Of a workflow, and of their own: shown, fired, paused, filled in, followed."""
    await client.register(ECHO)
    applied = await client.apply_trigger(HOURLY)
    assert (applied.changed, (await client.apply_trigger(HOURLY)).changed) == (True, False)
    async with client.watch_triggers() as watch:
        assert [change.trigger.name for change in await watch.snapshot()] == ["hourly"]
    fired = await client.fire("hourly", {"n": 1}, event_id="e")
    again = await client.fire("hourly", {"n": 1}, event_id="e")
    assert (fired.outcome, again.outcome, again.run_ids) == ("STARTED", "DUPLICATE", fired.run_ids)
    assert (await client.get_trigger("hourly")).fired == 1
    tried = await client.try_event("hourly", {"n": 1}, event_id="e")
    assert (tried.outcome, tried.run_ids, tried.event["data"]) == ("DUPLICATE", fired.run_ids, {"n": 1})
    tried = await client.try_event("hourly", document=HOURLY | {"if": "event.data == 1"})
    assert (tried.outcome, tried.matches) == ("NO_MATCH", False)
    assert (await client.pause_trigger("hourly", reason="tea")).state == "PAUSED"
    assert (await client.resume_trigger("hourly")).state != "PAUSED"
    slots = await client.preview("hourly", after=DAY[0], count=2)
    assert [slot.time.hour for slot in slots] == [1, 2]
    assert (await client.backfill("hourly", *DAY, dry_run=True)).slots == 4
    with pytest.raises(errors.ArgumentInvalid, match="time zone"):
        await client.backfill("hourly", DAY[0].replace(tzinfo=None), DAY[1])
    await client.delete_trigger("hourly")
    assert [each async for each in client.list_triggers()] == []


async def test_answers_warn_of_triggers_that_do_not_run(client: Client) -> None:
    """Registering, activating, resuming and applying: here, because another has the path."""
    hook = {"uses": "http.webhook", "with": {"path": "taken"}}
    steps = {"a": {"uses": "flow.pass"}}
    assert (await client.register({"workflow": "first", "triggers": {"door": hook}, "steps": steps})).warnings == ()
    registered = await client.register({"workflow": "second", "triggers": {"door": hook}, "steps": steps})
    (expected,) = registered.warnings
    assert "PATH_TAKEN" in expected
    activated = await client.activate("second", registered.workflow.active_version)
    resumed = await client.resume_trigger("door", workflow="second")
    applied = await client.apply_trigger({"trigger": "door", "target": "first@active", **hook})
    assert activated.warnings == resumed.warnings == applied.warnings == (expected,)


async def test_events_and_what_becomes_of_them(client: Client, kit: Kit) -> None:
    """Published once, read in order; those that no run can take are dead letters."""
    first = await client.publish("orders.new", {"n": 1}, type="paid", id="a", source="/till")
    assert (await client.publish("orders.new", {"n": 1}, type="paid", id="a", source="/till")) == first
    await client.publish_many([("orders.old", {"type": "paid", "data": 2, "extra": 7})])
    async with client.subscribe("orders.*", after=0, filter="event.type == 'paid'") as events:
        taken = [await anext(events), await anext(events)]
    assert [(each.topic, each.data, each.extensions) for each in taken] == [
        ("orders.new", {"n": 1}, {}),
        ("orders.old", 2, {"extra": 7}),
    ]
    assert [each.topic async for each in client.event_types()] == ["orders.new", "orders.old"]
    with pytest.raises(errors.EventInvalid):
        await client.publish_many([("orders.new", {"specversion": "0.3"})])

    await client.register(STRICT.format(version="1.0.0", type="integer"))
    fired = await client.fire("hook", "no number", workflow="strict")
    assert fired.outcome == "DEAD_LETTERED"
    (letter,) = [each async for each in client.list_dead_letters(limit=5)]
    assert (await client.get_dead_letter(letter.number)).event["data"] == "no number"
    (redriven,) = await client.redrive_dead_letters([letter.number])
    assert redriven.outcome in ("DEAD_LETTERED", "")
    assert await client.purge_dead_letters() == 1


async def test_what_is_repeated_is_done_once(client: Client) -> None:
    """Whatever changes something takes a request id: the same again is answered as the first was."""
    for version, kind in (("1.0.0", "integer"), ("1.1.0", "string")):
        await client.register(STRICT.format(version=version, type=kind))
    await client.activate("strict", "1.0.0", request_id="a")
    for n in range(3):
        await client.fire("hook", f"no number {n}", workflow="strict")
    first = await client.redrive_dead_letters(request_id="r")
    assert len(first) == 3
    assert await client.redrive_dead_letters(request_id="r") == first
    assert await client.purge_dead_letters(request_id="p") == 3
    await client.fire("hook", "no number again", workflow="strict")
    assert await client.purge_dead_letters(request_id="p") == 3
    assert len([each async for each in client.list_dead_letters()]) == 1

    await client.register(WAIT)
    run = await client.start("wait")
    await run.pause("why", request_id="p-1")
    await run.resume(request_id="r-1")
    for _ in range(2):
        assert (await client.pause_trigger("hook", workflow="strict", request_id="t-1")).state == "PAUSED"
        await client.set_secret("token", "not-a-real-one", request_id="s-1")
        await client.delete_secret("token", request_id="s-2")
        await client.delete_workflow("strict", version="1.1.0", request_id="d-1")
        assert (await run.terminate(request_id="e-1")).state == "CANCELED"
    for conflict in (
        client.activate("strict", "1.1.0", request_id="a"),
        client.redrive_dead_letters([1], request_id="r"),
        client.pause_trigger("hook", workflow="strict", reason="another", request_id="t-1"),
        client.set_secret("token", "another", request_id="s-1"),
    ):
        with pytest.raises(errors.RequestIdConflict):
            await conflict


async def test_a_redrive_takes_all_pages(client: Client) -> None:
    """A thousand go in one request; what could not be used again does not keep the rest from its turn."""
    await client.register(STRICT.format(version="1.0.0", type="integer"))
    for n in range(3):
        await client.fire("hook", f"no number {n}", workflow="strict")
    asked: list[Any] = []
    ask = client._ask

    async def in_ones(method: Any, request: Any, **more: Any) -> Any:
        request.limit = 1
        asked.append(request)
        return await ask(method, request, **more)

    client._ask = in_ones  # type: ignore[method-assign]
    assert len(await client.redrive_dead_letters()) == 3
    assert len({request.request_id for request in asked}) == len(asked) >= 3


async def test_installing_a_plugin(client: Client, tmp_path: Path) -> None:
    """A folder and a wheel are sent; what it asks for must be accepted; what cannot be read says so here."""
    folder = tmp_path / "shouting"
    folder.mkdir()
    (folder / "hostd-plugin.yaml").write_text(SHOUT)
    (folder / "shout.lua").write_text("return input.text .. '!'\n")
    examined = await client.install_plugin(folder, examine_only=True)
    assert (examined.plugin.id, examined.plugin.version, examined.plugin.permissions) == ("shouting", "1", ("net",))
    with pytest.raises(errors.PermissionsNotAccepted):
        await client.install_plugin(folder)
    installed = await client.install_plugin(folder, permissions=["net"])
    assert (installed.plugin.version, installed.plugin.source) == ("1", "installed")
    (folder / "hostd-plugin.yaml").write_text(SHOUT.replace('"1"', '"2"'))
    assert (await client.install_plugin(folder, all_permissions=True)).replaced_version == "1"
    assert (await client.rollback_plugin("shouting")).version == "1"
    await client.uninstall_plugin("shouting")
    wheel = tmp_path / "none-1-py3-none-any.whl"
    with pytest.raises(errors.ArgumentInvalid, match="cannot be read"):
        await client.install_plugin(wheel)
    wheel.write_bytes(b"no wheel")
    with pytest.raises(errors.PackageInvalid):
        await client.install_plugin(wheel)


async def test_the_rest(client: Client) -> None:
    """Plugins, secrets, the daemon itself."""
    plugins = [each async for each in client.list_plugins()]
    assert (await client.get_plugin(plugins[0].id)).id == plugins[0].id
    async with client.watch_plugins() as watch:
        assert [change.plugin.id for change in await watch.snapshot()] == [each.id for each in plugins]
    for refusing in (client.reload_plugin, client.disable_plugin, client.enable_plugin):
        with pytest.raises(errors.PluginMissing):
            await refusing("nope")
    assert (await client.component_schema("mock.echo")).schema["type"] == "object"
    assert (await client.set_secret("token", "a-value-nobody-sees")).writable
    assert [each.name async for each in client.list_secrets()] == ["token"]
    assert await client.rotate_secrets_key() == 1
    await client.delete_secret("token")
    assert (await client.info()).limits["value_bytes"]
    assert [each.verb async for each in client.audit(limit=1)] == ["secret.set"]
    assert (await client.evaluate("a + 1", {"a": 2}), await client.evaluate("1 + 1")) == (3, 2)
    assert await client.is_serving()
    assert "data" in {each.key for each in (await client.config()).values}
    await client.register(ECHO)
    assert [each.name async for each in client.list_namespaces()] == ["default"]
    assert await client.set_log_level("debug", logger="hostd.runtime") == {"hostd.runtime": "debug"}
    assert await client.set_log_level("") == {}
    with pytest.raises(errors.HostdError):
        await client.reload_config()


async def test_the_journal_and_scripts(client: Client) -> None:
    """Copied, compacted; scripts run and compile on their own; a new token is made."""
    steps: list[int] = []
    backup = await client.backup("copy.db", on_progress=lambda done, total: steps.append(total))
    assert (Path(backup.path).stat().st_size, bool(steps)) == (backup.size_bytes, True)
    with pytest.raises(errors.HostdError):
        await client.backup("copy.db")
    stages: list[str] = []
    assert (await client.compact(on_progress=lambda each: stages.append(each.stage))).stage == "DONE"
    assert stages[-1] == "DONE"
    done = await client.evaluate_script("log.info('hi') return input.n + 1", {"n": 2}, limits={"cpu_ms": 1000})
    assert (done.output, done.failure, [(line.level, line.text) for line in done.logs]) == (3, None, [("info", "hi")])
    failed = await client.evaluate_script("error('no')")
    assert failed.failure is not None
    assert failed.failure.reason == "SCRIPT_ERROR"
    fault = await client.validate_script("return (\n1 +")
    assert fault.failure is not None
    assert fault.line == 2
    assert (await client.validate_script("return 1")).failure is None
    assert len(Path(await client.rotate_token()).read_text().strip()) > 20


async def test_changes_of_runs(client: Client) -> None:
    """First what is there, then what changes; another namespace knows nothing of it."""
    await client.register(ECHO)
    there = await client.execute("echo", 1)
    async with client.watch_runs('workflow == "echo"') as watch:
        assert [(change.kind, change.run.run_id) for change in await watch.snapshot()] == [("ADDED", there.run_id)]
        run = await client.start("echo", 2)
        assert (await anext(watch)).run.run_id == run.run_id
    assert await client.with_options(namespace="elsewhere").count() == 0


def test_no_method_is_left_out() -> None:
    """The tests above call each of them."""
    tree = ast.parse(Path(__file__).read_text())
    called = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "client"
    }
    what_they_are_made_of = {"call", "stream", "follow", "close"}
    assert methods(Client) - what_they_are_made_of - called == set()
    assert methods(BlockingClient) == methods(Client)
