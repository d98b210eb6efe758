"""A run that nothing moves any more says so to everybody who waits for it or watches it."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from lab import NAMESPACE, Lab

from hostd.cli.local_run import run_document
from hostd.config.rooms import Config
from hostd.errors.base import HostdError, Kind
from hostd.journal import codec
from hostd.journal.port import Row
from hostd.model.filters import Compare
from hostd.model.messages import Cancel, Pause, Tick
from hostd.model.records import Paused
from hostd.model.requests import Repeat, RunRef
from hostd.model.states import RunState
from hostd.runtime.ring import engine_loop, snapshots
from hostd.runtime.ring.intake import Started

REST = "workflow: rest\nsteps:\n  a: {uses: flow.wait, with: {duration: 1h}}\n"
TOO_NEW = HostdError(Kind.CORRUPT, "RECORD_TOO_NEW", "written by a newer hostd")


async def resting(lab: Lab) -> Started:
    """Start a run that only waits."""
    started = await lab.start(await lab.register(REST))
    await lab.core.loop.quiet()
    return started


async def test_waiting_for_a_run_ends_when_it_is_held(lab: Lab) -> None:
    """Who waits for the end is told the reason, whether it asked before or after."""
    started = await resting(lab)
    runs = lab.core.front.runs
    waits = asyncio.ensure_future(runs.wait_end(NAMESPACE, started.run_id))
    await lab.until(lambda: lab.core.hub._ends)

    lab.core.loop.holding.hold(started.key, TOO_NEW)
    before = await asyncio.gather(waits, return_exceptions=True)
    after = await asyncio.gather(runs.wait_end(NAMESPACE, started.run_id), return_exceptions=True)

    for error in (*before, *after):
        assert isinstance(error, HostdError)
        assert (error.reason, error.details["held"]) == ("RUN_STATE", "RECORD_TOO_NEW")
        assert "HELD: RECORD_TOO_NEW" in error.message
    assert not lab.core.hub._ends


async def test_a_watch_of_a_run_ends_when_it_is_held(lab: Lab) -> None:
    """The records that are there come first, then the reason; a watch that begins later is told the same."""
    started = await resting(lab)
    runs = lab.core.front.runs
    told: list[int] = []

    async def watch() -> None:
        async for records in runs.watch(NAMESPACE, RunRef(started.run_id), from_seq=0):
            told.append(len(records.items))

    watching = asyncio.ensure_future(watch())
    await lab.until(lambda: told)
    lab.core.loop.holding.hold(started.key, TOO_NEW)

    for each in (watching, watch()):
        with pytest.raises(HostdError, match="HELD: RECORD_TOO_NEW") as held:
            await each
        assert held.value.reason == "RUN_STATE"
    assert told == [2, 2]


async def test_a_list_that_is_watched_shows_the_run_as_held(lab: Lab) -> None:
    """A watch over all runs tells the state, and one over waiting runs that it left; what comes later is told, too."""
    started = await resting(lab)
    runs = lab.core.front.runs
    waiting = Compare("state", "=", int(RunState.WAITING))
    streams = [runs.watch_all(NAMESPACE, tree, after=None, snapshot=True) for tree in (None, waiting)]
    for stream in streams:
        while not (await anext(stream)).snapshot_end:
            pass

    lab.core.loop.holding.hold(started.key, TOO_NEW)
    changes = [(await anext(stream)).changes for stream in streams]
    later = await lab.start("rest")
    news = await anext(streams[0])

    assert [(change.kind, change.run.state, change.run.reason) for [change] in changes] == [
        ("MODIFIED", RunState.HELD, "RECORD_TOO_NEW"),
        ("DELETED", RunState.HELD, "RECORD_TOO_NEW"),
    ]
    assert [change.run.run_id for change in news.changes] == [later.run_id]
    for stream in streams:
        await stream.aclose()


async def test_running_a_document_ends_when_its_run_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    """`hostd run` does not wait for ever on a run that a mistake of ours has stopped."""

    def broken(*_: Any) -> Any:
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr(engine_loop, "decide", broken)
    document = b"workflow: w\nsteps:\n  a: {uses: mock.noop}\n"

    with pytest.raises(HostdError, match="HELD: BUG"):
        await run_document(document, {}, file="w.yaml", config=Config())


SLOW = "workflow: slow\nsteps:\n  a: {uses: mock.sleep, with: {duration: 1h}}\n"
UNKNOWN = bytes([0x91, 0x92, 0xCD, 0x27, 0x0F, 1])  # one record of kind 9999


def changed(data: Path, sql: str, *values: Any) -> None:
    """Change the file of a journal that nobody has open."""
    with closing(sqlite3.connect(data / "journal.db")) as file, file:
        file.execute(sql, values)


async def held_by_damage(lab: Lab, data: Path, document: str) -> tuple[Started, bytes]:
    """Start a run, damage its last row between two daemons; return it, HELD, and the row's body."""
    started = await lab.start(await lab.register(document))
    await lab.core.loop.quiet()
    await lab.close()
    with closing(sqlite3.connect(data / "journal.db")) as file:
        [body] = file.execute("SELECT body FROM records WHERE run = ? ORDER BY pos DESC LIMIT 1", (started.key,))
    changed(data, "UPDATE records SET body = ? WHERE run = ? AND body = ?", b"\0" + body[0], started.key, body[0])
    lab.core = lab._build()
    await lab.core.open()
    lab.core.loop.tell(started.key, Tick())  # a run that only waits is read when something happens to it
    await lab.until(lambda: lab.row(started).state == RunState.HELD)
    assert lab.row(started).reason == "RECORD_CORRUPT"
    return started, body[0]


@pytest.fixture
async def kept(tmp_path: Path) -> AsyncIterator[tuple[Lab, Path]]:
    """Return a lab on a file, and its folder."""
    lab = await Lab(tmp_path / "data").open()
    yield lab, tmp_path / "data"
    await lab.close()


async def test_a_mended_run_goes_on_at_the_next_start(kept: tuple[Lab, Path]) -> None:
    """What was damaged stays held over restarts; once mended, the run goes on and its attempt is issued."""
    lab, data = kept
    started, body = await held_by_damage(lab, data, SLOW)
    await lab.restart()
    assert lab.row(started).state == RunState.HELD

    await lab.close()
    changed(data, "UPDATE records SET body = ? WHERE run = ? AND body = ?", body, started.key, b"\0" + body)
    lab.core = lab._build()
    await lab.core.open()
    await lab.running()

    assert (lab.row(started).state, lab.row(started).reason) == (RunState.RUNNING, "")
    assert [attempt.number for attempt in lab.core.effects.running()] == [2]


async def test_resuming_a_held_run_says_why_it_is_still_held_and_lets_it_go_once_mended(
    kept: tuple[Lab, Path],
) -> None:
    """No restart is needed: the run is read again, its timer and its life go on."""
    lab, data = kept
    started, body = await held_by_damage(lab, data, REST)
    resume = lab.core.front.runs.resume

    with pytest.raises(HostdError, match="is HELD: RECORD_CORRUPT .*checksum") as still:
        await resume(NAMESPACE, RunRef(started.run_id), principal="p", repeat=None)
    assert still.value.details["held"] == "RECORD_CORRUPT"

    changed(data, "UPDATE records SET body = ? WHERE run = ? AND body = ?", body, started.key, b"\0" + body)
    view = await resume(NAMESPACE, RunRef(started.run_id), principal="p", repeat=Repeat("r-1", b"d"))
    again = await resume(NAMESPACE, RunRef(started.run_id), principal="p", repeat=Repeat("r-1", b"d"))

    assert view.state == again.state == RunState.WAITING
    assert lab.row(started).due_at_ms > 0
    await lab.ask(started, Cancel("enough", 1_000))
    assert (await lab.ended(started)).state == RunState.CANCELED


async def test_a_record_of_a_newer_hostd_holds_the_run_until_it_is_known(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run stays held while the kind is unknown; the first start of a hostd that reads it lets the run go."""
    started = await resting(lab)
    seq = len(lab.records(started))
    await lab.core.loop.write(lambda turn: turn.batch.rows.append(Row(started.key, seq, 1, UNKNOWN)))
    await lab.restart()
    await lab.core.loop.quiet()
    lab.core.loop.tell(started.key, Cancel("", 1))
    await lab.until(lambda: lab.row(started).state == RunState.HELD)
    assert lab.row(started).reason == "RECORD_TOO_NEW"
    await lab.restart()
    assert lab.row(started).state == RunState.HELD

    known = codec.decode_records
    monkeypatch.setattr(snapshots, "decode_records", lambda body: [Paused()] if body == UNKNOWN else known(body))
    await lab.restart()

    assert lab.row(started).state == RunState.PAUSED


async def test_a_paused_run_that_was_held_is_resumed_in_one_go(lab: Lab) -> None:
    """Who resumes it wants it to go on: it is let go, and then not paused either."""
    started = await resting(lab)
    await lab.ask(started, Pause(""))
    lab.core.loop.holding.hold(started.key, TOO_NEW)
    await lab.core.loop.quiet()

    view = await lab.core.front.runs.resume(NAMESPACE, RunRef(started.run_id), principal="p", repeat=None)

    assert view.state == RunState.WAITING


async def test_a_list_that_is_watched_shows_the_run_let_go(lab: Lab) -> None:
    """A watch over all runs tells that the run waits again."""
    started = await resting(lab)
    runs = lab.core.front.runs
    lab.core.loop.holding.hold(started.key, TOO_NEW)
    await lab.core.loop.quiet()
    stream = runs.watch_all(NAMESPACE, None, after=None, snapshot=True)
    while not (await anext(stream)).snapshot_end:
        pass

    await runs.resume(NAMESPACE, RunRef(started.run_id), principal="p", repeat=None)
    [change] = (await anext(stream)).changes

    assert (change.kind, change.run.state, change.run.reason) == ("MODIFIED", RunState.WAITING, "")
    await stream.aclose()
