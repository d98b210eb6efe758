"""Configured triggers in a plugin process: emit, cursors, paths, partitions, and how they end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from plugin_child import Connection, PluginChild, TestHost

from hostd.plugin.v1 import host_pb2 as pb

HOOKS = '''
from hostd.plugin import *

class Path(Options):
    path: str = Field(description="Where.")

class In(Trigger[Path]):
    """Answers a path, and says twice that it does."""

    id, since, stability, tells_begun = "hooks.in", "0.1", "stable", True

    async def run(self, ctx):
        async def answer(request):
            return WebhookResponse(200)
        ctx.http.route(self.options.path, ["POST"], answer)
        ctx.begun()
        ctx.begun()
        await ctx.stopped()

@hookimpl
def hostd_register(registry):
    registry.trigger(In)
'''


def start_trigger(mode: str, instance: str = "i1", **more: object) -> pb.StartTrigger:
    """Return the start of the sample's trigger."""
    options = json.dumps({"mode": mode}).encode()
    facts = {"namespace": "default", "workflow": "orders", "name": "tick"}
    return pb.StartTrigger(instance=instance, trigger="sample.tick", options=options, **facts, **more)  # type: ignore[arg-type]


async def take(connection: Connection, outcome: str = "STARTED") -> pb.Emit:
    """Answer an Emit and return it."""
    frame = await connection.heard("emit")
    answers = [pb.EmittedEvent(event_id=one.id, outcome=outcome, run_ids=["r1"]) for one in frame.emit.events]
    await connection.reply(frame, emitted=pb.Emitted(events=answers))
    return frame.emit


async def test_events_and_cursors_go_to_the_host(host: TestHost, sample: PluginChild) -> None:
    """Events with all that is not said filled in; a time is a slot's mark, anything else the trigger's own cursor."""
    connection = await host.connection()
    await connection.say(start_trigger=start_trigger("ticks", cursor=b'{"offset":3}', since_ms=1_000))
    first = await take(connection)
    assert (first.instance, first.slot, json.loads(first.cursor)) == ("i1", True, "2026-01-02T03:04:05Z")
    one, two = first.events
    assert (one.id, one.source, one.type, one.data) == ("e1", "/default/orders/tick", "sample.tick", b'{"n":1}')
    assert (two.id, two.time, two.data) == ("e2", "2026-01-02T03:04:05Z", b"null")
    second = await take(connection)
    assert (second.slot, json.loads(second.cursor)) == (False, {"offset": 4})
    assert "outcome=<EmitOutcome.STARTED: 'STARTED'>, run_ids=('r1',)" in sample.output
    assert "'2026-01-02T03:04:05Z'" in sample.output
    log = await connection.hear("log")
    assert (log.trigger, log.lines[0].level) == ("i1", "warning")
    assert json.loads(log.lines[0].fields) == {"cursor": {"offset": 3}, "since": "1970-01-01T00:00:01+00:00"}
    await connection.say(stop_trigger=pb.StopTrigger(instance="i1"))
    ended = await connection.hear("trigger_ended")
    assert (ended.instance, ended.verdict, ended.message) == ("i1", "ENDED", "stopped")


@pytest.mark.parametrize(
    "mode, verdict, words, after_ms",
    [
        ("later", "LATER", "busy", 3_000),
        ("down", "RECONNECT", "broker", 0),
        ("wrong", "FAILED", "password", 0),
        ("bug", "CRASHED", "ZeroDivisionError", 0),
        ("exit", "CRASHED", "SystemExit", 0),
        ("return", "ENDED", "returned", 0),
    ],
)
async def test_how_a_trigger_ends_steers_the_host(
    host: TestHost, sample: PluginChild, mode: str, verdict: str, words: str, after_ms: int
) -> None:
    """Each way to end has its verdict; a bug comes with its traceback."""
    connection = await host.connection()
    await connection.say(start_trigger=start_trigger(mode))
    ended = await connection.hear("trigger_ended")
    assert (ended.verdict, words in ended.message, ended.after_ms) == (verdict, True, after_ms), ended
    assert ("__init__.py" in ended.traceback) is (verdict == "CRASHED")


async def test_a_trigger_that_cannot_start_is_told(host: TestHost, sample: PluginChild) -> None:
    """Options that do not parse, an unknown trigger: FAILED with the reason; one that never ran is ended on stop."""
    connection = await host.connection()
    await connection.say(start_trigger=pb.StartTrigger(instance="a", trigger="sample.tick", options=b'{"mod": 1}'))
    ended = await connection.hear("trigger_ended")
    assert (ended.instance, ended.verdict, "OPTION_INVALID" in ended.message) == ("a", "FAILED", True)
    await connection.say(start_trigger=pb.StartTrigger(instance="b", trigger="sample.no"))
    assert (await connection.hear("trigger_ended")).verdict == "FAILED"
    await connection.say(stop_trigger=pb.StopTrigger(instance="c"))
    assert (await connection.hear("trigger_ended")).instance == "c"


async def test_a_refused_emit_is_raised_in_the_trigger(host: TestHost, sample: PluginChild) -> None:
    """The fault in Emitted is a HostdError there, and ends it with a verdict that a retry can mend."""
    connection = await host.connection()
    await connection.say(start_trigger=start_trigger("ticks"))
    frame = await connection.heard("emit")
    await connection.reply(frame, emitted=pb.Emitted(fault=pb.Fault(reason="INTAKE_FULL", message="full")))
    ended = await connection.hear("trigger_ended")
    assert (ended.verdict, ended.message) == ("CRASHED", "INTAKE_FULL: full")


async def test_requests_on_a_path_are_answered(host: TestHost, sample: PluginChild) -> None:
    """A path is opened, its handler emits and answers; a handler that raises answers with a fault, and serves on."""
    connection = await host.connection()
    await connection.say(start_trigger=start_trigger("hook"))
    opened = await connection.heard("open_route")
    wanted = opened.open_route
    assert (wanted.instance, wanted.path, list(wanted.methods), wanted.max_body_bytes) == (
        "i1", "orders", ["POST"], 1024 * 1024,
    )  # fmt: skip
    await connection.reply(opened, route_opened=pb.RouteOpened(url_path="/hooks/default/orders"))
    webhook = pb.Webhook(instance="i1", route="orders", method="POST", path="/hooks/default/orders", body=b"bug")
    broken = await connection.ask(webhook=webhook)
    assert (broken.done.fault.reason, "ZeroDivisionError" in broken.done.fault.message) == ("PLUGIN_FAILED", True)
    webhook.body = b"hello"
    webhook.headers["x"] = "y"
    await connection._context.write(pb.FromHost(call=99, webhook=webhook))
    emit = await take(connection)
    assert (emit.events[0].id, emit.events[0].data) == ("h", b'{"got":"hello"}')
    answer = (await connection.heard("webhook_answer")).webhook_answer
    assert (answer.status, json.loads(answer.body)) == (201, {"runs": ["r1"], "h": "y"})
    assert "/hooks/default/orders" in sample.output
    await connection.say(stop_trigger=pb.StopTrigger(instance="i1"))
    await connection.hear("trigger_ended")
    gone = await connection.ask(webhook=webhook)
    assert gone.done.fault.reason == "PATH_MISSING"


async def test_a_taken_path_ends_the_trigger(host: TestHost, sample: PluginChild) -> None:
    """The host's refusal becomes the trigger's verdict: FAILED, PATH_TAKEN."""
    connection = await host.connection()
    await connection.say(start_trigger=start_trigger("hook"))
    opened = await connection.heard("open_route")
    taken = pb.Fault(reason="PATH_TAKEN", message="answered by another")
    await connection.reply(opened, host_answer=pb.HostAnswer(fault=taken))
    ended = await connection.hear("trigger_ended")
    assert (ended.verdict, ended.message) == ("FAILED", "PATH_TAKEN: answered by another")


@pytest.mark.parametrize("takes", [True, False])
async def test_a_trigger_has_begun_when_its_paths_are_answered(host: TestHost, tmp_path: Path, takes: bool) -> None:
    """Said once, behind the answer for the path; never where that was refused, nor to a host that does not take it."""
    host.begun = takes
    folder = tmp_path / "hooks"
    folder.mkdir()
    (folder / "__init__.py").write_text(HOOKS)
    child = await PluginChild.start(host, folder)
    connection = await host.connection()
    assert connection.hello.begun
    for instance, path in (("i1", "good"), ("i2", "taken")):
        options = json.dumps({"path": path}).encode()
        await connection.say(start_trigger=pb.StartTrigger(instance=instance, trigger="hooks.in", options=options))
        opened = await connection.heard("open_route")
        assert connection.waiting("trigger_begun") == 0
        if path == "good":
            await connection.reply(opened, route_opened=pb.RouteOpened())
            if takes:
                assert (await connection.hear("trigger_begun")).instance == "i1"
        else:
            taken = pb.Fault(reason="PATH_TAKEN", message="answered by another")
            await connection.reply(opened, host_answer=pb.HostAnswer(fault=taken))
            assert (await connection.hear("trigger_ended")).instance == "i2"
    await connection.say(stop_trigger=pb.StopTrigger(instance="i1"))
    assert (await connection.hear("trigger_ended")).instance == "i1"
    assert connection.waiting("trigger_begun") == 0
    await child.close()


async def test_partitions_are_listed(host: TestHost, sample: PluginChild) -> None:
    """PlanPartitions is answered with the keys, or with why there are none."""
    connection = await host.connection()
    planned = await connection.ask(plan_partitions=pb.PlanPartitions(trigger=pb.StartTrigger(trigger="sample.parts")))
    assert list(planned.partitions.keys) == ["a", "b"]
    not_any = await connection.ask(plan_partitions=pb.PlanPartitions(trigger=pb.StartTrigger(trigger="sample.tick")))
    assert not_any.partitions.fault.reason == "PLUGIN_FAILED"


async def test_triggers_stop_with_the_connection_and_a_last_emit_waits_for_the_next(
    host: TestHost, sample: PluginChild
) -> None:
    """The host will start them anew; what a stopping one still emits is asked again until it is answered."""
    connection = await host.connection()
    await connection.say(start_trigger=start_trigger("last"))
    await connection.ask(ping=pb.Ping())
    await host.stop()
    await host.start()
    second = await host.connection()
    lost = await second.heard("emit")
    assert lost.emit.events[0].id == "last"
    await host.stop()
    await host.start()
    third = await host.connection()
    again = await take(third, "DUPLICATE")
    assert again == lost.emit
    assert (await third.hear("trigger_ended")).message == "stopped"
    assert "emitted DUPLICATE" in sample.output
