"""The gate: who gets in, and what errors look like from outside."""

import logging
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import grpc
import pytest
from daemon_kit import TOKEN, Kit, refused, running
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from hostd.aio import SystemClock
from hostd.api.auth import OwnerToken
from hostd.api.server import SERVICES, ApiServer
from hostd.config.rooms import Config
from hostd.errors.base import HostdError
from hostd.runtime.desks.front import Front
from hostd.telemetry.meter import Meter
from hostd.telemetry.tracing import Tracing
from hostd.v1.admin_service_pb2 import BackupJournalRequest, GetSystemInfoRequest
from hostd.v1.admin_service_pb2_grpc import AdminServiceStub

INFO = GetSystemInfoRequest()
OWNER = (("authorization", f"Bearer {TOKEN}"),)


@pytest.fixture
async def kit(tmp_path: Path) -> AsyncIterator[Kit]:
    """A host with its door."""
    async with running(tmp_path / "d") as kit:
        yield kit


async def test_tcp_needs_the_token_and_the_socket_does_not(kit: Kit) -> None:
    """Loopback is no proof of who calls; whoever may open the socket is the owner."""
    assert (await kit.admin.GetSystemInfo(INFO)).version
    async with kit.over_tcp() as outside:
        assert (await outside.admin.GetSystemInfo(INFO, metadata=OWNER)).version
        for metadata, reason in ((), "TOKEN_MISSING"), ((("authorization", "Bearer x"),), "TOKEN_INVALID"):
            error = await refused(outside.admin.GetSystemInfo(INFO, metadata=metadata))
            assert (error.code, error.reason, error.domain) == ("UNAUTHENTICATED", reason, "hostd")
        error = await refused(outside.admin.BackupJournal(BackupJournalRequest(path="x")))
        assert error.reason == "TOKEN_MISSING"


async def test_health_is_open_and_reflection_is_not(kit: Kit) -> None:
    """A probe has no token; a list of everything there is wants one."""
    async with kit.over_tcp() as outside:
        health = health_pb2_grpc.HealthStub(outside.channel)
        for service in ("", *SERVICES):
            answer = await health.Check(health_pb2.HealthCheckRequest(service=service))
            assert answer.status == health_pb2.HealthCheckResponse.SERVING
        ask = reflection_pb2.ServerReflectionRequest(list_services="")
        reflection: Any = reflection_pb2_grpc.ServerReflectionStub(outside.channel)
        with pytest.raises(grpc.aio.AioRpcError, match="authorization: Bearer"):
            [answer async for answer in reflection.ServerReflectionInfo(iter([ask]))]
        (answer,) = [answer async for answer in reflection.ServerReflectionInfo(iter([ask]), metadata=OWNER)]
        assert {service.name for service in answer.list_services_response.service} >= set(SERVICES)


@pytest.mark.parametrize("data", [b"\xff", b"\x0a\x02\xff\xfe", b"\x0a\xff\xff\xff\xff\x0f"])
async def test_bytes_that_are_no_message_are_the_callers_mistake(kit: Kit, data: bytes) -> None:
    """Broken bytes and text that is not UTF-8 are INVALID_ARGUMENT, not INTERNAL; without a token nothing is read."""
    call = kit.channel.unary_unary("/hostd.v1.AdminService/GetSystemInfo")
    error = await refused(call(data))
    assert (error.code, error.reason) == ("INVALID_ARGUMENT", "ARGUMENT_INVALID")
    async with kit.over_tcp() as outside:
        error = await refused(outside.channel.unary_unary("/hostd.v1.AdminService/GetSystemInfo")(data))
        assert error.reason == "TOKEN_MISSING"


async def test_an_unknown_rpc_is_unimplemented(kit: Kit) -> None:
    """What a newer client knows is refused as what it is."""
    error = await refused(kit.channel.unary_unary("/hostd.v1.RunService/NoSuchCall")(b""))
    assert error.code == "UNIMPLEMENTED"


async def test_a_wrong_namespace_is_named(kit: Kit) -> None:
    """The field that is wrong stands in BadRequest."""
    error = await refused(kit.admin.GetSystemInfo(GetSystemInfoRequest(namespace="No Such!")))
    assert error.fields == {"namespace": "ARGUMENT_INVALID"}


class BrokenAdmin:
    """A port with a mistake in it."""

    def system(self) -> Any:
        raise KeyError("the inside of hostd")

    async def backup(self, path: str) -> AsyncIterator[Any]:
        yield SimpleNamespace(pages_done=1, pages_total=2, path="", size_bytes=0)
        raise ZeroDivisionError("the inside of hostd")


async def test_a_mistake_of_ours_shows_an_id_and_nothing_else(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """INTERNAL carries an id under which the log has everything, in calls and in the middle of streams."""
    front: Any = SimpleNamespace(admin=BrokenAdmin())
    for name in (name for name in Front._fields if name != "admin"):
        setattr(front, name, None)
    info = SimpleNamespace(mac_key=b"k", journal_id="j")
    hub = SimpleNamespace(close=lambda: None)
    clock = SystemClock()
    core: Any = SimpleNamespace(front=front, info=info, hub=hub, meter=Meter(), clock=clock, tracing=Tracing(clock))
    (tmp_path / "d").mkdir()
    token = OwnerToken(TOKEN, tmp_path / "token")
    server = ApiServer(core, token=token, config=Config(data=tmp_path / "d", listen="off"))
    await server.start()
    assert server.address is None
    async with grpc.aio.insecure_channel(f"unix:{tmp_path}/d/run/hostd.sock") as channel:
        admin: Any = AdminServiceStub(channel)
        with caplog.at_level(logging.ERROR):
            errors = [
                await refused(admin.GetSystemInfo(INFO)),
                await refused(admin.BackupJournal(BackupJournalRequest(path="x"))),
            ]
    await server.stop(0)
    for error in errors:
        assert (error.code, error.reason) == ("INTERNAL", "BUG")
        assert error.metadata["id"] in error.message
        assert error.metadata["id"] in caplog.text
        assert "inside of hostd" not in str(error)
    assert "the inside of hostd" in caplog.text


async def test_calls_are_counted_by_how_they_ended(kit: Kit) -> None:
    """Metrics tell a refused call from an answered one."""
    await kit.admin.GetSystemInfo(INFO)
    await refused(kit.admin.GetSystemInfo(GetSystemInfoRequest(namespace="-")))
    text = (await kit.core.meter.render()).decode()
    assert 'hostd_rpcs_total{code="OK",method="GetSystemInfo"} 1' in text
    assert 'hostd_rpcs_total{code="INVALID_ARGUMENT",method="GetSystemInfo"} 1' in text


async def test_a_second_daemon_does_not_share_the_port(kit: Kit, tmp_path: Path) -> None:
    """The port that a door listens on is taken."""
    assert kit.server.address is not None
    (tmp_path / "e").mkdir()
    config = Config(data=tmp_path / "e", listen=f"127.0.0.1:{kit.server.address.port}")
    with pytest.raises(HostdError, match="ADDRESS_IN_USE"):
        await ApiServer(kit.core, token=OwnerToken(TOKEN, tmp_path / "token"), config=config).start()
