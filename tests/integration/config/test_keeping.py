"""Keys that say what is kept, and where: from the configuration to what is there afterwards."""

from __future__ import annotations

import random
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from clocks import HandClock
from effects import WAYS, configured, opened, shows
from journals import append, whole_run

from hostd.config.rooms import Config
from hostd.core import Core
from hostd.errors.base import HostdError
from hostd.journal.logs import AttemptLogs
from hostd.journal.memory import MemoryJournal
from hostd.journal.port import AuditRow, Batch, DeadLetter, Dedup, EventRow, RequestId, RunQuery
from hostd.runtime.ring.upkeep import PRUNE_S
from hostd.runtime.room_options import retention_of

HOUR_MS = 3_600_000
NOW_MS = 1_700_000_000_000
REQUEST = ("default", "run.start", "q")
KEPT = {  # a value under what is kept by default, and what of a journal two hours old is gone by it
    "retention.runs": ("1h", "runs"),
    "retention.events": ("1h", "events"),
    "retention.events_size": ("1MiB", "first events"),
    "retention.dedup_keys": ("1h", "dedup"),
    "retention.dedup_keys_max": (100, "first dedup"),
    "retention.request_ids": ("1h", "request ids"),
    "retention.dead_letters": ("1h", "dead letters"),
    "retention.audit": ("1h", "audit"),
}


async def filled() -> MemoryJournal:
    """Return a journal that had one of everything two hours before NOW_MS, and more events and ids than fit."""
    journal = MemoryJournal(randomness=random.Random(1))
    journal.open()
    at_ms = NOW_MS - 2 * HOUR_MS
    await whole_run(journal, at_ms=at_ms)
    big = [EventRow("default", "order", "hook", f"e{n}", b"x" * 600_000, "STARTED") for n in range(2)]
    seen = [Dedup("default", "order/hook", f"e{n}", ("r",)) for n in range(101)]
    letter = DeadLetter("default", "order", "hook", "e", b"{}", "INPUT_INVALID", "why")
    row = AuditRow("default", "owner", "workflow.register", "order")
    request = RequestId(*REQUEST, b"d", b"r")
    batch = Batch(at_ms=at_ms, events=big, dedup=seen, dead_letters=[letter], audit=[row], request_ids=[request])
    await append(journal, batch)
    return journal


def gone(journal: MemoryJournal) -> set[str]:
    """Return what is not there any more."""
    events = {event.event_id for _, _, event in journal.events("default")}
    ids = journal.dedup_seen("default", "order/hook", ["e0", "e100"])
    there = {
        "runs": journal.query_runs(RunQuery("default")),
        "events": "e1" in events,
        "first events": "e0" in events,
        "dedup": "e100" in ids,
        "first dedup": "e0" in ids,
        "request ids": journal.request_ids([REQUEST]),
        "dead letters": journal.dead_letters("default"),
        "audit": journal.audit("default"),
    }
    return {name for name, found in there.items() if not found}


@pytest.mark.parametrize("key", KEPT)
@shows(*KEPT)
async def test_what_is_past_its_time_or_its_size_goes(key: str) -> None:
    """By each key its own things go, and nothing else; by default all of them stay."""
    journal = await filled()
    value, expected = KEPT[key]
    while journal.prune(now_ms=NOW_MS, retention=retention_of(Config())):
        pass
    assert gone(journal) == set()

    while journal.prune(now_ms=NOW_MS, retention=retention_of(configured(key, value))):
        pass

    assert gone(journal) - {f"first {expected}"} == {expected}


@shows("retention.logs")
def test_logs_of_attempts_go_after_their_time(tmp_path: Path) -> None:
    """Those that nothing was added to for so long."""
    logs, run_id = AttemptLogs(tmp_path), "0" * 25 + "g"
    logs.append(run_id, "step", 1, ["hello"])
    later_ms = int((tmp_path / run_id[-2:]).parent.stat().st_mtime * 1000) + 2 * HOUR_MS
    kept = retention_of(Config()).logs_ms, retention_of(configured("retention.logs", "1h")).logs_ms

    assert [logs.prune(now_ms=later_ms, keep_ms=keep_ms) for keep_ms in kept] == [0, 1]


@WAYS
async def test_the_daemon_prunes_by_what_holds(way: str) -> None:
    """The next round after a reload goes by the new times."""
    clock = HandClock()
    lab = await opened(way, {"retention": {"runs": "10s"}}, clock=clock)
    await lab.ended(await lab.start(await lab.register("workflow: w\nsteps:\n  a: {uses: mock.noop}")))
    assert len(lab.runs()) == 1

    await clock.turn(PRUNE_S + 11)

    await lab.until(lambda: not lab.runs())
    await lab.close()


@shows("journal.store")
async def test_a_memory_journal_leaves_no_file(tmp_path: Path) -> None:
    """Though there is a data folder."""
    for store in ("sqlite", "memory"):
        core = Core(configured("journal.store", store), data=tmp_path / store)
        (tmp_path / store).mkdir()
        await core.open()
        await core.close()

    assert (tmp_path / "sqlite/journal.db").exists()
    assert not (tmp_path / "memory/journal.db").exists()


@shows("journal.accept_loss")
async def test_a_loss_is_accepted_where_the_operator_says_so(tmp_path: Path) -> None:
    """Rows are missing that were acknowledged: the journal does not open, unless it is told to go on without."""
    lab = await opened("start", {}, data=tmp_path / "d")
    await lab.ended(await lab.start(await lab.register("workflow: w\nsteps:\n  a: {uses: mock.noop}")))
    await lab.close()
    with sqlite3.connect(tmp_path / "d/journal.db") as connection:
        connection.execute("DELETE FROM records")
        connection.execute("DELETE FROM runs")
    connection.close()

    with pytest.raises(HostdError, match="JOURNAL_TRUNCATED"):
        Core(Config(), data=tmp_path / "d").journal.open()
    journal: Any = Core(configured("journal.accept_loss", True), data=tmp_path / "d").journal
    journal.open()
    journal.close()
