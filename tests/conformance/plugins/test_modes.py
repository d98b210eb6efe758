"""A plugin behaves the same inside the daemon, in a thread of its own, and in a process of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hostd.model.messages import Cancel
from hostd.testing import MODES, Case, Slots, Stage, check_plugin, on_stage

PROBE = Path(__file__).parents[2] / "support" / "probe"
CARD = "4111-1111-1111-1111"
HARMFUL = {"mock": {"harmful": True}}
FAST = {"max_attempts": 3, "initial_interval": "10ms", "jitter": 0}

PROBE_CASES = [
    Case("probe.do", {"what": "succeed"}, {"step": "it", "attempt": 1, "number": 0, "namespace": "default"}),
    Case("probe.do", {"what": "nothing"}, None, name="null"),
    Case("probe.do", {"what": "large"}, name="1 MiB"),
    Case("probe.do", {"what": "huge"}, reason="OUTPUT_TOO_LARGE", name="17 MiB"),
    Case("probe.do", {"what": "object"}, reason="PAYLOAD_INVALID", name="object"),
    Case("probe.do", {"what": "set"}, reason="PAYLOAD_INVALID", name="set"),
    Case("probe.do", {"what": "nan"}, reason="NUMBER_OUT_OF_RANGE", name="NaN"),
    Case("probe.do", {"what": "decline"}, reason="ACTION_FAILED", code="CARD", name="declined"),
    Case("probe.do", {"what": "busy"}, 2, retry=FAST, name="retry_after"),
    Case("probe.do", {"what": "bug"}, reason="ACTION_RAISED", name="bug"),
    Case("probe.do", {"what": "exit"}, reason="ACTION_RAISED", name="SystemExit"),
    Case("probe.do", {"what": "stop"}, reason="ACTION_RAISED", name="StopAsyncIteration"),
    Case("probe.do", {"what": "${{ 'succeed' }}", "number": "${{ 10 }}"}, reason="OPTION_INVALID", name="options"),
    Case("probe.do", {"what": "progress"}, {"done": 7}, retry=FAST, name="progress"),
    Case("probe.do", {"what": "say"}, {"card": "***", "length": 19}, name="secrets"),
    Case("probe.do", {"what": "missing"}, reason="SECRET_MISSING", name="no secret"),
    Case("probe.do", {"what": "weigh"}, [2, 3], name="expressions"),
    Case("probe.do", {"what": "keep"}, [1, 4, ["a", "b"], "bytes", True, "KV_CONFLICT"], name="services"),
    Case(
        "probe.do", {"what": "publish"}, [True, [["told", "p-1", {"n": 1}], ["told", "p-2", {"n": 2}]]], name="topics"
    ),
    Case("probe.do", {"what": "request"}, [201, "text/plain", "probe says ping"], name="requests"),
    Case("probe.do", {"what": "fetch"}, reason="ACTION_FAILED", code="ADDRESS_DENIED", name="http"),
    Case("probe.do", {"what": "linger"}, reason="ATTEMPT_TIMEOUT", timeout="300ms", name="timeout"),
    Case("probe.call", {"ms": 20}, {"attempt": 1}),
]
MOCK_CASES = [
    Case("mock.echo", {"value": {"a": [1, 2.5, None, "ä"]}}, {"a": [1, 2.5, None, "ä"]}),
    Case("mock.fail", {"code": "NO", "details": {"a": 1}, "retryable": False}, reason="ACTION_FAILED", code="NO"),
    Case("mock.fail", {"times": 2}, {"attempt": 3}, retry=FAST, name="third time"),
    *[
        Case("mock.raise", {"error": error}, reason="ACTION_RAISED", name=f"raises {error}")
        for error in ("runtime", "key", "os", "recursion", "exit", "unreadable")
    ],
    *[
        Case("mock.return", {"what": what}, reason="PAYLOAD_INVALID", name=f"returns {what}")
        for what in ("object", "cycle", "number_key", "surrogate", "deep")
    ],
    Case("mock.progress", {"parts": 4, "fail_after": 2}, {"parts": 4, "resumed_at": 2}, retry=FAST),
    Case("mock.thread", {"duration": "20ms"}, {"stopped": False}),
    Case("mock.big", {"size_bytes": 100_000}),
]
HEARS = """
workflow: hears
triggers:
  t: {uses: probe.tell, with: {then: %s}, input: "${{ event.data }}"}
inputs: {type: object}
steps:
  s: {uses: mock.noop}
"""


@pytest.fixture(params=MODES)
async def stage(request: pytest.FixtureRequest) -> AsyncIterator[Stage]:
    """The probe on a host, in one of the modes."""
    async with on_stage(PROBE, mode=request.param) as opened:
        yield opened


async def test_the_probe_answers_the_same_in_every_mode() -> None:
    """Successes, failures in every form, options, retries, progress, secrets, services, timeouts, log lines."""
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    secrets = {"card": CARD, "port": str(server.sockets[0].getsockname()[1])}
    config = {"egress": {"allow": ["127.0.0.1"]}}
    async with server:
        assert await check_plugin(PROBE, PROBE_CASES, secrets=secrets, config=config) == []


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer one request with what it says."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    body = (await reader.readexactly(4)).decode()
    who = head.partition("x-who: ")[2].partition("\r\n")[0]
    text = f"{who} says {body}".encode()
    head_out = (
        f"HTTP/1.1 201 Created\r\ncontent-type: text/plain\r\ncontent-length: {len(text)}\r\nconnection: close\r\n\r\n"
    )
    writer.write(head_out.encode() + text)
    await writer.drain()
    writer.close()


async def test_the_mock_plugin_answers_the_same_in_every_mode() -> None:
    """So does a plugin that comes with hostd."""
    assert await check_plugin("mock", MOCK_CASES, settings=HARMFUL) == []


async def kept(stage: Stage, name: str) -> Any:
    """Wait until the probe has kept a value, and return it."""
    async with asyncio.timeout(20):
        while True:
            entry = await stage.core.key_values.get("default", name)
            if entry is not None:
                return entry.value
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("what", ["linger", "stubborn"])
async def test_cancelling_reaches_the_action(stage: Stage, what: str) -> None:
    """It is interrupted where it waits, can clean up and log, and what it answers in the end counts for nothing."""
    started = await stage.start(
        await stage.register({"workflow": "w", "steps": {"it": {"uses": "probe.do", "with": {"what": what}}}})
    )
    await kept(stage, {"linger": "lingers"}.get(what, what))
    await stage.core.loop.ask(started.key, Cancel(), "test")
    row = await stage.ended(started)
    outcome = await stage.outcome(started, row)
    assert outcome.state == "CANCELED"
    if what == "linger":
        assert [line.partition(" ")[2] for line in outcome.logs] == ['INFO stopped {"asked":true}']


@pytest.mark.parametrize(
    ("then", "state", "message"),
    [
        ("wait", "ACTIVE", ""),
        ("end", "ENDED", "over"),
        ("fail", "FAILED", "for good"),
        ("later", "BACKING_OFF", ""),
        ("lost", "BACKING_OFF", "gone"),
        ("bug", "BACKING_OFF", "KeyError: 'oh'"),
        ("exit", "BACKING_OFF", "SystemExit: 1"),
    ],
)
async def test_triggers_emit_once_and_steer_the_host(stage: Stage, then: str, state: str, message: str) -> None:
    """Three events start three runs, the repeated one none, and the end means what it means inside the daemon."""
    workflow = await stage.register(HEARS % then)
    told = await kept(stage, "told")
    await stage.until(lambda: stage.trigger(workflow, "t")[0] == state)
    assert told["again"] == ["DUPLICATE"]
    assert len(stage.runs(workflow)) == 3
    assert message in stage.trigger(workflow, "t")[1]


async def test_a_trigger_goes_on_behind_its_cursor(stage: Stage) -> None:
    """Pausing stops it; when it begins again it has its cursor, and starts nothing twice."""
    workflow = await stage.register(HEARS % "wait")
    await kept(stage, "told")
    await stage.core.key_values.delete("default", "told", expected_version=None)
    await stage.core.triggers.pause(("default", workflow, "t"), "")
    await stage.core.triggers.resume(("default", workflow, "t"))
    told = await kept(stage, "told")
    assert told["begun"] == 3
    assert len(stage.runs(workflow)) == 3


async def test_a_trigger_answers_requests(stage: Stage) -> None:
    """With what the handler says, and the event starts a run; a path of a stopped trigger is answered no more."""
    workflow = await stage.register(HEARS % "answer")
    await stage.until(lambda: stage.core.routes.find("/hooks/default/probe", "POST"))
    answer = await stage.request("POST", "/hooks/default/probe", b"four", who="me")
    assert answer is not None
    assert (answer.status, answer.body) == (202, b'{"outcome":"STARTED","who":"me"}\n')
    again = await stage.request("POST", "/hooks/default/probe", b"four")
    assert again is not None
    assert b"DUPLICATE" in again.body
    assert len(stage.runs(workflow)) == 1
    await stage.core.triggers.pause(("default", workflow, "t"), "")
    assert await stage.request("POST", "/hooks/default/probe") is None


@pytest.mark.parametrize(
    ("goes", "told"),
    [
        ("hourly", Slots(("2026-03-29T01:00:00+01:00", "2026-03-29T03:00:00+02:00"), "Europe/Berlin", more=True)),
        ("ends", Slots((), "Europe/Berlin", more=False)),
        ("free", Slots(reason="SCHEDULE_MISSING")),
        ("refuses", Slots(reason="PLUGIN_FAILED")),
        ("raises", Slots(reason="PLUGIN_FAILED")),
        ("stands", Slots(reason="PLUGIN_FAILED")),
    ],
)
async def test_a_schedule_is_previewed(stage: Stage, goes: str, told: Slots) -> None:
    """Slots on the clocks of its time zone, with an end where it has one; or why there are none."""
    after = datetime(2026, 3, 28, 23, 30, tzinfo=UTC)
    assert await stage.next_slots("probe.clock", {"goes": goes}, after=after, count=2) == told


async def test_a_schedule_is_previewed_and_filled_in_as_configured(stage: Stage) -> None:
    """A workflow's trigger shows its slots; a backfill fires those of a window once, as its option `overlap` says."""
    workflow = await stage.register(HEARS.replace("probe.tell, with: {then: %s}", "probe.clock"))
    name, schedules = ("default", workflow, "t"), stage.core.front.schedules
    start = datetime(2020, 1, 1, tzinfo=UTC)
    from_us, to_us = (round(at.timestamp()) * 1_000_000 for at in (start, start + timedelta(hours=5)))
    shown = await schedules.preview(name, after_us=from_us, count=2)
    window = {"from_us": from_us, "to_us": to_us, "dry_run": False, "per_second": 1_000, "fire_unknown": False}
    first = await schedules.backfill(name, **window, principal="test")
    again = await schedules.backfill(name, **window, principal="test")
    rows = [row for _, _, row in stage.core.journal.events("default", limit=100)]

    assert [slot.local for slot in shown.slots] == ["2020-01-01T02:00:00+01:00", "2020-01-01T03:00:00+01:00"]
    assert [row.event_id for row in rows] == [f"2020-01-01T{hour:02}:00:00Z" for hour in range(5)]
    assert first.slots == 5
    assert first.outcomes["STARTED"] + first.outcomes["SKIPPED"] == 5
    assert again.outcomes["DUPLICATE"] == 5


async def test_the_clock_of_hostd_says_the_same_in_every_mode() -> None:
    """Schedules in a time zone, periods, listed moments, each with the options of its sample."""
    assert await check_plugin("cron") == []
