"""Who may ask: the socket is trusted, TCP needs the token; health and reflection; where a port is refused."""

import socket
from pathlib import Path
from typing import Any

import grpc
import pytest
from daemon_kit import TOKEN, Kit, refused, running
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from hostd.errors.base import HostdError
from hostd.v1 import admin_service_pb2
from hostd.v1 import run_service_pb2 as runs

COUNT = runs.CountRunsRequest()


def bearer(token: str) -> tuple[tuple[str, str], ...]:
    """Return metadata with a token."""
    return (("authorization", f"Bearer {token}"),)


async def test_tcp_needs_the_owners_token(kit: Kit) -> None:
    """Loopback too; a missing and a wrong token each have their reason, unary and streaming."""
    async with kit.over_tcp() as stubs:
        missing = await refused(stubs.runs.CountRuns(COUNT))
        wrong = await refused(stubs.runs.CountRuns(COUNT, metadata=bearer("x" * 40)))
        scheme = await refused(stubs.runs.CountRuns(COUNT, metadata=(("authorization", f"Basic {TOKEN}"),)))
        stream = await refused(stubs.runs.WatchRuns(runs.WatchRunsRequest()))
        good = await stubs.runs.CountRuns(COUNT, metadata=bearer(TOKEN))

    assert (missing.code, missing.reason) == ("UNAUTHENTICATED", "TOKEN_MISSING")
    assert (wrong.code, wrong.reason) == ("UNAUTHENTICATED", "TOKEN_INVALID")
    assert (scheme.reason, stream.reason) == ("TOKEN_MISSING", "TOKEN_MISSING")
    assert good.count == 0
    assert TOKEN not in wrong.message


async def test_the_socket_is_ours_alone(kit: Kit, tmp_path: Path) -> None:
    """Folder 0700, socket 0600."""
    socket_path = tmp_path / "d" / "run" / "hostd.sock"

    assert socket_path.parent.stat().st_mode & 0o777 == 0o700
    assert socket_path.stat().st_mode & 0o777 == 0o600


async def test_health_is_served_without_a_token(kit: Kit) -> None:
    """Per service and for the whole; an unknown one is NOT_FOUND."""
    async with kit.over_tcp() as stubs:
        health: Any = health_pb2_grpc.HealthStub(stubs.channel)
        for name in ("", "hostd.v1.RunService", "hostd.v1.AdminService"):
            answer = await health.Check(health_pb2.HealthCheckRequest(service=name))
            assert answer.status == health_pb2.HealthCheckResponse.SERVING
        with pytest.raises(grpc.aio.AioRpcError) as unknown:
            await health.Check(health_pb2.HealthCheckRequest(service="nothing"))

    assert unknown.value.code() is grpc.StatusCode.NOT_FOUND


async def test_bytes_that_are_no_message_are_refused_everywhere(kit: Kit) -> None:
    """Health, which is open, and reflection, which streams, say so as every method does; none of it is a mistake."""
    corrupt = b"\xff\xff"

    check = await refused(kit.channel.unary_unary("/grpc.health.v1.Health/Check")(corrupt))
    watch = await refused(kit.channel.unary_stream("/grpc.health.v1.Health/Watch")(corrupt))
    name = f"/{reflection_pb2.DESCRIPTOR.services_by_name['ServerReflection'].full_name}/ServerReflectionInfo"
    reflected = await refused(kit.channel.stream_stream(name)(iter([corrupt])))

    for answer in (check, watch, reflected):
        assert (answer.code, answer.reason) == ("INVALID_ARGUMENT", "ARGUMENT_INVALID")


async def test_reflection_lists_the_services(kit: Kit) -> None:
    """Over the socket without, over TCP with a token."""
    ask = reflection_pb2.ServerReflectionRequest(list_services="")

    async def listed(channel: grpc.aio.Channel, **how: Any) -> set[str]:
        stub: Any = reflection_pb2_grpc.ServerReflectionStub(channel)
        call = stub.ServerReflectionInfo(iter([ask]), **how)
        return {service.name async for answer in call for service in answer.list_services_response.service}

    assert "hostd.v1.RunService" in await listed(kit.channel)
    async with kit.over_tcp() as stubs:
        assert "hostd.v1.RunService" in await listed(stubs.channel, metadata=bearer(TOKEN))
        with pytest.raises(grpc.aio.AioRpcError) as refusal:
            await listed(stubs.channel)
    assert refusal.value.code() is grpc.StatusCode.UNAUTHENTICATED


async def test_bytes_that_are_no_request_are_refused_with_a_reason(kit: Kit) -> None:
    """Damaged messages and texts that are not UTF-8 are the caller's fault, not ours."""
    call = kit.channel.unary_unary("/hostd.v1.RunService/CountRuns")
    for data in (b"\xff\xff\xff", b"\x0a\x02\xff\xfe"):
        answer = await refused(call(data))
        assert (answer.code, answer.reason) == ("INVALID_ARGUMENT", "ARGUMENT_INVALID")


async def test_an_unforeseen_exception_tells_an_id_and_nothing_else(
    kit: Kit, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """INTERNAL with reason BUG and an id that stands in the log; no word of the exception leaves."""

    def broken(*_: Any) -> Any:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(type(kit.core.front.admin), "system", broken)
    answer = await refused(kit.admin.GetSystemInfo(admin_service_pb2.GetSystemInfoRequest()))

    assert (answer.code, answer.reason) == ("INTERNAL", "BUG")
    assert "secret" not in answer.message
    assert answer.metadata["id"] in answer.message
    assert answer.metadata["id"] in caplog.text


async def test_ports_that_cannot_be_had_are_named(tmp_path: Path) -> None:
    """A taken port is ADDRESS_IN_USE; beyond loopback without TLS is INSECURE_LISTEN unless said."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen(1)
        with pytest.raises(HostdError) as in_use:
            async with running(tmp_path / "a", listen=f"127.0.0.1:{taken.getsockname()[1]}"):
                pass
    with pytest.raises(HostdError) as insecure:
        async with running(tmp_path / "b", listen="0.0.0.0:0"):
            pass
    async with running(tmp_path / "c", listen="0.0.0.0:0", insecure=True) as kit:
        assert kit.server.address is not None

    assert in_use.value.reason == "ADDRESS_IN_USE"
    assert insecure.value.reason == "INSECURE_LISTEN"
