"""Watches go on: behind the last message, anew where that is gone, and not at all where nobody wants it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest
from scripted_server import Scripted, ScriptedServer

from hostd.api.status import DETAILS_KEY, status_of
from hostd.client import BlockingClient, Client, Door, errors
from hostd.errors.base import HostdError, Kind
from hostd.v1.run_pb2 import HistoryRecord, Run
from hostd.v1.run_service_pb2 import RunChange, StartRunResponse, WatchRunResponse, WatchRunsResponse

ADDED = "CHANGE_KIND_ADDED"
Script = Callable[[Any, Any], Iterator[Any]]


def changes(token: str, *run_ids: str, end: bool = False) -> WatchRunsResponse:
    """Return a message of a watch over runs."""
    made = [RunChange(kind=ADDED, run=Run(run_id=run_id)) for run_id in run_ids]
    return WatchRunsResponse(changes=made, resume_token=token, snapshot_end=end)


def then(*answers: Any, error: HostdError | None = None) -> Script:
    """Return a script: answers, then an error of the daemon's own, or the stream is cut."""

    def script(_: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        yield from answers
        if error is None:
            context.abort(grpc.StatusCode.UNAVAILABLE, "Socket closed")
        else:
            status = status_of(error)
            context.set_trailing_metadata(((DETAILS_KEY, status.SerializeToString()),))
            code = next(code for code in grpc.StatusCode if code.value[0] == status.code)
            context.abort(code, status.message)

    return script


TOO_SLOW = HostdError(Kind.EXHAUSTED, "WATCH_TOO_SLOW", "slow", retry_after_s=0.001)
EXPIRED = HostdError(Kind.STATE, "RESUME_TOKEN_EXPIRED", "too old")
FINAL = HostdError(Kind.INVALID, "INVALID_FILTER", "the end of this test")


async def test_a_watch_goes_on_behind_what_was_seen() -> None:
    """A cut connection, and a reader that was too slow: both are taken up behind the last token, by both clients."""
    scripts = [
        then(changes("t1", "a", "b"), changes("t2", end=True)),
        then(changes("t3", "c"), error=TOO_SLOW),
        then(changes("t4", "d"), error=FINAL),
    ]
    servicer = Scripted(*scripts, *scripts)
    seen: list[tuple[str, str, bool]] = []
    with ScriptedServer(servicer) as server:
        async with Client(Door(server.address)) as client:
            watch = client.watch_runs("f")
            for _ in "abcd":
                change = await anext(watch)
                seen.append((change.run.run_id, watch.resume_token, watch.caught_up))
            with pytest.raises(errors.InvalidFilter):
                await anext(watch)
        with BlockingClient(Door(server.address)) as blocking, pytest.raises(errors.InvalidFilter):
            list(blocking.watch_runs("f"))

    assert seen == [("a", "", False), ("b", "", False), ("c", "t2", True), ("d", "t3", True)]
    assert [request.resume_token for request in servicer.requests] == ["", "t2", "t3"] * 2
    assert {request.filter for request in servicer.requests} == {"f"}


def test_a_snapshot_is_taken_as_a_whole() -> None:
    """All that was there, over several messages and a lost connection; then what changes, one by one."""
    scripts = (then(changes("t1", "a", "b")), then(changes("t2", end=True), changes("t3", "c"), error=FINAL))
    with ScriptedServer(Scripted(*scripts)) as server, BlockingClient(Door(server.address)) as client:
        watch = client.watch_runs()
        assert [change.run.run_id for change in watch.snapshot()] == ["a", "b"]
        assert (watch.resume_token, watch.caught_up, watch.snapshot()) == ("t2", True, [])
        assert next(watch).run.run_id == "c"


async def test_a_token_that_is_too_old_is_told() -> None:
    """Who keeps what it has seen must know that something was missed: its own exception, with the token it gave."""
    servicer = Scripted(then(error=EXPIRED))
    with ScriptedServer(servicer) as server:
        async with Client(Door(server.address)) as client:
            with pytest.raises(errors.ResumeTokenExpired):
                await anext(client.watch_runs(resume_token="old"))
    assert len(servicer.requests) == 1


async def test_a_token_that_is_too_old_begins_anew_by_choice() -> None:
    """The callback is told first, then a fresh snapshot comes; an expiry without a token is no reason to go on."""
    servicer = Scripted(then(changes("t1", "a")), then(error=EXPIRED), then(changes("t9", "b", end=True), error=FINAL))
    told: list[str] = []
    with ScriptedServer(servicer) as server, BlockingClient(Door(server.address)) as client:
        watch = client.watch_runs(on_expired=lambda: told.append("anew"))
        got = [(next(watch).run.run_id, len(told)) for _ in "ab"]
        assert watch.snapshot() == []
        assert watch.caught_up

    assert got == [("a", 0), ("b", 1)]
    assert [request.resume_token for request in servicer.requests] == ["", "t1", ""]
    with (
        ScriptedServer(Scripted(then(error=EXPIRED))) as server,
        BlockingClient(Door(server.address)) as client,
        pytest.raises(errors.ResumeTokenExpired),
    ):
        next(client.watch_runs(on_expired=lambda: told.append("again")))
    assert told == ["anew"]


async def test_waiting_ends_with_its_deadline() -> None:
    """WAIT_EXPIRED names the run, which goes on; nothing waits past the time given."""

    def lasting(_: Any, context: grpc.ServicerContext) -> Iterator[WatchRunResponse]:
        yield WatchRunResponse(records=[HistoryRecord(seq=0)], resume_token="t1")
        ended = threading.Event()
        context.add_callback(ended.set)
        ended.wait(60)

    with ScriptedServer(Scripted(lasting, lasting)) as server:
        async with Client(Door(server.address)) as client:
            with pytest.raises(errors.WaitExpired) as caught:
                await client.run("r").result(timeout_s=0.1)
        with BlockingClient(Door(server.address)) as blocking, pytest.raises(errors.WaitExpired):
            blocking.wait("w/k", timeout_s=0.1)
    assert caught.value.metadata["run_id"] == "r"


async def test_canceling_a_task_cancels_its_call() -> None:
    """The server is told, of a stream and of a call that is answered once; so it is when a watch is closed."""
    begun, ended = threading.Semaphore(0), threading.Semaphore(0)

    def hold(_: Any, context: grpc.ServicerContext) -> StartRunResponse:
        gone = threading.Event()
        context.add_callback(gone.set)
        context.add_callback(ended.release)
        begun.release()
        gone.wait(150)
        return StartRunResponse()

    def stream(request: Any, context: grpc.ServicerContext) -> Iterator[WatchRunsResponse]:
        yield changes("t", "a")
        hold(request, context)

    servicer = Scripted(stream, stream, stream, starts=[hold])
    with ScriptedServer(servicer) as server:
        async with Client(Door(server.address)) as client:

            async def watch() -> None:
                async for _ in client.watch_runs():
                    pass

            for work in (watch(), client.start("w")):
                async with asyncio.TaskGroup() as group:
                    task = group.create_task(work)  # type: ignore[arg-type]
                    assert await asyncio.to_thread(begun.acquire, True, 120)
                    task.cancel()
                assert await asyncio.to_thread(ended.acquire, True, 120)
            async with client.watch_runs() as open_watch:
                await anext(open_watch)
                assert await asyncio.to_thread(begun.acquire, True, 120)
            assert await asyncio.to_thread(ended.acquire, True, 120)
        with BlockingClient(Door(server.address)) as blocking, blocking.watch_runs() as blocking_watch:
            next(blocking_watch)
            assert await asyncio.to_thread(begun.acquire, True, 120)
        assert await asyncio.to_thread(ended.acquire, True, 120)


async def test_closing_a_client_ends_what_is_on_its_way_with_an_error() -> None:
    """Nobody canceled who waits: a task that ends as canceled would be lost in silence; nor is the daemon away."""
    begun = threading.Semaphore(0)

    def hold(_: Any, context: grpc.ServicerContext) -> StartRunResponse:
        gone = threading.Event()
        context.add_callback(gone.set)
        begun.release()
        gone.wait(150)
        return StartRunResponse()

    def stream(request: Any, context: grpc.ServicerContext) -> Iterator[WatchRunsResponse]:
        yield changes("t", "a")
        hold(request, context)

    with ScriptedServer(Scripted(stream, stream, starts=[hold, hold])) as server:
        client = Client(Door(server.address))

        async def watch() -> None:
            async for _ in client.watch_runs():
                pass

        waiting = [asyncio.ensure_future(watch()), asyncio.ensure_future(client.start("w"))]
        for _ in waiting:
            assert await asyncio.to_thread(begun.acquire, True, 120)
        await client.close()
        ended = await asyncio.gather(*waiting, return_exceptions=True)

        blocking = BlockingClient(Door(server.address))
        asked = [
            asyncio.ensure_future(asyncio.to_thread(list, blocking.watch_runs())),
            asyncio.ensure_future(asyncio.to_thread(blocking.start, "w")),
        ]
        for _ in asked:
            assert await asyncio.to_thread(begun.acquire, True, 120)
        blocking.close()
        ended += await asyncio.gather(*asked, return_exceptions=True)
    assert [type(each) for each in ended] == [errors.Canceled] * 4
    assert {str(each) for each in ended} == {"CANCELED: the client was closed before the answer came"}


def test_a_closed_client_says_so() -> None:
    """It is not mistaken for a daemon that went away."""
    client = BlockingClient(Door("127.0.0.1:1"))
    client.close()
    client.close()
    with pytest.raises(RuntimeError, match="closed"):
        client.get_run("r")
    with pytest.raises(RuntimeError, match="closed"):
        next(client.with_options(namespace="n").watch_runs())
