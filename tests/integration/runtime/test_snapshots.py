"""Long runs come back from their newest snapshot and the records behind it: the same run, whatever its age."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from lab import NAMESPACE, Lab

from hostd.engine.snapshot import SNAPSHOT_VER, decode_snapshot, encode_snapshot
from hostd.engine.state import Run
from hostd.journal.port import Retention, Snapshot
from hostd.model.messages import Cancel, Pause, Resume
from hostd.model.records import AttemptSucceeded, Paused, RunEnded, RunStarted
from hostd.model.states import RunState
from hostd.runtime.ring.intake import Started
from hostd.runtime.ring.snapshots import DISTANCE, RECORD_WEIGHT, RECORDS_MAX, ReadRun, fold_run, read_run

WIDTH = 700
PAUSES = RECORDS_MAX // 2 + 1
FAN = (
    "workflow: fan\nsteps:\n"
    + "".join(f"  s{n}: {{uses: mock.echo, with: {{value: {n}}}}}\n" for n in range(WIDTH))
    + f"  wait: {{uses: flow.wait, needs: [{', '.join(f's{n}' for n in range(WIDTH))}], with: {{duration: 1h}}}}\n"
    + "  last: {uses: mock.noop, needs: wait}\n"
)
STUBBORN = """
workflow: stubborn
steps:
  again:
    uses: mock.fail
    with: {times: 700, retry_after: 1ms, message: not yet}
    retry: {max_attempts: 1000}
  wait: {uses: flow.wait, needs: again, with: {duration: 1h}}
"""
VALUES = (
    "workflow: values\nsteps:\n"
    + "".join(f"  s{n}: {{uses: mock.big, with: {{size_bytes: 30000}}}}\n" for n in range(30))
    + "  wait: {uses: flow.wait, with: {duration: 1h}}\n"
)
SHORT = """
workflow: short
steps:
  a: {uses: mock.noop}
  b: {uses: flow.wait, needs: a, with: {duration: 1h}}
"""


async def waiting(lab: Lab, text: str) -> Started:
    """Start a run and let it come as far as its wait."""
    started = await lab.start(await lab.register(text))
    half_an_hour_on_ms = lab.core.clock.wall_ms() + 1_800_000
    await lab.until(lambda: lab.row(started).due_at_ms > half_an_hour_on_ms)
    await lab.until(lambda: not lab.core.effects.in_flight)
    await lab.core.loop.quiet()
    return started


def evict(lab: Lab, started: Started) -> Run:
    """Let a run leave memory as idle ones do; return the state it left with."""
    resident = lab.core.residence.get(started.key)
    assert resident is not None
    resident.used_s -= 3_600
    assert lab.core.residence.sweep() == 1
    assert lab.core.residence.get(started.key) is None
    return resident.run


def snapshot_of(lab: Lab, started: Started) -> Snapshot:
    """Return the snapshot that the journal holds of a run."""
    snapshot = lab.core.journal.snapshot(started.key)
    assert snapshot is not None
    return snapshot


async def read(lab: Lab, started: Started) -> ReadRun:
    """Return a run as loading reads it."""
    core, row = lab.core, lab.row(started)
    return await core.readers.call(read_run, core.journal, core.workflows.plans, row)


async def folded(lab: Lab, started: Started) -> tuple[Any, ...]:
    """Return what folding every record of a run gives."""
    core, row = lab.core, lab.row(started)
    return (await core.readers.call(fold_run, core.journal, core.workflows.plans, row)).snapshot_key()


@pytest.mark.parametrize("text", [FAN, STUBBORN, VALUES], ids=["fan", "retries", "values"])
async def test_an_evicted_run_comes_back_from_its_snapshot(lab: Lab, text: str) -> None:
    """After many records or large ones a run lies there as snapshot and a short tail; both give what it was."""
    started = await waiting(lab, text)
    left_with = evict(lab, started)

    snapshot = snapshot_of(lab, started)
    tail = lab.core.journal.history(started.key, from_seq=snapshot.seq)
    loaded, distance, _ = await read(lab, started)

    assert 0 < snapshot.seq <= left_with.seq
    assert sum(row.n for row in tail) < RECORDS_MAX
    assert (
        0
        < distance
        == max(DISTANCE, len(snapshot.body) // 2) - sum(row.n * RECORD_WEIGHT + len(row.body) for row in tail)
    )
    assert loaded.snapshot_key() == left_with.snapshot_key() == await folded(lab, started)


async def test_a_run_from_a_snapshot_goes_on(lab: Lab) -> None:
    """A message wakes it, the next snapshots replace the first, and its history has every record to its end."""
    started = await waiting(lab, FAN)
    evict(lab, started)
    first = snapshot_of(lab, started)

    for _ in range(PAUSES):
        await lab.ask(started, Pause(""))
        await lab.ask(started, Resume())
    second = snapshot_of(lab, started)
    evict(lab, started)
    await lab.ask(started, Cancel("enough"))
    row = await lab.ended(started)

    assert first.seq < second.seq
    assert row.state == RunState.CANCELED
    assert lab.core.journal.snapshot(started.key) is None, "a run that has ended is never loaded again"
    history = lab.records(started)
    kinds = [type(record) for record in history]
    assert (kinds[0], kinds[-1], kinds.count(RunStarted), kinds.count(Paused)) == (RunStarted, RunEnded, 1, PAUSES)
    assert kinds.count(AttemptSucceeded) == WIDTH


async def test_a_restart_takes_runs_from_their_snapshots(lab: Lab) -> None:
    """A paused run, which a start loads at once, is what it was, and ends as it would have."""
    started = await waiting(lab, FAN)
    await lab.ask(started, Pause(""))
    resident = lab.core.residence.get(started.key)
    assert resident is not None
    left_with = resident.run.snapshot_key()

    await lab.restart()

    again = lab.core.residence.get(started.key)
    assert again is not None
    assert again.run.snapshot_key() == left_with
    await lab.ask(started, Cancel(""))
    assert (await lab.ended(started)).state == RunState.CANCELED


async def test_short_runs_have_no_snapshot(lab: Lab) -> None:
    """What a few records tell is not written twice."""
    started = await waiting(lab, SHORT)

    assert lab.core.journal.snapshot(started.key) is None


@pytest.mark.parametrize(
    "body", [b"", b"\x93\x01\x02\x03", b"\x93\x09\x01\x01"], ids=["empty", "newer version", "other kind"]
)
async def test_a_snapshot_that_cannot_be_read_is_left_aside(
    lab: Lab, body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever another hostd wrote there: the run folds from its records, and the log says why."""
    started = await waiting(lab, FAN)
    left_with = evict(lab, started)
    seq = snapshot_of(lab, started).seq
    await lab.core.loop.write(lambda turn: turn.batch.snapshots.append(Snapshot(started.key, seq, 2, body)))

    with caplog.at_level(logging.WARNING):
        loaded = (await read(lab, started)).run

    assert loaded.snapshot_key() == left_with.snapshot_key()
    assert f"snapshot_ignored run={started.key} seq={seq}" in caplog.text
    assert await lab.ask(started, Cancel(""))
    assert (await lab.ended(started)).state == RunState.CANCELED


async def test_a_snapshot_that_no_record_leads_to_is_left_aside(lab: Lab) -> None:
    """A snapshot from beyond the history would leave a gap behind it."""
    started = await waiting(lab, FAN)
    left_with = evict(lab, started)
    snapshot = snapshot_of(lab, started)
    beyond = left_with.seq + 10
    plan = lab.core.workflows.plans.get(NAMESPACE, "fan", lab.row(started).version)
    run = decode_snapshot(plan, snapshot.body)
    run.seq = beyond
    wrong = Snapshot(started.key, beyond, SNAPSHOT_VER, encode_snapshot(run))
    await lab.core.loop.write(lambda turn: turn.batch.snapshots.append(wrong))

    loaded = (await read(lab, started)).run

    assert loaded.snapshot_key() == left_with.snapshot_key()
    faults = await asyncio.to_thread(lambda: list(lab.core.journal.check()))
    assert [fault for fault in faults if "does not end where a row does" not in fault] == []


async def test_a_damaged_snapshot_is_left_aside(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """One flipped byte in the file: the checksum tells, the log says so, and the run folds from its records."""
    lab = await Lab(tmp_path / "data").open()
    try:
        started = await waiting(lab, FAN)
        left_with = evict(lab, started)
        await asyncio.to_thread(flip, tmp_path / "data/journal.db")

        with caplog.at_level(logging.WARNING):
            loaded = (await read(lab, started)).run

        assert loaded.snapshot_key() == left_with.snapshot_key()
        assert f"snapshot_damaged run={started.key}" in caplog.text
        assert any("snapshot" in line for line in await asyncio.to_thread(lambda: list(lab.core.journal.check())))
    finally:
        await lab.close()


def flip(path: Path) -> None:
    """Change one byte of every snapshot of a journal."""
    with sqlite3.connect(path, timeout=60) as connection:
        for run, body in connection.execute("SELECT run, body FROM snapshots").fetchall():
            damaged = body[:50] + bytes([body[50] ^ 1]) + body[51:]
            connection.execute("UPDATE snapshots SET body = ? WHERE run = ?", (damaged, run))
    connection.close()


@pytest.mark.parametrize("by", ["delete", "prune"])
async def test_a_run_that_goes_takes_its_snapshot_along(lab: Lab, by: str) -> None:
    """Neither a deleted nor a pruned run leaves anything behind, were there a snapshot still."""
    started = await waiting(lab, SHORT)
    await lab.ask(started, Cancel(""))
    await lab.ended(started)
    await lab.core.loop.write(lambda turn: turn.batch.snapshots.append(Snapshot(started.key, 4, SNAPSHOT_VER, b"x")))
    assert lab.core.journal.snapshot(started.key) is not None

    if by == "delete":
        await lab.core.loop.write(lambda turn: turn.batch.run_deletes.append(started.key))
    else:
        now_ms = lab.core.clock.wall_ms() + 60_000
        await asyncio.to_thread(lab.core.journal.prune, now_ms=now_ms, retention=Retention(runs_ms=1))

    assert lab.core.journal.run_row(started.key) is None
    assert lab.core.journal.snapshot(started.key) is None
