"""Schedules on a real core: each slot once through restarts, steps and turned clocks; overlap; what was missed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from clocks import HandClock
from lab import Lab

from hostd.journal.port import EVENT_FIXED_BYTES, Retention
from hostd.model.ids import text_id
from hostd.model.requests import TrialEvent
from hostd.model.states import RunState

PASS = "flow.pass, with: {output: 1}"
SLEEP = "flow.wait, with: {duration: 24h}"


def document(options: str, *, uses: str = "cron.schedule", step: str = PASS, version: str = "1.0.0") -> str:
    """Return a workflow with one schedule."""
    return (
        f"workflow: w\nversion: {version}\ntriggers:\n  t:\n    uses: {uses}\n    with: {options}\n"
        f"steps:\n  a: {{uses: {step}}}\n"
    )


def ms(text: str) -> int:
    """Return wall milliseconds."""
    return round(datetime.fromisoformat(text).timestamp() * 1000)


async def open_lab(data: Path | None, clock: HandClock, text: str) -> Lab:
    """Return a lab with the workflow, its trigger waiting."""
    lab = await Lab(data, clock=clock, retention={"events": "0s", "runs": "0s"}).open()
    await lab.register(text)
    await lab.core.triggers.start()
    await caught_up(lab)
    return lab


async def caught_up(lab: Lab) -> None:
    """Wait until the trigger has fired what is due and sleeps, or has ended."""
    live = lab.trigger("w", "t")
    task: Any = live.task
    clock: Any = lab.core.clock

    await lab.until(
        lambda: task is None or task.done() or any(task._fut_waiter is future for _, future in clock._sleepers)
    )


async def turn(lab: Lab, clock: HandClock, **duration: float) -> None:
    """Let time pass, and the trigger do what it does."""
    await clock.turn(timedelta(**duration).total_seconds())
    await caught_up(lab)


def fired(lab: Lab) -> list[str]:
    """Return the ids of the events in order, whatever became of them."""
    return [row.event_id for _, _, row in lab.core.journal.events("default", limit=100_000)]


def outcomes(lab: Lab) -> list[str]:
    """Return what became of the events."""
    return [row.outcome for _, _, row in lab.core.journal.events("default", limit=100_000)]


def berlin(day: datetime) -> str:
    """Return 02:30 on a day of 2026 in Berlin as its slot is called; worked out by hand, not by a library."""
    if (day.month, day.day) == (3, 29):
        return "2026-03-29T01:00:00Z"  # 02:30 does not exist; the gap ends at 03:00 summer time
    summer = (3, 29) < (day.month, day.day) <= (10, 25)  # on 25 October it comes twice; the first is summer time
    return (day.replace(hour=0 if summer else 1, minute=30)).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.slow
async def test_a_year_of_nights_with_two_changes_of_clocks(tmp_path: Path) -> None:
    """365 nights at 02:30, in steps of uneven length, with restarts and steps of the wall: each slot exactly once."""
    clock = HandClock(ms("2026-01-01T00:00:00+00:00"))
    lab = await open_lab(tmp_path / "data", clock, document("{cron: 30 2 * * *, timezone: Europe/Berlin}"))
    hours, number = 0, 0
    while hours < 365 * 24 + 1:
        step = (5, 11, 17, 23, 8)[number % 5]
        hours, number = hours + step, number + 1
        await turn(lab, clock, hours=step)
        if number % 40 == 0:
            await lab.restart()
            await lab.core.triggers.start()
            await caught_up(lab)
        if number % 60 == 0:
            clock.step(-7200)  # the wall goes back two hours, and forth again
            await turn(lab, clock, minutes=1)
            clock.step(7200 - 60)
    expected = [berlin(datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=day)) for day in range(365)]
    assert fired(lab)[:365] == expected
    assert len(set(fired(lab))) == len(fired(lab)) <= 366
    assert len(lab.runs()) == len(fired(lab))
    await lab.close()


@pytest.mark.parametrize(("start", "change"), [("2026-03-26", "spring"), ("2026-10-22", "autumn")])
async def test_a_week_around_each_change(start: str, change: str) -> None:
    """Hourly in Berlin is every 60 minutes through both changes; a fixed time beside it fires once a day."""
    clock = HandClock(ms(f"{start}T00:00:00+00:00"))
    lab = await open_lab(None, clock, document("{cron: 0 * * * *, timezone: Europe/Berlin}"))
    for _ in range(7):
        await turn(lab, clock, hours=24)
    first = datetime.fromisoformat(f"{start}T01:00:00+00:00")
    assert fired(lab) == [(first + timedelta(hours=hour)).strftime("%Y-%m-%dT%H:%M:%SZ") for hour in range(7 * 24)]
    assert len(lab.runs()) == 7 * 24
    await lab.close()


@pytest.mark.parametrize(
    ("catch_up", "slots"), [("none", []), ("one", ["2026-01-01T09:00:00Z"]), ("all", [7, 8, 9])], ids=str
)
async def test_slots_missed_before_the_first_firing(tmp_path: Path, catch_up: str, slots: list[Any]) -> None:
    """A daemon that goes down after activation owes the slots since then, though none has fired yet."""
    clock = HandClock(ms("2026-01-01T06:30:00+00:00"))
    lab = await open_lab(tmp_path / "data", clock, document(f"{{cron: 0 * * * *, catch_up: {catch_up}}}"))
    assert fired(lab) == []
    clock.step(3 * 3600)
    await lab.restart()
    await lab.core.triggers.start()
    await caught_up(lab)

    assert fired(lab) == [f"2026-01-01T{slot:02}:00:00Z" if isinstance(slot, int) else slot for slot in slots]
    await turn(lab, clock, hours=1)
    assert fired(lab)[-1] == "2026-01-01T10:00:00Z"
    await lab.close()


async def test_listed_times_end_and_stay_ended(tmp_path: Path) -> None:
    """Missed while the daemon was away, they fire late, once; then the trigger is ENDED, after a restart too."""
    clock = HandClock(ms("2026-01-01T00:00:00+00:00"))
    text = document('{at: ["2026-01-01T01:00:00Z", "2026-01-01T02:00:00Z"]}', uses="cron.at")
    lab = await open_lab(tmp_path / "data", clock, text)
    clock.step(3 * 3600)
    for _ in range(2):
        await lab.restart()
        await lab.core.triggers.start()
        await lab.until(lambda: lab.trigger("w", "t").state == "ENDED")
    assert fired(lab) == ["2026-01-01T01:00:00Z", "2026-01-01T02:00:00Z"]
    await lab.close()


async def test_skip_leaves_slots_out_while_a_run_is_open(tmp_path: Path) -> None:
    """A slot that was left out is SKIPPED and names the run in its way; a restart in between changes nothing."""
    clock = HandClock(ms("2026-01-01T00:00:00+00:00"))
    lab = await open_lab(tmp_path / "data", clock, document("{cron: 0 * * * *, overlap: skip}", step=SLEEP))
    await turn(lab, clock, hours=1)
    await turn(lab, clock, hours=1)
    await lab.restart()
    await lab.core.triggers.start()
    await turn(lab, clock, hours=1)

    [run] = lab.runs()
    rows = [row for _, _, row in lab.core.journal.events("default")]
    assert [row.outcome for row in rows] == ["STARTED", "SKIPPED", "SKIPPED"]
    assert {row.run_ids for row in rows} == {(text_id(run.run_id),)}
    await turn(lab, clock, hours=21)
    await turn(lab, clock, hours=2)  # the run's 24 hours are over
    for _ in range(5):
        await turn(lab, clock, minutes=11)
    await lab.until(lambda: lab.runs()[-1].state == RunState.SUCCEEDED)
    await turn(lab, clock, hours=1)
    assert "STARTED" in outcomes(lab)[-3:]
    assert len(lab.runs()) == 2
    await lab.close()


async def test_queue_fires_each_slot_after_the_run_before_it(tmp_path: Path) -> None:
    """The slot waits, durably: the cursor stays behind it, and a restart finds it again."""
    clock = HandClock(ms("2026-01-01T00:00:00+00:00"))
    text = document("{cron: 0 * * * *, overlap: queue, catch_up: all}", step=SLEEP.replace("24h", "150m"))
    lab = await open_lab(tmp_path / "data", clock, text)
    await turn(lab, clock, hours=1)
    await clock.turn(7200)
    assert (len(lab.runs()), fired(lab)) == (1, ["2026-01-01T01:00:00Z"])
    await lab.restart()
    await lab.core.triggers.start()
    await clock.turn(31 * 60)
    await lab.until(lambda: len(lab.runs()) == 2)
    assert fired(lab) == ["2026-01-01T01:00:00Z", "2026-01-01T02:00:00Z"]
    await clock.turn(151 * 60)
    await lab.until(lambda: len(lab.runs()) == 3)
    assert fired(lab)[-1] == "2026-01-01T03:00:00Z"
    assert [row.state == RunState.SUCCEEDED for row in lab.runs()] == [False, True, True]
    await lab.close()


async def test_cancel_running_replaces_the_run_before(tmp_path: Path) -> None:
    """Each slot cancels the open run and starts its own, also after a restart."""
    clock = HandClock(ms("2026-01-01T00:00:00+00:00"))
    lab = await open_lab(tmp_path / "data", clock, document("{cron: 0 * * * *, overlap: cancel_running}", step=SLEEP))
    await turn(lab, clock, hours=1)
    await turn(lab, clock, hours=1)
    await lab.restart()
    await lab.core.triggers.start()
    await turn(lab, clock, hours=1)

    await lab.until(lambda: [row.state for row in lab.runs()][1:] == [RunState.CANCELED] * 2)
    assert lab.runs()[0].state == RunState.WAITING
    assert outcomes(lab) == ["STARTED"] * 3
    await lab.close()


async def test_a_pause_holds_slots_and_catch_up_decides(tmp_path: Path) -> None:
    """What passes during a pause is missed like what passes while the daemon is away."""
    clock = HandClock(ms("2026-01-01T00:00:00+00:00"))
    lab = await open_lab(None, clock, document("{cron: 0 * * * *, catch_up: all}"))
    await turn(lab, clock, hours=1)
    await lab.core.triggers.pause(("default", "w", "t"), "for now")
    await clock.turn(2 * 3600)
    assert len(fired(lab)) == 1
    await lab.core.triggers.resume(("default", "w", "t"))
    await lab.until(lambda: len(fired(lab)) == 3)
    assert fired(lab)[1:] == ["2026-01-01T02:00:00Z", "2026-01-01T03:00:00Z"]
    await lab.close()


async def test_another_time_takes_effect_with_the_next_version() -> None:
    """An edited schedule is the one that fires; slots that have fired stay fired."""
    clock = HandClock(ms("2026-01-01T00:00:00+00:00"))
    lab = await open_lab(None, clock, document("{cron: 0 * * * *}"))
    await turn(lab, clock, hours=1)
    await lab.register(document("{cron: 30 * * * *}", version="2.0.0"))
    await lab.until(lambda: lab.trigger("w", "t").source.ready.plan.version == "2.0.0")
    await caught_up(lab)
    await turn(lab, clock, hours=1)
    assert fired(lab) == ["2026-01-01T01:00:00Z", "2026-01-01T01:30:00Z"]
    await lab.close()


async def test_a_backfill_finds_what_fired_before_the_clock_went_back() -> None:
    """Ten slots fire, the wall goes back for hours in which much is written, and forth: none of the ten fires again."""
    clock = HandClock(ms("2026-01-01T00:00:00+00:00"))
    lab = await open_lab(None, clock, document("{period: 1m, catch_up: none}", uses="cron.every"))
    for _ in range(10):
        await turn(lab, clock, minutes=1)
    clock.step(-3 * 3600)
    for number in range(40):
        await lab.core.front.triggers.fire("default", "w", "t", data=b"", event_id=f"{number}", principal="me")
    clock.step(4 * 3600)
    await turn(lab, clock, minutes=1)
    done = await lab.core.front.schedules.backfill(
        ("default", "w", "t"),
        from_us=ms("2026-01-01T00:00:00+00:00") * 1000,
        to_us=ms("2026-01-01T00:31:00+00:00") * 1000,
        dry_run=True,
        per_second=100,
        fire_unknown=False,
        principal="me",
    )
    assert (done.slots, done.outcomes) == (31, {"DUPLICATE": 30, "STARTED": 1})  # 20 fired late; 00:00 never did
    await lab.close()


async def test_a_backfill_does_not_fire_what_went_before_the_clock_went_back(tmp_path: Path) -> None:
    """Events of fired slots are past retention, older times are kept: those slots are not known, none fires again."""
    clock = HandClock(ms("2026-01-01T00:00:00+00:00"))
    lab = await open_lab(tmp_path / "data", clock, document("{period: 1m, catch_up: none}", uses="cron.every"))
    for _ in range(10):
        await turn(lab, clock, minutes=1)
    clock.step(-3 * 3600)
    for number in range(4):
        await lab.core.front.triggers.fire("default", "w", "t", data=b"", event_id=f"{number}", principal="me")
    kept = sum(len(row.body) + EVENT_FIXED_BYTES for _, _, row in lab.core.journal.events("default", after=10))
    retention = Retention(events_bytes=kept)
    gone = await lab.core.readers.call(lambda: lab.core.journal.prune(now_ms=1, retention=retention))
    assert (gone, lab.core.journal.first_event()) == (10, 11)
    await lab.restart()
    await lab.core.triggers.start()
    clock.step(4 * 3600)
    done = await lab.core.front.schedules.backfill(
        ("default", "w", "t"),
        from_us=ms("2026-01-01T00:01:00+00:00") * 1000,
        to_us=ms("2026-01-01T00:11:00+00:00") * 1000,
        dry_run=True,
        per_second=100,
        fire_unknown=False,
        principal="me",
    )
    assert (done.slots, done.unknown, done.outcomes) == (10, 10, {"DUPLICATE": 0, "STARTED": 0})
    await lab.close()


EACH = [("cron.every", "period: 10m"), ("cron.schedule", "cron: '*/10 * * * *'")]


@pytest.mark.parametrize(("uses", "options"), EACH)
@pytest.mark.parametrize("overlap", ["allow", "skip", "queue", "cancel_running"])
async def test_the_wall_goes_forth_and_back_while_runs_overlap(
    tmp_path: Path, uses: str, options: str, overlap: str
) -> None:
    """An hour forth, two back, one forth, then a restart: each slot has one event, in order, and none is lost."""
    clock = HandClock(ms("2026-01-01T00:00:00+00:00"))
    step = SLEEP.replace("24h", "15m")
    text = document(f"{{{options}, overlap: {overlap}, catch_up: all}}", uses=uses, step=step)
    lab = await open_lab(tmp_path / "data", clock, text)
    for hours in (1, 0, -2, 0, 0, 1, 0):
        await clock.turn(600)
        clock.step(hours * 3600)
        await clock.turn(60)
    await lab.restart()
    await lab.core.triggers.start()
    last = "2026-01-01T04:00:00Z"
    while last not in fired(lab):
        if overlap != "queue":
            await caught_up(lab)
        await lab.until(lambda: overlap != "queue" or any(row.state == RunState.WAITING for row in lab.runs()))
        await clock.turn(300)
        await lab.core.timers.look_again()
        await lab.until(lambda: all(not 0 < row.due_at_ms <= clock.wall_ms() for row in lab.runs()))
    slots = fired(lab)[: fired(lab).index(last) + 1]
    start = datetime(2026, 1, 1, tzinfo=UTC)
    assert slots == [f"{start + timedelta(minutes=10 * at):%Y-%m-%dT%H:%M:%SZ}" for at in range(1, 25)]
    await lab.close()


@pytest.mark.parametrize("uses", ["cron.schedule, with: {cron: 0 6 * * *}", "cron.every, with: {period: 1h}"])
async def test_a_schedule_that_is_fired_by_hand_says_its_slot(uses: str) -> None:
    """Without data the event has what a real slot has, fired and tried; what is said stands, null too."""
    clock = HandClock(ms("2026-01-01T00:00:00+00:00"))
    text = (
        f'workflow: w\ntriggers:\n  t: {{uses: {uses}, input: {{at: "${{{{ event.data.slot }}}}"}}}}\n'
        "inputs: {type: object, properties: {at: {type: string}}}\n"
        'steps: {a: {uses: flow.pass, with: {output: 1}}}\noutput: "${{ input.at }}"\n'
    )
    lab = await open_lab(None, clock, text)
    front, name = lab.core.front, ("default", "w", "t")

    tried = await front.trials.test(name, b"", TrialEvent(has_data=False))
    assert (tried.outcome, tried.input) == ("STARTED", b'{"at":"2026-01-01T00:00:00Z"}')
    of_document = await front.trials.test(name, text.encode(), TrialEvent(has_data=False))
    assert of_document.input == tried.input
    fired_by_hand = await front.triggers.fire(*name, data=b"", event_id="", principal="me")
    assert fired_by_hand.outcome == "STARTED"
    assert (await front.triggers.fire(*name, data=b"null", event_id="", principal="me")).outcome == "DEAD_LETTERED"
    assert (await front.trials.test(name, b"", TrialEvent(data=None))).outcome == "DEAD_LETTERED"
    await lab.close()


async def test_any_other_trigger_that_is_fired_by_hand_says_null() -> None:
    """One that does not go by the clock has no slot to tell."""
    text = (
        'workflow: w\ntriggers:\n  t: {uses: http.webhook, with: {path: p}, if: "event.data == null"}\n'
        "steps: {a: {uses: flow.pass, with: {output: 1}}}\n"
    )
    lab = await Lab(None).open()
    await lab.register(text)
    await lab.core.triggers.start()
    fired_by_hand = await lab.core.front.triggers.fire("default", "w", "t", data=b"", event_id="", principal="me")
    assert fired_by_hand.outcome == "STARTED"
    await lab.close()
