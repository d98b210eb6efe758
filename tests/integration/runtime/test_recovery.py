"""After a crash: what was lost is decided about once, and nobody crashes the daemon for ever."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from doomed import live_till_all_have_ended, read
from lab import Lab, of_kind

from hostd.model.messages import Cancel
from hostd.model.records import AttemptLost, AttemptStarted
from hostd.model.states import RunState

KILLER = "workflow: killer\nsteps:\n  a: {uses: mock.exit}"
NEIGHBOUR = """workflow: neighbour
steps:
  a: {uses: mock.sleep, with: {duration: 20ms}}
  b: {uses: mock.noop, needs: a}"""


def of_workflow(found: list[tuple[Any, list[Any]]], name: str) -> list[tuple[Any, list[Any]]]:
    """Return the runs of one workflow."""
    return [(row, records) for row, records in found if row.workflow == name]


def test_a_step_that_kills_its_daemon_ends_and_its_neighbours_succeed(tmp_path: Path) -> None:
    """ATTEMPT_LOST after three deaths, the last of them alone; every neighbour's run succeeds."""
    codes = live_till_all_have_ended(tmp_path / "data", f"{NEIGHBOUR}\n---\n{KILLER}")
    found = read(tmp_path / "data")

    assert codes == [137, 137, 137, 0]
    [(killer, records)] = of_workflow(found, "killer")
    assert (killer.state, killer.reason) == (RunState.FAILED, "ATTEMPT_LOST")
    assert [lost.verdict for lost in of_kind(records, AttemptLost)] == [0, 1, 2]
    assert {row.state for row, _ in of_workflow(found, "neighbour")} == {RunState.SUCCEEDED}


def test_several_killers_are_taken_one_after_another(tmp_path: Path) -> None:
    """Three killers among ten that live: no crash loop, and no innocent run pays."""
    text = f"{NEIGHBOUR.replace('20ms', '200ms')}\n---\n{KILLER}"
    codes = live_till_all_have_ended(tmp_path / "data", text, count=3)
    found = read(tmp_path / "data")

    assert codes[-1] == 0 and len(codes) <= 3 * 3 + 1
    assert {row.reason for row, _ in of_workflow(found, "killer")} == {"ATTEMPT_LOST"}
    assert {row.state for row, _ in of_workflow(found, "neighbour")} == {RunState.SUCCEEDED}


def test_a_step_that_kills_once_succeeds_the_next_time(tmp_path: Path) -> None:
    """A loss does not count against max_attempts: a step without retry is issued again."""
    codes = live_till_all_have_ended(
        tmp_path / "data", "workflow: w\nsteps:\n  a: {uses: mock.exit, with: {times: 1, after: 5ms}}"
    )
    [(row, records)] = read(tmp_path / "data")

    assert codes == [137, 0]
    assert row.state == RunState.SUCCEEDED
    assert [started.attempt for started in of_kind(records, AttemptStarted)] == [1, 2]


@pytest.mark.parametrize("on_lost", ["", ", retry: {on_lost: retry}"])
def test_a_lost_at_most_once_attempt_is_not_issued_again(tmp_path: Path, on_lost: str) -> None:
    """OUTCOME_UNKNOWN and one execution; where the author says so it is issued again."""
    marks = tmp_path / "marks"
    text = (
        f"workflow: w\nsteps:\n  a: {{uses: mock.count, with: {{file: '{marks}', then_wait: 2s}}{on_lost}}}\n"
        f"---\nworkflow: k\nsteps:\n  a: {{uses: mock.exit, with: {{times: 1, after: 20ms}}}}"
    )
    codes = live_till_all_have_ended(tmp_path / "data", text)
    [(row, _)] = of_workflow(read(tmp_path / "data"), "w")

    assert codes == [137, 0]
    lines = marks.read_text().splitlines()
    if on_lost:
        assert row.state == RunState.SUCCEEDED and len(lines) == 2
        assert len({line.split()[0] for line in lines}) == 1  # the same idempotency key
    else:
        assert row.reason == "OUTCOME_UNKNOWN" and len(lines) == 1


async def crash(lab: Lab) -> None:
    """Leave a journal behind as a killed daemon does: nothing that ran is told anything."""
    lab.core.effects._stopped = True
    lab.core.effects._tell = lambda key, message: None
    await lab.restart()


async def test_steps_that_waited_for_a_slot_go_on(make_lab: Any) -> None:
    """READY steps ask again after a crash, those that ran are issued again, and all succeed."""
    lab = await make_lab(limits={"inline": 2})
    workflow = await lab.register("workflow: w\nsteps:\n  a: {uses: mock.sleep, with: {duration: 10ms}}")
    first = await lab.start(workflow)
    await lab.ended(first)  # mock.sleep is known to wait from here on
    started = await lab.try_start(workflow, count=20)
    assert lab.core.slots.waiting() > 0

    await crash(lab)

    await lab.ended(*started)
    assert {lab.row(each).state for each in started} == {RunState.SUCCEEDED}
    assert any(of_kind(lab.records(each), AttemptLost) for each in started)
    assert lab.core.slots.waiting() == 0


async def test_runs_that_only_wait_are_not_loaded_and_fire_on_time(lab: Lab) -> None:
    """After a restart memory holds their timers, not them."""
    workflow = await lab.register("workflow: w\nsteps:\n  a: {uses: flow.wait, with: {duration: 300ms}}")
    started = await lab.try_start(workflow, count=50)
    await crash(lab)

    due_ms = lab.row(started[0]).created_at_ms + 300
    held = (len(lab.core.residence), len(lab.core.timers))
    if lab.core.clock.wall_ms() < due_ms:  # none was due while that was counted
        assert held == (0, 50)
    await lab.ended(*started)
    assert all(due_ms <= lab.row(each).ended_at_ms for each in started)


async def test_a_cancel_goes_on_after_a_crash(lab: Lab) -> None:
    """Asked before the crash, done after it: the step is not issued again."""
    workflow = await lab.register("workflow: w\nsteps:\n  a: {uses: mock.hang, with: {ignore_cancel: true}}")
    started = await lab.start(workflow)
    await lab.running()
    await lab.ask(started, Cancel("enough"))
    assert lab.row(started).state == RunState.CANCELING

    await crash(lab)

    assert (await lab.ended(started)).state == RunState.CANCELED
    assert len(of_kind(lab.records(started), AttemptStarted)) == 1


async def test_what_a_stop_cuts_off_is_no_suspect(lab: Lab) -> None:
    """However often the daemon is stopped in good order, the step is issued again beside others, and never fails."""
    workflow = await lab.register("workflow: w\nsteps:\n  a: {uses: mock.hang}")
    started = await lab.start(workflow)
    for _ in range(4):
        await lab.running()
        await lab.restart()
    await lab.running()

    lost = of_kind(lab.records(started), AttemptLost)
    assert len(lost) == 4
    assert not any(loss.suspect or loss.verdict for loss in lost)


async def test_records_do_not_go_back_in_time_with_the_wall(tmp_path: Path) -> None:
    """Half a minute back between two lives: the next record is not before the last."""
    from clocks import HandClock

    clock = HandClock()
    lab = await Lab(tmp_path / "data", clock=clock).open()
    workflow = await lab.register("workflow: w\nsteps:\n  a: {uses: mock.noop}")
    await lab.ended(await lab.start(workflow))
    before_ms = lab.core.journal.last_at_ms()
    clock.step(-30)
    await lab.restart()
    later = await lab.start(workflow)
    await lab.ended(later)
    row = lab.row(later)
    await lab.close()

    assert row.created_at_ms >= before_ms == clock.wall_ms() + 30_000
