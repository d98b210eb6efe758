"""While the journal takes nothing: doors say why, nothing acknowledged is lost, and it goes on by itself."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lab import Lab, of_kind

from hostd.errors.base import HostdError, Kind
from hostd.journal.port import Appended, Batch, Done
from hostd.journal.sqlite import SqliteJournal
from hostd.model.messages import Cancel
from hostd.model.records import AttemptSucceeded
from hostd.model.states import RunState

FULL = HostdError(Kind.UNAVAILABLE, "JOURNAL_FULL", "the disk is full", retry_after_s=1.0)


class Failing:
    """Stands before a journal's `append`; refuses what it is told to."""

    def __init__(self, lab: Lab) -> None:
        self._journal = lab.core.journal
        self._append = self._journal.append
        self._journal.append = self.append  # type: ignore[method-assign]
        self.refuse: Callable[[Batch], BaseException | None] = lambda batch: None
        self.refused = 0

    def append(self, batch: Batch, done: Done, *, alone: bool = False) -> Appended | None:
        """Refuse, or hand on."""
        error = self.refuse(batch)
        if error is None:
            return self._append(batch, done, alone=alone)
        self.refused += 1
        raise error


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try again every 10 ms instead of every second."""
    monkeypatch.setattr("hostd.runtime.ring.turn_ends.RETRY_S", 0.01)


async def test_doors_say_why_and_results_are_heard_again(lab: Lab) -> None:
    """Runs in flight while the disk is full end once it is not; their results were not lost, nothing ran twice."""
    sleeping = "workflow: s\nsteps:\n  a: {uses: mock.sleep, with: {duration: 20ms}}\n  b: {uses: mock.noop, needs: a}"
    workflow = await lab.register(sleeping)
    started = await lab.try_start(workflow, count=20)
    failing = Failing(lab)
    failing.refuse = lambda batch: FULL
    await lab.until(lambda: failing.refused >= 5)

    with pytest.raises(HostdError, match="JOURNAL_FULL"):
        await lab.start(workflow)
    with pytest.raises(HostdError, match="JOURNAL_FULL"):
        await lab.ask(started[0], Cancel(""))
    assert all(lab.row(each).state == RunState.RUNNING for each in started)
    assert len(lab.runs()) == 20

    failing.refuse = lambda batch: None
    await lab.ended(*started)

    assert {lab.row(each).state for each in started} == {RunState.SUCCEEDED}
    assert all(len(of_kind(lab.records(each), AttemptSucceeded)) == 2 for each in started)


async def test_a_disk_that_stays_full_is_told_once(lab: Lab, caplog: pytest.LogCaptureFixture) -> None:
    """Not with each of the tries; when it is full again after a while, it is told again."""
    workflow = await lab.register("workflow: w\nsteps:\n  a: {uses: flow.wait, with: {duration: 1h}}")
    runs = await lab.try_start(workflow, count=2)
    failing = Failing(lab)
    for told, started in enumerate(runs, 1):
        before = failing.refused
        failing.refuse = lambda batch: FULL
        lab.core.loop.tell(started.key, Cancel(""))
        await lab.until(lambda before=before: failing.refused >= before + 3)
        failing.refuse = lambda batch: None
        await lab.ended(started)
        assert sum(message.startswith("append_failed") for message in caplog.messages) == told


async def test_timers_of_dropped_runs_still_fire(lab: Lab) -> None:
    """A run that a failed turn dropped from memory keeps its timer."""
    workflow = await lab.register(
        "workflow: w\nsteps:\n  a: {uses: flow.wait, with: {duration: 150ms}}\n  b: {uses: mock.hang}\nfail_fast: true"
    )
    started = await lab.start(workflow)
    failing = Failing(lab)
    failing.refuse = lambda batch: FULL
    with pytest.raises(HostdError, match="JOURNAL_FULL"):
        await lab.ask(started, Cancel(""))
    assert lab.core.residence.get(started.key) is None
    failing.refuse = lambda batch: None

    await lab.until(lambda: any(type(record).__name__ == "WaitEnded" for record in lab.records(started)))


async def test_a_turn_that_fails_leaves_no_trace_in_memory(lab: Lab) -> None:
    """A refused start can be made again with the same request id and key."""
    workflow = await lab.register("workflow: w\nsteps:\n  a: {uses: flow.wait, with: {duration: 1h}}")
    failing = Failing(lab)
    failing.refuse = lambda batch: FULL
    with pytest.raises(HostdError, match="JOURNAL_FULL"):
        await lab.start(workflow, request_id="r", digest=b"d", key="k")
    failing.refuse = lambda batch: None
    await lab.until(lambda: lab.core.loop.unwritable is None)

    started = await lab.start(workflow, request_id="r", digest=b"d", key="k")

    assert not started.existing
    assert len(lab.core.residence) == len(lab.runs()) == 1


@pytest.mark.parametrize(
    "poison", [ValueError("a bug of the store"), HostdError(Kind.CONFLICT, "JOURNAL_CONFLICT", "contradiction")]
)
async def test_a_batch_that_is_never_taken_costs_one_run(lab: Lab, poison: BaseException) -> None:
    """The run whose record the journal refuses for ever is held; all others of the same turn go on."""
    workflow = await lab.register("workflow: w\nsteps:\n  a: {uses: mock.sleep, with: {duration: 20ms}}")
    started = await lab.try_start(workflow, count=10)
    bad = started[3].key
    failing = Failing(lab)
    failing.refuse = lambda batch: poison if any(row.run == bad for row in batch.rows) else None

    await lab.ended(*(each for each in started if each.key != bad))
    await lab.until(lambda: lab.row(started[3]).state == RunState.HELD)

    assert {lab.row(each).state for each in started if each.key != bad} == {RunState.SUCCEEDED}
    assert (await lab.run("workflow: n\nsteps:\n  a: {uses: mock.noop}"))[0].state == RunState.SUCCEEDED


async def test_a_run_that_cannot_be_read_just_now_is_read_later(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """A passing failure of a read loses no message."""
    monkeypatch.setattr("hostd.runtime.ring.loading.RETRY_S", 0.001)
    workflow = await lab.register("workflow: w\nsteps:\n  a: {uses: mock.sleep, with: {duration: 20ms}}")
    started = await lab.start(workflow)
    lab.core.residence.remove(started.key)
    read = lab.core.journal.run_row
    failures = 0

    def fail_thrice(run: int) -> Any:
        nonlocal failures
        failures += 1
        if failures <= 3:
            raise HostdError(Kind.UNAVAILABLE, "JOURNAL_BUSY", "busy")
        return read(run)

    monkeypatch.setattr(lab.core.residence._journal, "run_row", fail_thrice)

    assert (await lab.ended(started)).state == RunState.SUCCEEDED
    assert failures == 4


async def test_a_start_while_the_journal_is_full_does_not_hang(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Losses wait to be decided, nothing starts before, and a stop in the midst of it is a stop."""
    monkeypatch.setattr("hostd.runtime.ring.recovery.PATIENCE_S", 0.02)
    monkeypatch.setattr("hostd.runtime.ring.recovery.RETRY_S", 0.01)
    lab = await Lab(tmp_path / "data").open()
    workflow = await lab.register("workflow: w\nsteps:\n  a: {uses: mock.sleep, with: {duration: 50ms}}")
    started = await lab.start(workflow)
    lab.core.effects._stopped = True
    lab.core.effects._tell = lambda key, message: None
    await lab.close()
    lab.core = lab._build()
    failing = Failing(lab)
    failing.refuse = lambda batch: FULL
    await lab.core.open()
    assert failing.refused > 0 and lab.core.effects.in_flight == 0

    failing.refuse = lambda batch: None

    assert (await lab.ended(started)).state == RunState.SUCCEEDED
    failing.refuse = lambda batch: FULL
    with pytest.raises(HostdError, match="JOURNAL_FULL"):
        await lab.start(workflow)
    await lab.close()


async def test_it_stays_known_that_nothing_can_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the journal refuses it is said so, though nobody tries anything, until the journal takes it again."""
    lab = await Lab(tmp_path / "data").open()
    journal = lab.core.journal
    assert isinstance(journal, SqliteJournal)
    monkeypatch.setattr("hostd.journal.writer.RETRY_S", 0.01)
    workflow = await lab.register("workflow: w\nsteps:\n  a: {uses: flow.wait, with: {duration: 1h}}")
    other = sqlite3.connect(journal.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(HostdError, match="JOURNAL_BUSY"):
        await lab.start(workflow, key="first")
    probes: list[HostdError | None] = []
    probe = journal._transactions.probe
    monkeypatch.setattr(journal._transactions, "probe", lambda: probes.append(probe()) or probes[-1])

    await lab.until(lambda: len(probes) > 3)
    assert lab.core.loop.unwritable is not None
    assert lab.core.loop.unwritable.reason == "JOURNAL_BUSY"
    other.execute("ROLLBACK")
    other.close()
    await lab.until(lambda: lab.core.loop.unwritable is None)
    await lab.start(workflow, key="last")
    await lab.close()
