"""Triggers, plugins, scripts and the daemon itself through the socket."""

import asyncio
import json
from pathlib import Path
from typing import Any

from daemon_kit import Kit, refused

from hostd.journal.tools import check_file
from hostd.v1 import admin_service_pb2, plugin_service_pb2, script_service_pb2, trigger_service_pb2
from hostd.v1.payload_pb2 import Payload

EVERY = "workflow: tick\ntriggers:\n  t: {uses: cron.every, with: {period: 1h}}\nsteps:\n  a: {uses: mock.noop}\n"


async def live(kit: Kit, **fields: Any) -> Any:
    """Return the trigger once it is there and has begun."""
    request = trigger_service_pb2.GetTriggerRequest(workflow="tick", name="t")
    for _ in range(200):
        listed = await kit.triggers.ListTriggers(trigger_service_pb2.ListTriggersRequest(workflow="tick"))
        if listed.triggers and listed.triggers[0].state == trigger_service_pb2.TRIGGER_STATE_ACTIVE:
            break
        await asyncio.sleep(0.01)
    return await kit.triggers.GetTrigger(request)


async def test_a_trigger_is_seen_paused_resumed_and_fired(kit: Kit) -> None:
    """Its state follows; an event fired by hand starts a run, the same event id again is a duplicate."""
    where = {"workflow": "tick", "name": "t"}
    await kit.register(EVERY)
    trigger = await live(kit)
    paused = await kit.triggers.PauseTrigger(
        trigger_service_pb2.PauseTriggerRequest(**where, reason="quiet", request_id="p")
    )
    repeated = await kit.triggers.PauseTrigger(
        trigger_service_pb2.PauseTriggerRequest(**where, reason="quiet", request_id="p")
    )
    resumed = await kit.triggers.ResumeTrigger(trigger_service_pb2.ResumeTriggerRequest(**where))
    fire = trigger_service_pb2.FireTriggerRequest(**where, data=Payload(data=b'{"n":1}'), event_id="e")
    first, second = await kit.triggers.FireTrigger(fire), await kit.triggers.FireTrigger(fire)
    anonymous = await kit.triggers.FireTrigger(trigger_service_pb2.FireTriggerRequest(**where))

    assert (trigger.uses, trigger.state, trigger.version) == (
        "cron.every", trigger_service_pb2.TRIGGER_STATE_ACTIVE, "0.0.1",
    )  # fmt: skip
    assert (paused.state, paused.message) == (trigger_service_pb2.TRIGGER_STATE_PAUSED, "quiet")
    assert repeated == paused
    assert resumed.state != trigger_service_pb2.TRIGGER_STATE_PAUSED
    assert (first.outcome, len(first.run_ids)) == ("STARTED", 1)
    assert (second.outcome, list(second.run_ids)) == ("DUPLICATE", list(first.run_ids))
    assert anonymous.event_id not in ("", "e")
    run = await kit.get(first.run_ids[0])
    assert (run.trigger, run.principal) == ("t", "owner")
    assert json.loads(run.input.data) == {"n": 1}


async def test_missing_triggers_and_bad_names_have_their_reasons(kit: Kit) -> None:
    """TRIGGER_MISSING for what is not there, ARGUMENT_INVALID for what cannot be."""
    for name in ("Get", "Pause", "Resume", "Fire"):
        method = getattr(kit.triggers, f"{name}Trigger")
        make = getattr(trigger_service_pb2, f"{name}TriggerRequest")
        missing = await refused(method(make(workflow="echo", name="t")))
        assert (missing.code, missing.reason) == ("NOT_FOUND", "TRIGGER_MISSING"), name
        assert (await refused(method(make(workflow="echo")))).reason == "ARGUMENT_INVALID", name


async def test_plugins_and_their_components_are_listed(kit: Kit) -> None:
    """Each built-in is LOADED with its components; a component's schema and sample are JSON."""
    plugins = await kit.plugins.ListPlugins(plugin_service_pb2.ListPluginsRequest())
    one = await kit.plugins.GetPlugin(plugin_service_pb2.GetPluginRequest(id="http"))
    schema = await kit.plugins.GetComponentSchema(plugin_service_pb2.GetComponentSchemaRequest(id="http.request"))
    no_plugin = await refused(kit.plugins.GetPlugin(plugin_service_pb2.GetPluginRequest(id="nothing")))
    no_part = await refused(
        kit.plugins.GetComponentSchema(plugin_service_pb2.GetComponentSchemaRequest(id="http.request", kind="trigger"))
    )

    assert {plugin.id for plugin in plugins.plugins} >= {"cron", "http", "log", "lua", "mock", "secrets"}
    assert one in plugins.plugins
    assert one.state == plugin_service_pb2.PLUGIN_STATE_LOADED
    assert {(part.kind, part.id) for part in one.components} == {
        ("action", "http.request"),
        ("trigger", "http.webhook"),
    }
    assert all(part.description for plugin in plugins.plugins for part in plugin.components)
    assert "url" in json.loads(schema.schema)["properties"]
    assert "url" in json.loads(schema.sample)
    assert no_plugin.reason == no_part.reason == "PLUGIN_MISSING"


async def test_expressions_are_evaluated(kit: Kit) -> None:
    """Bare or as a template, over a context; faults have their reasons."""

    async def value(text: str, context: bytes = b'{"input": {"n": 4}}') -> Any:
        request = script_service_pb2.EvaluateExpressionRequest(expression=text, context=Payload(data=context))
        return json.loads((await kit.scripts.EvaluateExpression(request)).value.data)

    async def reason(text: str) -> str:
        request = script_service_pb2.EvaluateExpressionRequest(expression=text, context=Payload(data=b"{}"))
        return (await refused(kit.scripts.EvaluateExpression(request))).reason

    assert await value("input.n + 1") == 5
    assert await value("n is ${{ input.n }}") == "n is 4"
    assert await reason("1 +") == "EXPRESSION_INVALID"
    assert await reason("input.n") == "EXPRESSION_FAILED"


async def test_scripts_are_validated_and_run(kit: Kit) -> None:
    """A result, a fault with its line, a limit and an unknown limit each answer as they should."""
    request = script_service_pb2.EvaluateScriptRequest
    good = await kit.scripts.EvaluateScript(
        request(source="log.info('hi') return {twice = input.n * 2}", input=Payload(data=b'{"n":4}'))
    )
    bad = await kit.scripts.EvaluateScript(request(source="error('no')"))
    endless = await kit.scripts.EvaluateScript(request(source="while true do end", limits={"cpu_ms": 50}))
    unknown = await refused(kit.scripts.EvaluateScript(request(source="return 1", limits={"luck": 1})))
    more = await refused(kit.scripts.EvaluateScript(request(source="return 1", limits={"cpu_ms": 10**9})))
    compiled = await kit.scripts.ValidateScript(script_service_pb2.ValidateScriptRequest(source="return 1"))
    fault = await kit.scripts.ValidateScript(script_service_pb2.ValidateScriptRequest(source="local x = 1\nreturn +"))

    assert json.loads(good.output.data) == {"twice": 8}
    assert [(line.level, line.text) for line in good.logs] == [("info", "hi")]
    assert (bad.failure.reason, bad.HasField("output")) == ("SCRIPT_ERROR", False)
    assert endless.failure.reason == "SCRIPT_LIMIT"
    assert (unknown.code, unknown.reason) == ("INVALID_ARGUMENT", "ARGUMENT_INVALID")
    assert (more.code, more.reason) == ("INVALID_ARGUMENT", "OPTION_INVALID")
    assert not compiled.HasField("failure")
    assert (fault.failure.reason, fault.line) == ("SCRIPT_INVALID", 2)


async def test_the_daemon_says_what_it_is(kit: Kit) -> None:
    """Versions, limits and the journal stand in GetSystemInfo."""
    info = await kit.admin.GetSystemInfo(admin_service_pb2.GetSystemInfoRequest())

    assert info.version
    assert info.limits["value_bytes"] == 1 << 20
    assert (info.journal.kind, info.journal.unwritable) == ("sqlite", "")
    assert info.journal.path.endswith("journal.db")
    assert info.start_time.ToMilliseconds() > 0


async def test_the_journal_is_backed_up_while_it_is_used(kit: Kit, tmp_path: Path) -> None:
    """The last message names a sound copy; a path that is taken or climbs is refused."""
    await kit.execute("echo")
    steps = [step async for step in kit.admin.BackupJournal(admin_service_pb2.BackupJournalRequest(path="one.db"))]
    taken = await refused(kit.admin.BackupJournal(admin_service_pb2.BackupJournalRequest(path="one.db")))
    climbs = await refused(kit.admin.BackupJournal(admin_service_pb2.BackupJournalRequest(path="../one.db")))

    copy = Path(steps[-1].path)
    assert copy == tmp_path / "d" / "backups" / "one.db"
    assert copy.stat().st_size == steps[-1].size_bytes
    assert await asyncio.to_thread(lambda: list(check_file(copy))) == []
    assert taken.reason == climbs.reason == "ARGUMENT_INVALID"
