"""A real plugin process over a real socket: Hello, provisioning, attempts and what they may ask for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from plugin_child import COOKIE, Connection, PluginChild, TestHost, attempt_id, start_of

from hostd.plugin.v1 import host_pb2 as pb


async def outcome_of(connection: Connection, action: str, options: Any = None, *, step: str = "") -> pb.Outcome:
    """Run an attempt to its end."""
    await connection.say(start_attempt=start_of(action, options, step=step))
    outcome: pb.Outcome = await connection.hear("outcome")
    assert outcome.id == attempt_id(step or action)
    await connection.say(recorded=pb.Recorded(ids=[outcome.id]))
    return outcome


async def test_hello_says_all_that_the_host_must_know(host: TestHost, sample: PluginChild) -> None:
    """Cookie, plugin, version and each component with schema, sample and settings; nothing runs yet."""
    hello = (await host.connection()).hello
    assert (hello.protocol_min, hello.protocol_max, hello.cookie) == (1, 1, COOKIE)
    assert (hello.plugin, hello.version, hello.sdk) == ("sample", "1.2.3", "python/1.0")
    assert hello.pid == sample.process.pid
    assert not hello.running
    assert not hello.HasField("broken")
    known = {one.id: one for one in hello.components}
    greet = known["sample.greet"]
    assert (greet.kind, greet.description, greet.since) == ("action", "Says hello.", "0.1")
    assert (greet.stability, greet.effects) == ("stable", "none")
    told = [(each.code, each.meaning) for each in greet.codes]
    assert told == [("SHY", "Nobody is there."), ("HTTP_<status>", "The answer's status.")]
    assert json.loads(greet.options_schema)["required"] == ["name"]
    assert json.loads(greet.sample) == {"name": "Ada"}
    assert "salute" in json.loads(greet.settings_schema)["properties"]
    assert known["sample.wait"].settings_schema == b""
    assert (known["sample.parts"].kind, known["sample.parts"].instances) == ("trigger", "PARTITIONS")


async def test_an_action_is_provisioned_and_runs(host: TestHost, sample: PluginChild) -> None:
    """Settings and the data folder reach it, its log lines the host; wrong options are a fault with each violation."""
    host.data_dir = "/data/sample"
    connection = await host.connection()
    provision = pb.Provision(component="sample.greet", settings=b'{"salute": "hi"}')
    done = await connection.ask(provision=provision)
    assert not done.done.HasField("fault")
    log = await connection.hear("log")
    assert (log.trigger, log.HasField("attempt"), log.lines[0].message) == ("", False, "provisioned")
    assert json.loads(log.lines[0].fields) == {"component": "sample.greet", "plugin": "sample"}
    start = start_of("sample.greet", {"name": "Ada", "times": 2})
    start.progress = b'{"n":3}'
    await connection.say(start_attempt=start)
    outcome = await connection.hear("outcome")
    assert json.loads(outcome.output) == {
        "text": "hi Ada hi Ada", "home": "/data/sample", "key": "a-key", "progress": {"n": 3}, "attempt": 1,
    }  # fmt: skip
    wrong = await outcome_of(connection, "sample.greet", {"times": 0}, step="wrong")
    assert (wrong.fault.reason, wrong.fault.retryable) == ("OPTION_INVALID", False)
    assert {one["path"] for one in json.loads(wrong.fault.details)["violations"]} == {"name", "times"}
    missing = await outcome_of(connection, "sample.nobody")
    assert missing.fault.reason == "ACTION_UNKNOWN"


async def test_frames_in_a_batch_are_frames(host: TestHost, sample: PluginChild) -> None:
    """Two attempts and a question in one message; a host that knows no batches gets each answer by itself."""
    connection = await host.connection()
    assert connection.hello.batches
    first, second = (start_of("sample.greet", {"name": name, "times": 1}, step=name) for name in ("Ada", "Bob"))
    frames = [pb.FromHost(start_attempt=first), pb.FromHost(start_attempt=second), pb.FromHost(call=9, ping=pb.Ping())]
    await connection.say(batch=pb.HostBatch(frames=frames))
    assert (await connection.heard("done")).call == 9
    outcomes = [await connection.hear("outcome") for _ in range(2)]
    assert {outcome.id.step for outcome in outcomes} == {"Ada", "Bob"}


async def test_what_cannot_be_provisioned_says_why(host: TestHost, sample: PluginChild) -> None:
    """Wrong settings, a provision that raises, an action that is not there: Done with the fault; others still serve."""
    connection = await host.connection()
    wrong = await connection.ask(provision=pb.Provision(component="sample.greet", settings=b'{"salut": 1}'))
    assert wrong.done.fault.reason == "OPTION_INVALID"
    failed = await connection.ask(provision=pb.Provision(component="sample.bad_home"))
    assert (failed.done.fault.reason, failed.done.fault.retryable) == ("PLUGIN_FAILED", True)
    assert "no disk" in failed.done.fault.message
    absent = await connection.ask(provision=pb.Provision(component="sample.nobody"))
    assert absent.done.fault.reason == "ACTION_UNKNOWN"
    assert (await connection.ask(ping=pb.Ping())).WhichOneof("frame") == "done"


@pytest.mark.parametrize(
    "action, how, reason, words",
    [
        ("sample.fail", "words", "ACTION_FAILED", "declined"),
        ("sample.fail", "bug", "ACTION_RAISED", "ZeroDivisionError"),
        ("sample.fail", "exit", "ACTION_RAISED", "SystemExit: 5"),
        ("sample.fail", "strange", "ACTION_RAISED", "Strange: odd"),
        ("sample.fail", "keyboard", "ACTION_RAISED", "KeyboardInterrupt"),
        ("sample.fail", "cancel", "ACTION_RAISED", "canceled itself"),
        ("sample.fail", "object", "PAYLOAD_INVALID", "object"),
        ("sample.fail", "huge", "OUTPUT_TOO_LARGE", "too large"),
        ("sample.blocking", "exit", "ACTION_RAISED", "SystemExit: 5"),
        ("sample.blocking", "stop", "ACTION_RAISED", "StopIteration"),
    ],
)
async def test_whatever_an_action_does_is_an_outcome(
    host: TestHost, sample: PluginChild, action: str, how: str, reason: str, words: str
) -> None:
    """Each way to fail is told with its reason, and the process serves the next attempt."""
    host.frame_bytes_max = 1_000_000
    connection = await host.connection()
    fault = (await outcome_of(connection, action, {"how": how})).fault
    assert (fault.reason, words in fault.message) == (reason, True), fault
    if how == "words":
        assert (fault.code, fault.retryable, fault.retry_after_ms, fault.details) == ("CARD", True, 2_000, b'{"a":1}')
    assert ("__init__.py" in fault.traceback) is (reason == "ACTION_RAISED" and how not in ("cancel", "stop"))
    assert (await outcome_of(connection, "sample.greet", {"name": "x"}, step="next")).WhichOneof("end") == "output"


async def test_an_attempt_stops_when_asked(host: TestHost, sample: PluginChild) -> None:
    """One that waits is interrupted, one that blocks a thread sees the flag; under another epoch nothing happens."""
    connection = await host.connection()
    await connection.say(start_attempt=start_of("sample.wait"))
    await connection.say(start_attempt=start_of("sample.blocking", {"how": "until"}))
    await connection.hear("heartbeat")
    await connection.say(cancel_attempt=pb.CancelAttempt(id=attempt_id("sample.wait", epoch=6)))
    await connection.ask(ping=pb.Ping())
    assert connection.waiting("outcome") == 0
    assert "cancelled" not in sample.output
    for step in ("sample.wait", "sample.blocking"):
        await connection.say(cancel_attempt=pb.CancelAttempt(id=attempt_id(step)))
        outcome = await connection.hear("outcome")
        assert (outcome.id.step, outcome.canceled) == (step, True)
    assert "cancelled" in sample.output


async def test_heartbeats_are_few_and_before_the_outcome(host: TestHost, sample: PluginChild) -> None:
    """A thousand in one moment are two on the wire, the last before the outcome; log lines come in batches, all."""
    connection = await host.connection()
    await connection.say(start_attempt=start_of("sample.beat"))
    kinds = await connection.order("heartbeat", "outcome", count=3)
    assert kinds == ["heartbeat", "heartbeat", "outcome"]
    assert connection.waiting("outcome") == 0
    lines = 0
    while lines < 1000:
        log = await connection.hear("log")
        assert log.attempt == attempt_id("sample.beat")
        assert len(log.lines) <= 500
        lines += len(log.lines)
    assert json.loads(log.lines[-1].fields) == {"n": 999}


async def test_a_flood_of_log_lines_is_bounded(host: TestHost, sample: PluginChild) -> None:
    """Ten thousand lines of an attempt, or a MiB, go to the host, and a last one says how many did not."""
    connection = await host.connection()
    outcome = await outcome_of(connection, "sample.flood")
    assert json.loads(outcome.output) == "no cookie"  # what a plugin starts cannot speak in its name
    lines: list[pb.LogLine] = []
    while not lines or "dropped" not in lines[-1].message:
        lines += (await connection.hear("log")).lines
    assert 1_000 < len(lines) <= 10_001
    assert sum(len(line.message) + len(line.fields) for line in lines) < 1024 * 1024 + 100
    assert lines[-1].message == f"{12_000 - len(lines) + 1} log lines were dropped: past the bounds"


async def test_a_blocking_action_has_a_thread(host: TestHost, sample: PluginChild) -> None:
    """It may log and beat from there, and the loop answers meanwhile."""
    connection = await host.connection()
    await connection.say(start_attempt=start_of("sample.blocking", {"how": "until"}))
    assert json.loads((await connection.hear("heartbeat")).progress) == {"n": 1}
    assert json.loads((await connection.hear("log")).lines[0].fields) == {"main": False}
    assert (await connection.ask(ping=pb.Ping())).WhichOneof("frame") == "done"
    done = await outcome_of(connection, "sample.blocking", {"how": "at once"}, step="other")
    assert json.loads(done.output) == "done"


async def served(connection: Connection, how: str, *answers: Any) -> tuple[Any, list[tuple[str, Any, bytes]]]:
    """Let the sample ask; answer each question in turn; return its output and what was asked."""
    await connection.say(start_attempt=start_of("sample.ask", {"how": how}, step=how))
    asked = []
    for answer in answers:
        frame = await connection.heard("host_call")
        call = frame.host_call
        assert call.attempt == attempt_id(how)
        asked.append((call.method, json.loads(call.arguments), call.data))
        answer = answer if isinstance(answer, pb.HostAnswer) else pb.HostAnswer(result=json.dumps(answer).encode())
        await connection.reply(frame, host_answer=answer)
    outcome = await connection.hear("outcome")
    return json.loads(outcome.output or b'"fault"'), asked


async def test_services_of_the_host(host: TestHost, sample: PluginChild) -> None:
    """Secrets, kv, blobs, events and requests are asked for by name, and come back as the SDK's own types."""
    host.frame_bytes_max = 1_000_000
    connection = await host.connection()
    assert await served(connection, "secret", {"value": "s3"}) == ("s3", [("secrets.get", {"name": "TOKEN"}, b"")])
    entry = {"key": "a", "value": 5, "version": 4, "expires_at_ms": 1000}
    output, asked = await served(
        connection, "kv", {"entry": entry}, {"entry": None}, {"entry": entry}, {"deleted": True}, {"entries": [entry]}
    )
    assert output == {"put": 4, "none": None, "n": 5, "gone": True, "keys": ["a"]}
    assert asked[0] == ("kv.put", {"key": "a", "value": [1], "ttl_ms": 5000, "expected_version": 3}, b"")
    assert [method for method, _, _ in asked[1:]] == ["kv.get", "kv.add", "kv.delete", "kv.list"]
    output, asked = await served(connection, "blob", {"digest": "d"}, pb.HostAnswer(result=b"{}", data=b"back"))
    assert output == {"$blob": "d", "size_bytes": 5, "content_type": "text/plain", "back": "back"}
    assert asked == [
        ("blobs.put", {"content_type": "text/plain"}, b"12345"),
        ("blobs.get", {"digest": "d"}, b""),
    ]
    assert (await served(connection, "huge_blob"))[0] == {"reason": "PAYLOAD_TOO_LARGE", "kind": "INVALID"}
    event = {"id": "e", "source": "s", "type": "y", "time": "2026-01-01T00:00:00Z", "data": {"a": 1}}
    one = {"position": 8, "topic": "t.x", "event": event}
    output, asked = await served(
        connection, "events", {"positions": [7]}, {"events": [], "after": 7}, {"events": [one], "after": 8},
        {"events": [{**one, "position": 9}], "after": 9},
    )  # fmt: skip
    assert output == [7, [8, "t.x", {"a": 1}], [9, "t.x", {"a": 1}]]
    assert asked[0][1]["events"] == [{**event, "subject": "", "extensions": {}}]
    assert [arguments["after"] for _, arguments, _ in asked[1:]] == [None, 7, 8]
    answer = pb.HostAnswer(result=b'{"status": 404, "headers": {"c": "d"}}', data=b"out")
    output, asked = await served(connection, "http", answer)
    assert output == [404, {"c": "d"}, "out"]
    assert asked == [
        ("http.request", {"method": "POST", "url": "http://x", "headers": {"a": "b"}, "timeout_ms": 3000}, b"in")
    ]
    output, asked = await served(connection, "weigh", {"values": [2, 3]})
    assert output == [2, 3]
    assert asked == [("expressions.evaluate", {"expression": "a + 1", "scopes": [{"a": 1}, {"a": 2}]}, b"")]
    assert (await served(connection, "compile"))[0] == {"reason": "HOST_CALL_UNKNOWN", "kind": "UNSUPPORTED"}


async def test_a_refused_service_is_an_error_of_the_hosts(host: TestHost, sample: PluginChild) -> None:
    """A fault is a HostdError of its reason's kind, or an ActionError where an action would have raised one."""
    connection = await host.connection()
    fault = pb.Fault(reason="SECRET_MISSING", message="no")
    assert (await served(connection, "secret", pb.HostAnswer(fault=fault)))[0] == {
        "reason": "SECRET_MISSING",
        "kind": "MISSING",
    }
    failed = pb.Fault(reason="ACTION_FAILED", message="no route", code="DNS", retryable=True)
    assert (await served(connection, "http", pb.HostAnswer(fault=failed)))[0] == {"code": "DNS"}


async def test_what_a_plugin_prints_is_its_processes_own(host: TestHost, sample: PluginChild, tmp_path: Path) -> None:
    """print goes to standard output, not over the wire."""
    connection = await host.connection()
    (tmp_path / "gate").touch()
    await outcome_of(connection, "sample.wait")
    assert "waiting\n" in sample.output
