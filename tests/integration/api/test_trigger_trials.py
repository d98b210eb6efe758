"""What an event would do, when a trigger fires, filling in slots, and watching triggers, through the socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from daemon_kit import ECHO, Kit, refused, running
from google.protobuf.timestamp_pb2 import Timestamp

from hostd.v1 import run_service_pb2 as runs
from hostd.v1 import trigger_service_pb2 as pb
from hostd.v1.payload_pb2 import Payload

HOOK = (
    "workflow: order\nversion: 1.0.0\ninputs: {type: object, properties: {n: {type: integer}}}\n"
    "triggers:\n  hook:\n    uses: mock.emit\n    with: {count: 0}\n    if: event.data.n > 0\n"
    '    input: {n: "${{ event.data.n }}"}\n    key: "k${{ event.data.key }}"\n'
    "steps:\n  a: {uses: flow.wait, with: {duration: 1h}}\n"
)
HOURLY = (
    "workflow: hourly\ntriggers:\n  tick: {uses: cron.schedule, with: {cron: '0 * * * *', catch_up: none}}\n"
    "steps:\n  a: {uses: flow.pass}\n"
)
BERLIN = {"cron": "30 2 * * *", "timezone": "Europe/Berlin"}


def at(text: str) -> Timestamp:
    """Return a moment."""
    moment = Timestamp()
    moment.FromDatetime(datetime.fromisoformat(text))
    return moment


def payload(value: Any) -> Payload:
    """Return a value as a payload."""
    return Payload(data=json.dumps(value).encode())


async def try_it(kit: Kit, data: Any, **fields: Any) -> pb.TestTriggerResponse:
    """Test the trigger of HOOK."""
    where = {"workflow": "order", "name": "hook"} | fields
    return await kit.triggers.TestTrigger(pb.TestTriggerRequest(data=payload(data), **where))


async def count_runs(kit: Kit) -> int:
    """Return how many runs there are."""
    return (await kit.runs.CountRuns(runs.CountRunsRequest())).count


# -- trials


async def test_a_trial_says_what_open_runs_do_to_an_event(kit: Kit) -> None:
    """As the trigger's `overlap` says, with the runs; once they have ended, and with `allow`, it would start one."""
    slow = HOURLY.replace("flow.pass", "flow.wait, with: {duration: 1h}")

    async def outcome(overlap: str, **more: Any) -> tuple[str, list[str]]:
        text = slow.replace("catch_up: none", f"catch_up: none, overlap: {overlap}")
        request = pb.TestTriggerRequest(workflow="hourly", name="tick", document=text, **more)
        found = await kit.triggers.TestTrigger(request)
        return found.outcome, list(found.run_ids)

    await kit.register(slow.replace("catch_up: none", "catch_up: none, overlap: skip"))
    await kit.core.triggers.reconcile()
    configured = pb.TestTriggerRequest(workflow="hourly", name="tick")
    free = await kit.triggers.TestTrigger(configured)
    fired = await kit.triggers.FireTrigger(pb.FireTriggerRequest(workflow="hourly", name="tick"))
    [run] = fired.run_ids
    busy = await kit.triggers.TestTrigger(configured)
    told = [await outcome(overlap) for overlap in ("allow", "skip", "queue", "cancel_running")]
    await kit.runs.TerminateRun(runs.TerminateRunRequest(run=runs.RunRef(run_id=run)))

    assert free.outcome == "STARTED"
    assert (busy.outcome, list(busy.run_ids), list(busy.violations)) == ("SKIPPED", [run], [])
    assert told == [("STARTED", []), ("SKIPPED", [run]), ("QUEUED", [run]), ("CANCELS_RUNNING", [run])]
    assert (await kit.triggers.TestTrigger(configured)).outcome == "STARTED"
    assert await count_runs(kit) == 1


async def test_an_event_is_tried_and_nothing_happens(kit: Kit) -> None:
    """Outcome, condition, input, key and the event are told; neither a run, an event nor a dedup key is written."""
    await kit.register(HOOK)
    await kit.core.triggers.reconcile()
    good = await try_it(kit, {"n": 2, "key": 7}, event_id="e", subject="s", type="t.t")
    low = await try_it(kit, {"n": 0, "key": 7})

    assert (good.outcome, good.matches, good.key) == ("STARTED", True, "k7")
    assert (good.workflow, good.version, json.loads(good.input.data)) == ("order", "1.0.0", {"n": 2})
    event = json.loads(good.event.data)
    assert (event["id"], event["subject"], event["type"]) == ("e", "s", "t.t")
    assert (low.outcome, low.matches, json.loads(low.input.data)) == ("NO_MATCH", False, {"n": 0})
    assert await count_runs(kit) == 0
    assert await kit.core.readers.call(kit.core.journal.last_event) == 0
    assert not await kit.core.readers.call(kit.core.journal.dedup_seen, "default", "order/hook", ["e"])


async def test_each_part_that_fails_is_told(kit: Kit) -> None:
    """An expression, the workflow's schema and an open run of the key each say why the event would be a dead letter."""
    await kit.register(HOOK)
    await kit.core.triggers.reconcile()
    nothing = await try_it(kit, {})
    text = await try_it(kit, {"n": 2.5, "key": 1})
    fire = pb.FireTriggerRequest(workflow="order", name="hook", data=payload({"n": 1, "key": 1}), event_id="e")
    fired = await kit.triggers.FireTrigger(fire)
    taken = await try_it(kit, {"n": 2, "key": 1})
    again = await try_it(kit, {"n": 1, "key": 1}, event_id="e")

    assert (nothing.outcome, nothing.HasField("matches")) == ("DEAD_LETTERED", False)
    assert [(fault.path, fault.reason) for fault in nothing.violations] == [
        ("if", "EXPRESSION_FAILED"), ("key", "EXPRESSION_FAILED"), ("input", "EXPRESSION_FAILED"),
    ]  # fmt: skip
    assert [(fault.path, fault.reason) for fault in text.violations] == [("input.n", "INPUT_INVALID")]
    assert (taken.outcome, taken.violations[0].path, taken.violations[0].reason) == ("DEAD_LETTERED", "key", "RUN_OPEN")
    assert (again.outcome, list(again.run_ids)) == ("DUPLICATE", list(fired.run_ids))


async def test_a_document_is_tried_before_it_is_registered(kit: Kit) -> None:
    """Of a workflow or of a trigger of its own; mistakes are answers with places, a name picks one of several."""
    own = "trigger: t\ntarget: echo@active\nuses: mock.emit\nwith: {count: 0}\ninput: {a: '${{ event.data.n }}'}\n"
    of_workflow = await try_it(kit, {"n": 2, "key": 7}, document=HOOK, workflow="", name="")
    of_its_own = await try_it(kit, {"n": 2}, document=own, workflow="", name="")
    no_target = await try_it(kit, {"n": 2}, document=own.replace("echo", "none"), workflow="", name="")
    wrong = await try_it(kit, {}, document=own.replace("mock.emit", "mock.emits"), workflow="", name="")
    missing = await refused(try_it(kit, {}, document=HOOK, workflow="", name="other"))
    unnamed = await refused(try_it(kit, {}, document=ECHO, workflow="", name=""))

    assert (of_workflow.outcome, of_workflow.key) == ("STARTED", "k7")
    assert (of_its_own.outcome, of_its_own.workflow, json.loads(of_its_own.input.data)) == ("STARTED", "echo", {"a": 2})
    assert (no_target.outcome, no_target.violations[0].reason) == ("DEAD_LETTERED", "WORKFLOW_MISSING")
    assert (wrong.outcome, wrong.violations[0].reason, wrong.violations[0].line) == ("", "TRIGGER_UNKNOWN", 3)
    assert missing.reason == "TRIGGER_MISSING"
    assert unnamed.reason == "ARGUMENT_INVALID"


# -- schedules


async def test_a_schedule_is_previewed_on_its_own_clocks(kit: Kit) -> None:
    """Over the spring change the gap is filled once, right behind it; local times carry the offset of the day."""
    request = pb.PreviewScheduleRequest(
        uses="cron.schedule", options=payload(BERLIN), after=at("2026-03-28T00:00:00+00:00"), count=3
    )
    answer = await kit.triggers.PreviewSchedule(request)

    assert answer.timezone == "Europe/Berlin"
    assert [slot.local_time for slot in answer.slots] == [
        "2026-03-28T02:30:00+01:00", "2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00",
    ]  # fmt: skip
    assert answer.slots[1].time.ToDatetime(UTC) == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
    assert answer.more


async def test_a_configured_trigger_is_previewed_and_an_end_is_told(kit: Kit) -> None:
    """Ten slots unless more are asked for, at most a thousand; a schedule with an end says that this is it."""
    await kit.register(HOURLY)
    await kit.core.triggers.reconcile()
    named = {"workflow": "hourly", "name": "tick"}
    usual = await kit.triggers.PreviewSchedule(pb.PreviewScheduleRequest(**named))
    most = await kit.triggers.PreviewSchedule(pb.PreviewScheduleRequest(**named, count=1000))
    ended = await kit.triggers.PreviewSchedule(
        pb.PreviewScheduleRequest(
            uses="cron.every",
            options=payload({"period": "1d", "end": "2026-01-03T00:00:00Z"}),
            after=at("2026-01-01T12:00:00+00:00"),
        )
    )

    assert (len(usual.slots), usual.timezone, usual.more) == (10, "UTC", True)
    assert len(most.slots) == 1000
    assert [slot.local_time[:10] for slot in ended.slots] == ["2026-01-02", "2026-01-03"]
    assert not ended.more


async def test_what_cannot_be_previewed_is_refused(kit: Kit) -> None:
    """No clock: SCHEDULE_MISSING; unknown plugins, options and counts have their reasons."""

    async def why(**fields: Any) -> str:
        return (await refused(kit.triggers.PreviewSchedule(pb.PreviewScheduleRequest(**fields)))).reason

    assert await why(uses="http.webhook", options=payload({"path": "/a"})) == "SCHEDULE_MISSING"
    assert await why(uses="cron.nothing") == "PLUGIN_MISSING"
    assert await why(uses="cron.schedule", options=payload({"cron": "x"})) == "OPTION_INVALID"
    assert await why(uses="cron.schedule", options=payload([1])) == "ARGUMENT_INVALID"
    assert await why(uses="cron.schedule", count=1001) == "ARGUMENT_INVALID"
    assert await why(uses="cron.schedule", name="t") == "ARGUMENT_INVALID"
    assert await why(workflow="echo", name="t") == "TRIGGER_MISSING"


# -- backfills


def window(start: str, end: str, **fields: Any) -> pb.BackfillTriggerRequest:
    """Return a backfill of HOURLY."""
    where = {"workflow": "hourly", "name": "tick"}
    return pb.BackfillTriggerRequest(from_time=at(start), to_time=at(end), per_second=10_000, **where, **fields)


async def test_a_window_is_filled_once(kit: Kit) -> None:
    """A dry run starts nothing; the end is not in the window; again they are duplicates, and so in a wider one."""
    await kit.register(HOURLY)
    await kit.core.triggers.reconcile()
    day = ("2026-01-01T00:00:00+00:00", "2026-01-02T00:00:00+00:00")
    dry = await kit.triggers.BackfillTrigger(window(*day, dry_run=True))
    before = await count_runs(kit)
    done = await kit.triggers.BackfillTrigger(window(*day))
    again = await kit.triggers.BackfillTrigger(window(*day))
    wider = await kit.triggers.BackfillTrigger(window(day[0], "2026-01-02T02:00:00+00:00"))

    assert (dry.slots, dry.started, before) == (24, 24, 0)
    assert (done.slots, done.started, done.duplicates) == (24, 24, 0)
    assert (again.slots, again.started, again.duplicates) == (24, 0, 24)
    assert (wider.slots, wider.started, wider.duplicates) == (26, 2, 24)
    assert await count_runs(kit) == 26
    rows = await kit.core.readers.call(lambda: kit.core.journal.events("default", limit=2))
    events = [json.loads(row.body) for _, _, row in rows]
    assert [event["data"] for event in events] == [{"slot": "2026-01-01T00:00:00Z"}, {"slot": "2026-01-01T01:00:00Z"}]


async def test_a_slot_that_fired_is_not_filled_in_and_one_that_was_does_not_fire(kit: Kit) -> None:
    """Both ways: slots that came in their time are found among the events, filled ones by their keys."""
    await kit.register(HOURLY)
    await kit.core.triggers.reconcile()
    from hostd.host.contexts import SlotMark
    from hostd.plugin import Event

    source = kit.core.triggers.get(("default", "hourly", "tick")).source

    async def comes(slot: str) -> str:
        event = Event(slot, "/s", "t", datetime.fromisoformat(slot), {"slot": slot})
        [emitted] = await kit.core.emission.emit(source, [event], SlotMark(slot), slot=True)
        return emitted.outcome.value

    assert await comes("2026-01-01T02:00:00Z") == "STARTED"
    filled = await kit.triggers.BackfillTrigger(window("2026-01-01T00:00:00+00:00", "2026-01-01T05:00:00+00:00"))
    assert (filled.slots, filled.started, filled.duplicates) == (5, 4, 1)
    assert await comes("2026-01-01T04:00:00Z") == "DUPLICATE"
    assert await comes("2026-01-01T05:00:00Z") == "STARTED"
    assert source.row.cursor == b'"2026-01-01T05:00:00Z"'


async def test_slots_nobody_remembers_are_left_out(kit: Kit) -> None:
    """At or before the cursor and older than the kept events: unknown, unless the request says to fire them."""
    await kit.register(HOURLY)
    await kit.core.triggers.reconcile()
    from hostd.host.contexts import SlotMark
    from hostd.journal.port import Retention
    from hostd.plugin import Event

    source = kit.core.triggers.get(("default", "hourly", "tick")).source
    slot = "2026-01-01T02:00:00Z"
    event = Event(slot, "/s", "t", datetime.fromisoformat(slot), {})
    await kit.core.emission.emit(source, [event], SlotMark(slot), slot=True)
    now_ms = kit.core.clock.wall_ms() + 10_000
    await kit.core.readers.call(lambda: kit.core.journal.prune(now_ms=now_ms, retention=Retention(events_ms=1)))
    day = ("2026-01-01T00:00:00+00:00", "2026-01-01T05:00:00+00:00")
    cautious = await kit.triggers.BackfillTrigger(window(*day))
    bold = await kit.triggers.BackfillTrigger(window(*day, fire_unknown=True))

    assert (cautious.slots, cautious.started, cautious.unknown) == (5, 2, 3)
    assert (bold.started, bold.duplicates, bold.unknown) == (3, 2, 0)


async def test_a_backfill_keeps_to_the_trigger(kit: Kit) -> None:
    """Its `overlap` holds, its `if` too; what is no window of the past, or too wide, is refused."""
    await kit.register(
        HOURLY.replace("catch_up: none", "overlap: skip")
        .replace("uses: cron", "if: \"event.data.slot != '2026-01-01T01:00:00Z'\", uses: cron")
        .replace("flow.pass", "flow.wait, with: {duration: 1h}")
    )
    await kit.core.triggers.reconcile()
    done = await kit.triggers.BackfillTrigger(window("2026-01-01T00:00:00+00:00", "2026-01-01T04:00:00+00:00"))
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()

    async def why(request: pb.BackfillTriggerRequest) -> str:
        return (await refused(kit.triggers.BackfillTrigger(request))).reason

    assert (done.started, done.not_matched, done.skipped) == (1, 1, 2)
    assert await why(window("2026-01-01T00:00:00+00:00", tomorrow)) == "ARGUMENT_INVALID"
    assert await why(window("2026-01-02T00:00:00+00:00", "2026-01-01T00:00:00+00:00")) == "ARGUMENT_INVALID"
    assert await why(window("2020-01-01T00:00:00+00:00", "2026-01-01T00:00:00+00:00")) == "ARGUMENT_INVALID"
    assert await why(pb.BackfillTriggerRequest(workflow="hourly", name="tick")) == "ARGUMENT_INVALID"


async def test_a_repeated_backfill_gives_the_first_answer(kit: Kit) -> None:
    """The same request id, whatever fired since; with another window it is refused. A dry run keeps no answer."""
    await kit.register(HOURLY)
    await kit.core.triggers.reconcile()
    day = window("2026-01-01T00:00:00+00:00", "2026-01-01T05:00:00+00:00", request_id="r1")
    looked = await kit.triggers.BackfillTrigger(
        window("2026-01-01T00:00:00+00:00", "2026-01-01T05:00:00+00:00", request_id="r1", dry_run=True)
    )
    first, beside = await asyncio.gather(kit.triggers.BackfillTrigger(day), kit.triggers.BackfillTrigger(day))
    again = await kit.triggers.BackfillTrigger(day)
    other = window("2026-01-01T00:00:00+00:00", "2026-01-01T06:00:00+00:00", request_id="r1")

    assert (looked.started, first.started, first.duplicates) == (5, 5, 0)
    assert first == beside == again
    assert (await refused(kit.triggers.BackfillTrigger(other))).reason == "REQUEST_ID_CONFLICT"
    assert await count_runs(kit) == 5


# -- watching


async def changes(stream: Any) -> AsyncIterator[tuple[Any, list[tuple[str, str, str]]]]:
    """Yield each message, and its changes as (kind, name, state)."""
    async for message in stream:
        yield (
            message,
            [
                (
                    runs.ChangeKind.Name(change.kind).removeprefix("CHANGE_KIND_"),
                    change.trigger.name,
                    pb.TriggerState.Name(change.trigger.state).removeprefix("TRIGGER_STATE_"),
                )
                for change in message.changes
            ],
        )


@pytest.mark.timeout(400)
async def test_triggers_are_watched_and_a_watch_is_resumed(kit: Kit) -> None:
    """A snapshot, then added, modified and deleted; a token goes on behind it; of another workflow nothing is told."""
    await kit.register(HOURLY)
    await kit.core.triggers.reconcile()
    own = "trigger: mine\ntarget: echo@active\nuses: cron.every\nwith: {period: 1h}\n"
    call = kit.triggers.WatchTriggers(pb.WatchTriggersRequest())
    stream = changes(call)
    first, snapshot = await anext(stream)
    await kit.triggers.PauseTrigger(pb.PauseTriggerRequest(workflow="hourly", name="tick"))
    told: list[tuple[str, str, str]] = []
    while ("MODIFIED", "tick", "PAUSED") not in told:
        message, more = await anext(stream)
        told += more
    token = message.resume_token
    await kit.triggers.CreateTrigger(pb.CreateTriggerRequest(document=own))
    while not any(kind == "ADDED" and name == "mine" for kind, name, _ in told):
        told += (await anext(stream))[1]
    call.cancel()
    await kit.triggers.DeleteTrigger(pb.DeleteTriggerRequest(name="mine"))
    await kit.triggers.ResumeTrigger(pb.ResumeTriggerRequest(workflow="hourly", name="tick"))
    resumed = kit.triggers.WatchTriggers(pb.WatchTriggersRequest(resume_token=token))
    later = [change async for message, more in _until(resumed, "tick") for change in more]
    narrow = kit.triggers.WatchTriggers(pb.WatchTriggersRequest(workflow="echo"))
    nothing, none = await anext(changes(narrow))

    assert first.snapshot_end
    assert [(kind, name) for kind, name, _ in snapshot] == [("ADDED", "tick")]
    assert ("MODIFIED", "tick") in [change[:2] for change in later]
    assert [kind for kind, name, _ in later if name == "mine"] in ([], ["ADDED", "DELETED"])  # it came and went
    assert (nothing.snapshot_end, none) == (True, [])
    narrow.cancel()


async def _until(call: Any, name: str) -> AsyncIterator[tuple[Any, list[tuple[str, str, str]]]]:
    async for message, more in changes(call):
        yield message, more
        if any(change[1] == name for change in more):
            call.cancel()
            return


async def test_a_watch_is_resumed_with_the_next_daemon(tmp_path: Path) -> None:
    """What came, went or went on since is told once each, whoever watched meanwhile; a foreign token is invalid."""
    own = "trigger: NAME\ntarget: echo@active\nuses: cron.every\nwith: {period: 1h}\n"
    create = [pb.CreateTriggerRequest(document=own.replace("NAME", name)) for name in ("stays", "goes", "came")]
    async with running(tmp_path / "d") as kit:
        await kit.register(ECHO)
        await kit.triggers.CreateTrigger(create[0])
        await kit.triggers.CreateTrigger(create[1])
        call = kit.triggers.WatchTriggers(pb.WatchTriggersRequest())
        first, snapshot = await anext(changes(call))
        call.cancel()
        request = pb.WatchTriggersRequest(workflow="echo", resume_token=first.resume_token)
        foreign = await refused(kit.triggers.WatchTriggers(request))
        await kit.triggers.DeleteTrigger(pb.DeleteTriggerRequest(name="goes"))
    async with running(tmp_path / "d") as kit:
        other = kit.triggers.WatchTriggers(pb.WatchTriggersRequest())
        assert [name for _, name, _ in (await anext(changes(other)))[1]] == ["stays"]
        other.cancel()
    async with running(tmp_path / "d") as kit:
        await kit.triggers.CreateTrigger(create[2])
        resumed = kit.triggers.WatchTriggers(pb.WatchTriggersRequest(resume_token=first.resume_token))
        _, told = await anext(changes(resumed))
        resumed.cancel()
    assert foreign.reason == "RESUME_TOKEN_INVALID"
    assert sorted(name for _, name, _ in snapshot) == ["goes", "stays"]
    assert sorted(change[:2] for change in told) == [("ADDED", "came"), ("DELETED", "goes"), ("MODIFIED", "stays")]


async def test_a_signal_is_tried(kit: Kit) -> None:
    """To the open run of the key it would be SIGNALED, which is started first or not, as `start` says."""
    machine = (
        "workflow: parcel\nversion: 1.0.0\nsignals: {scanned: {type: object, required: [id]}}\n"
        "triggers:\n  scan:\n    uses: mock.emit\n    with: {count: 0}\n    key: '${{ event.data.id }}'\n"
        "    signal: {name: scanned, data: '${{ event.data }}'}\n    start: START\n"
        "steps:\n  a: {uses: flow.wait, with: {duration: 1h}}\n"
    )
    await kit.register(machine.replace("START", "true"))
    await kit.core.triggers.reconcile()
    where = {"workflow": "parcel", "name": "scan"}
    none = await try_it(kit, {"id": "p1"}, **where)
    fired = await kit.triggers.FireTrigger(pb.FireTriggerRequest(data=payload({"id": "p1"}), **where))
    there = await try_it(kit, {"id": "p1"}, **where)
    await kit.register(machine.replace("START", "false").replace("1.0.0", "1.1.0"))
    await kit.core.triggers.reconcile()
    only = await try_it(kit, {"id": "p2"}, **where)
    wrong = await try_it(kit, {"id": 1}, **where, document=machine.replace("START", "true").replace("[id]", "[size]"))

    assert (none.outcome, none.signal, json.loads(none.signal_data.data)) == ("SIGNALED", "scanned", {"id": "p1"})
    assert (there.outcome, list(there.run_ids)) == ("SIGNALED", list(fired.run_ids))
    assert (only.outcome, only.HasField("input")) == ("NO_MATCH", False)
    assert (wrong.outcome, [fault.reason for fault in wrong.violations]) == ("DEAD_LETTERED", ["SIGNAL_INVALID"])
