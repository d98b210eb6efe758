"""Both clients against a server that answers as a test says."""

from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from scripted_server import Scripted, ScriptedServer

from hostd.api.status import DETAILS_KEY, status_of
from hostd.client import BlockingClient, Client, Door
from hostd.client.channel import channel_options, health_request, is_serving
from hostd.errors.base import HostdError, Kind
from hostd.v1.run_pb2 import HistoryRecord, Run
from hostd.v1.run_service_pb2 import GetRunRequest, RunRef, WatchRunRequest, WatchRunResponse

WATCH = WatchRunRequest(run=RunRef(run_id="r"))


def two_then_cut(_request: WatchRunRequest, context: grpc.ServicerContext) -> Iterator[WatchRunResponse]:
    """Two records, then the connection is lost."""
    yield WatchRunResponse(records=[HistoryRecord(seq=0)], resume_token="t1")
    yield WatchRunResponse(records=[HistoryRecord(seq=1)], resume_token="t2")
    context.abort(grpc.StatusCode.UNAVAILABLE, "Socket closed")


def ends_early(_request: WatchRunRequest, _context: grpc.ServicerContext) -> Iterator[WatchRunResponse]:
    """A proxy that ends the stream in good order, before the run's end."""
    yield from ()


def the_rest(_request: WatchRunRequest, _context: grpc.ServicerContext) -> Iterator[WatchRunResponse]:
    """The last record, with the run."""
    yield WatchRunResponse(records=[HistoryRecord(seq=2)], resume_token="t3", run=Run(run_id="r"))


def missing(_request: WatchRunRequest, context: grpc.ServicerContext) -> Iterator[WatchRunResponse]:
    """An error of the daemon's own."""
    error = HostdError(Kind.MISSING, "RUN_MISSING", "no such run")
    context.set_trailing_metadata(((DETAILS_KEY, status_of(error).SerializeToString()),))
    context.abort(grpc.StatusCode.NOT_FOUND, error.message)
    yield WatchRunResponse()


def test_blocking_watch_goes_on_behind_the_last_answer() -> None:
    """A lost connection, and a stream that merely ended, are taken up again with the token; nothing comes twice."""
    servicer = Scripted(two_then_cut, ends_early, the_rest)
    waits: list[float] = []
    with ScriptedServer(servicer) as server, BlockingClient(Door(server.address)) as client:
        answers = list(client.follow(client.runs.WatchRun, WATCH, sleep=waits.append))

    assert [record.seq for answer in answers for record in answer.records] == [0, 1, 2]
    assert [request.resume_token for request in servicer.requests] == ["", "t2", "t2"]
    assert answers[-1].run.run_id == "r"
    assert len(waits) == 2
    assert WATCH.resume_token == ""


async def test_watch_goes_on_behind_the_last_answer() -> None:
    """The asyncio client keeps the same promise."""
    servicer = Scripted(two_then_cut, ends_early, the_rest)
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    with ScriptedServer(servicer) as server:
        async with Client(Door(server.address)) as client:
            answers = [answer async for answer in client.follow(client.runs.WatchRun, WATCH, sleep=sleep)]

    assert [record.seq for answer in answers for record in answer.records] == [0, 1, 2]
    assert [request.resume_token for request in servicer.requests] == ["", "t2", "t2"]
    assert len(waits) == 2


def test_an_error_of_the_daemon_ends_the_watch_as_itself() -> None:
    """RUN_MISSING is no lost connection."""
    with (
        ScriptedServer(Scripted(missing)) as server,
        BlockingClient(Door(server.address)) as client,
        pytest.raises(HostdError) as caught,
    ):
        list(client.follow(client.runs.WatchRun, WATCH))

    assert (caught.value.kind, caught.value.reason) == (Kind.MISSING, "RUN_MISSING")


async def test_calls_carry_the_token() -> None:
    """Both clients send it as a bearer; without one, none is sent."""
    servicer = Scripted()
    request = GetRunRequest(run=RunRef(run_id="r"))
    with ScriptedServer(servicer) as server:
        with BlockingClient(Door(server.address, "secret")) as blocking:
            assert blocking.call(blocking.runs.GetRun, request).run_id == "r"
        async with Client(Door(server.address)) as client:
            assert (await client.call(client.runs.GetRun, request)).run_id == "r"

    assert servicer.metadata[0]["authorization"] == "Bearer secret"
    assert "authorization" not in servicer.metadata[1]


async def test_nobody_there_is_unreachable() -> None:
    """Both say so at once, with the address."""
    with ScriptedServer(Scripted()) as server:
        door = Door(server.address)
    request = GetRunRequest()
    with BlockingClient(door) as blocking, pytest.raises(HostdError, match=door.address) as caught:
        blocking.call(blocking.runs.GetRun, request)
    assert caught.value.reason == "UNREACHABLE"
    async with Client(door) as client:
        with pytest.raises(HostdError) as caught:
            await client.call(client.runs.GetRun, request)
        assert caught.value.reason == "UNREACHABLE"
        with pytest.raises(HostdError):
            [answer async for answer in client.follow(client.runs.WatchRun, WATCH)]


def test_every_service_is_an_attribute() -> None:
    """Stubs are made when they are asked for, by both clients."""
    with BlockingClient(Door("127.0.0.1:1")) as client:
        for name in ("workflows", "runs", "triggers", "plugins", "scripts", "admin"):
            stub: Any = getattr(client, name)
            assert type(stub).__name__.endswith("ServiceStub")
            assert isinstance(getattr(Client, name).func, type(test_every_service_is_an_attribute))


def test_health_is_asked_without_generated_code() -> None:
    """The two messages are those of grpc.health.v1."""
    from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

    assert (
        health_request("hostd.v1.RunService") == HealthCheckRequest(service="hostd.v1.RunService").SerializeToString()
    )
    assert health_request("") == b""
    for word in ("SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"):
        answer = HealthCheckResponse(status=word).SerializeToString()
        assert is_serving(answer) is (word == "SERVING")


def test_no_proxy_stands_before_this_machine() -> None:
    """An http_proxy variable concerns other machines."""
    assert ("grpc.enable_http_proxy", 0) in channel_options(Door("127.0.0.1:1"))
    assert ("grpc.enable_http_proxy", 0) not in channel_options(Door("example.org:1"))
