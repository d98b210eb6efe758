"""Watches: a snapshot or a history first, then what becomes durable; tokens that hold after a restart."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
from daemon_kit import ECHO, WAIT, Kit, ref, refused, running, state_name

from hostd.v1 import run_pb2
from hostd.v1 import run_service_pb2 as wire

ADDED, MODIFIED, DELETED = wire.CHANGE_KIND_ADDED, wire.CHANGE_KIND_MODIFIED, wire.CHANGE_KIND_DELETED


class Watch:
    """What a WatchRuns stream has told, message by message."""

    def __init__(self, call: Any) -> None:
        self._call = call
        self.token = ""
        self.told: list[tuple[int, str, str]] = []

    async def until(self, enough: Any) -> "Watch":
        """Read on until what was told is enough."""
        async with asyncio.timeout(120):
            while not enough(self):
                message = await self._call.read()
                assert message is not None, "the watch ended"
                self.token = message.resume_token or self.token
                self.snapshot_end = message.snapshot_end
                self.told += [(change.kind, change.run.run_id, state_name(change.run)) for change in message.changes]
        return self


@asynccontextmanager
async def watching(kit: Kit, **fields: Any) -> AsyncIterator[Watch]:
    """Watch runs until the block is left."""
    call = kit.runs.WatchRuns(wire.WatchRunsRequest(**fields))
    try:
        yield Watch(call)
    finally:
        call.cancel()


def has_token(watch: Watch) -> bool:
    """Say whether the snapshot is over."""
    return bool(watch.token)


async def test_a_run_is_watched_from_its_first_record_to_its_end(kit: Kit) -> None:
    """Every record comes once, in order; the last message has the run; the stream ends."""
    started = await kit.start("wait")
    call = kit.runs.WatchRun(wire.WatchRunRequest(run=ref(started.run_id)))
    first = await call.read()
    await kit.runs.CancelRun(wire.CancelRunRequest(run=ref(started.run_id)))
    rest = []
    while (message := await call.read()) is not grpc.aio.EOF:
        rest.append(message)

    history = await kit.runs.GetRunHistory(wire.GetRunHistoryRequest(run=ref(started.run_id)))
    records = [*first.records, *(record for message in rest for record in message.records)]
    assert records == list(history.records)
    assert rest[-1].run == await kit.get(started.run_id)


async def test_a_finished_run_is_told_whole(kit: Kit) -> None:
    """Watching begins with the history whatever the run's age, by key too."""
    run = await kit.execute("echo", key="k")
    messages = [m async for m in kit.runs.WatchRun(wire.WatchRunRequest(run=wire.RunRef(workflow="echo", key="k")))]

    assert [record.seq for message in messages for record in message.records] == list(range(4))
    assert messages[-1].run.run_id == run.run_id


async def test_a_long_history_comes_in_small_messages(kit: Kit) -> None:
    """What a consumer does not read lies in the daemon: each message holds about 64 KiB, and nothing is left out."""
    steps = "".join(f"  s{at}: {{uses: mock.echo, with: {{value: '${{{{ input }}}}'}}}}\n" for at in range(20))
    await kit.register(f"workflow: large\nsteps:\n{steps}")
    run = await kit.execute("large", b'"' + b"x" * 20_000 + b'"')
    messages = [message async for message in kit.runs.WatchRun(wire.WatchRunRequest(run=ref(run.run_id)))]
    assert max(message.ByteSize() for message in messages[:-1]) < 100_000
    seqs = [record.seq for message in messages for record in message.records]
    assert seqs == list(range(len(seqs)))
    kinds = Counter(record.kind for message in messages for record in message.records)
    assert kinds[run_pb2.RECORD_KIND_ATTEMPT_SUCCEEDED] == 20


async def test_watching_a_run_goes_on_after_a_restart(tmp_path: Path) -> None:
    """The token of the last message resumes behind it: nothing twice, nothing missed."""
    async with running(tmp_path / "d") as kit:
        await kit.register(WAIT)
        run = ref((await kit.start("wait")).run_id)
        call = kit.runs.WatchRun(wire.WatchRunRequest(run=run))
        first = await call.read()
        call.cancel()
    async with running(tmp_path / "d") as kit:
        await kit.runs.CancelRun(wire.CancelRunRequest(run=run))
        again = wire.WatchRunRequest(run=run, resume_token=first.resume_token)
        rest = [message async for message in kit.runs.WatchRun(again)]
        history = await kit.runs.GetRunHistory(wire.GetRunHistoryRequest(run=run))

    records = [*first.records, *(record for message in rest for record in message.records)]
    assert records == list(history.records)


async def test_runs_are_watched_from_a_snapshot_on(kit: Kit) -> None:
    """What is there is ADDED, then each change; a deleted run is DELETED."""
    old = (await kit.execute("echo")).run_id
    async with watching(kit) as watch:
        await watch.until(has_token)
        snapshot = list(watch.told)
        new = (await kit.start("wait")).run_id
        await watch.until(lambda watch: len(watch.told) >= 2)
        await kit.runs.CancelRun(wire.CancelRunRequest(run=ref(new)))
        await watch.until(lambda watch: len(watch.told) >= 3)
        await kit.runs.DeleteRun(wire.DeleteRunRequest(run=ref(old)))
        await watch.until(lambda watch: len(watch.told) >= 4)

    assert snapshot == [(ADDED, old, "SUCCEEDED")]
    assert watch.told[1:] == [
        (ADDED, new, "WAITING"),
        (MODIFIED, new, "CANCELED"),
        (DELETED, old, "SUCCEEDED"),
    ]


async def test_a_change_that_leaves_the_filter_is_deleted(kit: Kit) -> None:
    """Runs enter and leave a filter on their state; one that never was inside is not told."""
    waiting = (await kit.start("wait")).run_id
    async with watching(kit, filter='state == "WAITING"') as watch:
        await watch.until(has_token)
        await kit.runs.PauseRun(wire.PauseRunRequest(run=ref(waiting)))
        await kit.execute("echo")
        await kit.runs.ResumeRun(wire.ResumeRunRequest(run=ref(waiting)))
        await watch.until(lambda watch: len(watch.told) >= 3)

    assert watch.told == [(ADDED, waiting, "WAITING"), (DELETED, waiting, "PAUSED"), (ADDED, waiting, "WAITING")]


async def test_labels_and_namespaces_hold_a_watch(kit: Kit) -> None:
    """A watch sees its namespace and its filter, nothing else; without a snapshot only what comes."""
    await kit.execute("echo", labels={"team": "a"})
    async with watching(kit, filter='labels.team == "a"', skip_snapshot=True) as watch:
        await watch.until(has_token)
        await kit.execute("echo", labels={"team": "b"})
        mine = (await kit.execute("echo", labels={"team": "a"})).run_id
        await watch.until(lambda watch: watch.told and watch.told[-1][2] == "SUCCEEDED")

    assert {run_id for _, run_id, _ in watch.told} == {mine}
    assert watch.told[0][0] == ADDED


async def test_a_watch_over_runs_goes_on_after_a_restart(tmp_path: Path) -> None:
    """Resumed by its token it is told what changed while nobody watched, and only that."""
    async with running(tmp_path / "d") as kit:
        await kit.register(WAIT)
        await kit.register(ECHO)
        stays, leaves = [(await kit.start("wait")).run_id for _ in range(2)]
        async with watching(kit, filter='state == "WAITING"') as watch:
            await watch.until(has_token)
        await kit.execute("echo")
        await kit.runs.CancelRun(wire.CancelRunRequest(run=ref(leaves)))
    async with running(tmp_path / "d") as kit:
        comes = (await kit.start("wait")).run_id
        token = watch.token
        async with watching(kit, filter='state == "WAITING"', resume_token=token) as resumed:
            await resumed.until(lambda watch: len(watch.told) >= 2)
            await kit.runs.CancelRun(wire.CancelRunRequest(run=ref(stays)))
            await resumed.until(lambda watch: len(watch.told) >= 3)

    assert set(watch.told) == {(ADDED, stays, "WAITING"), (ADDED, leaves, "WAITING")}
    assert resumed.told == [(DELETED, leaves, "CANCELED"), (ADDED, comes, "WAITING"), (DELETED, stays, "CANCELED")]


async def test_resume_tokens_are_checked(kit: Kit, tmp_path: Path) -> None:
    """Damaged or of another watch: INVALID. Of another journal, or behind what is kept: EXPIRED."""
    old = (await kit.execute("echo")).run_id
    async with watching(kit) as watch:
        await watch.until(has_token)
    new = await kit.execute("echo")
    await kit.runs.DeleteRun(wire.DeleteRunRequest(run=ref(new.run_id)))
    run_token = (await kit.runs.WatchRun(wire.WatchRunRequest(run=ref(old))).read()).resume_token

    async def reason(**fields: Any) -> str:
        answer = await refused(kit.runs.WatchRuns(wire.WatchRunsRequest(**fields)))
        return answer.reason

    assert await reason(resume_token="x" + watch.token) == "RESUME_TOKEN_INVALID"
    assert await reason(resume_token=watch.token[:-2]) == "RESUME_TOKEN_INVALID"
    assert await reason(resume_token=watch.token, filter='key == "k"') == "RESUME_TOKEN_INVALID"
    assert await reason(resume_token=watch.token, namespace="other") == "RESUME_TOKEN_INVALID"
    assert await reason(resume_token=run_token) == "RESUME_TOKEN_INVALID"
    assert await reason(resume_token=watch.token) == "RESUME_TOKEN_EXPIRED"
    assert await reason(filter="nonsense") == "INVALID_FILTER"
    other = await refused(kit.runs.WatchRun(wire.WatchRunRequest(run=ref(old), resume_token=watch.token)))
    assert other.reason == "RESUME_TOKEN_INVALID"


async def test_watches_end_when_the_daemon_stops(tmp_path: Path) -> None:
    """A watch and a wait are told DRAINING with a time to come back, instead of a broken connection."""
    async with running(tmp_path / "d") as kit:
        await kit.register(WAIT)
        execute = asyncio.ensure_future(refused(kit.execute("wait", timeout=200)))
        watch = asyncio.ensure_future(refused(kit.runs.WatchRuns(wire.WatchRunsRequest())))
        while not (await kit.runs.CountRuns(wire.CountRunsRequest())).count:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        await kit.server.stop(5.0)
        ended = [await execute, await watch]

    assert {(answer.code, answer.reason) for answer in ended} == {("UNAVAILABLE", "DRAINING")}
    assert all(answer.retry_s for answer in ended)


async def test_a_thousand_runs_are_told_in_few_messages(kit: Kit) -> None:
    """Each run is told to its end, hundreds of changes a message."""
    messages = 0
    ends: set[str] = set()
    call = kit.runs.WatchRuns(wire.WatchRunsRequest(skip_snapshot=True))
    await call.read()
    for _ in range(2):
        starts = [wire.StartSpec(workflow="echo") for _ in range(500)]
        await kit.runs.StartRuns(wire.StartRunsRequest(starts=starts))
    async with asyncio.timeout(120):
        while len(ends) < 1_000:
            message = await call.read()
            messages += 1
            ends |= {change.run.run_id for change in message.changes if state_name(change.run) == "SUCCEEDED"}
    call.cancel()

    assert messages < 200


async def test_watches_are_bounded_in_number(tmp_path: Path) -> None:
    """Past `limits.watches` one more is refused with a time to come back; a seat that is left can be taken."""
    async with running(tmp_path / "d", limits={"watches": 2}) as kit:
        await kit.register(WAIT)
        run = ref((await kit.start("wait")).run_id)
        async with watching(kit) as watch, watching(kit) as other:
            await watch.until(has_token)
            await other.until(has_token)
            for call in (
                kit.runs.WatchRuns(wire.WatchRunsRequest()),
                kit.runs.WatchRun(wire.WatchRunRequest(run=run)),
            ):
                answer = await refused(call)
                assert (answer.code, answer.reason) == ("RESOURCE_EXHAUSTED", "WATCHES_FULL")
                assert answer.retry_s
        async with asyncio.timeout(120):
            while True:
                try:
                    async with watching(kit) as again:
                        await again.until(has_token)
                    break
                except grpc.aio.AioRpcError as error:
                    assert "WATCHES_FULL" in str(error)  # noqa: PT017 the seats are left a moment later
                    await asyncio.sleep(0.01)
