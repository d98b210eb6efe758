"""A whole daemon: its folder, both ports, and its end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from daemon_kit import ECHO, Stubs, refused, state_name

from hostd.client.address import find_door
from hostd.config.rooms import Config
from hostd.daemon import Daemon
from hostd.errors.base import HostdError
from hostd.v1 import admin_service_pb2
from hostd.v1 import run_service_pb2 as runs


@asynccontextmanager
async def whole(data: Path, **settings: Any) -> AsyncIterator[Daemon]:
    """Run a daemon with all its doors on free ports."""
    http = {"listen": "127.0.0.1:0"}
    daemon = Daemon(Config.model_validate({"data": data, "listen": "127.0.0.1:0", "http": http, **settings}))
    await daemon.start()
    try:
        yield daemon
    finally:
        await daemon.stop(1.0)


async def test_a_daemon_says_where_it_listens(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """GetSystemInfo and the log name both ports with numbers that the system chose; the token file is ours alone."""
    data = tmp_path / "d"
    caplog.set_level("INFO", "hostd.daemon")
    async with whole(data), grpc.aio.insecure_channel(find_door(data=data, env={}).address) as channel:
        info = await Stubs(channel).admin.GetSystemInfo(admin_service_pb2.GetSystemInfoRequest())
        token = (data / "token").read_text().strip()
        async with grpc.aio.insecure_channel(info.grpc_address) as tcp:
            metadata = (("authorization", f"Bearer {token}"),)
            count = await Stubs(tcp).runs.CountRuns(runs.CountRunsRequest(), metadata=metadata)

    assert not info.http_address.endswith(":0")
    assert f"daemon_ready grpc={info.grpc_address} http={info.http_address} " in caplog.text
    assert "http" in info.capabilities
    assert count.count == 0
    assert (data / "token").stat().st_mode & 0o777 == 0o600


async def test_a_deep_data_folder_has_its_socket_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Past what the kernel takes, run/address says where the socket lies, and clients find it."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    data = tmp_path / ("deep" * 20) / ("er" * 40)
    data.parent.mkdir()
    async with whole(data), grpc.aio.insecure_channel(find_door(data=data, env={}).address) as channel:
        stubs = Stubs(channel)
        await stubs.register(ECHO)
        run = await stubs.execute("echo")

    assert state_name(run) == "SUCCEEDED"


async def test_a_second_daemon_on_the_same_data_is_refused(tmp_path: Path) -> None:
    """JOURNAL_LOCKED, and the first goes on."""
    data = tmp_path / "d"
    async with whole(data), grpc.aio.insecure_channel(f"unix:{data}/run/hostd.sock") as channel:
        with pytest.raises(HostdError) as locked:
            async with whole(data):
                pass
        await Stubs(channel).register(ECHO)

    assert locked.value.reason == "JOURNAL_LOCKED"


async def test_a_stopping_daemon_tells_who_waits(tmp_path: Path) -> None:
    """ExecuteRun of a run that goes on ends with DRAINING, and the run is there after the next start."""
    data = tmp_path / "d"
    async with whole(data) as daemon, grpc.aio.insecure_channel(f"unix:{data}/run/hostd.sock") as channel:
        stubs = Stubs(channel)
        await stubs.register("workflow: wait\nsteps:\n  rest: {uses: flow.wait, with: {duration: 1h}}\n")
        waits = asyncio.ensure_future(refused(stubs.execute("wait", key="k", timeout=200)))
        while not (await stubs.runs.CountRuns(runs.CountRunsRequest())).count:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        await daemon.stop(1.0)
        answer = await waits
    async with whole(data), grpc.aio.insecure_channel(f"unix:{data}/run/hostd.sock") as channel:
        run = await Stubs(channel).runs.GetRun(runs.GetRunRequest(run=runs.RunRef(workflow="wait", key="k")))

    assert (answer.code, answer.reason) == ("UNAVAILABLE", "DRAINING")
    assert state_name(run) == "WAITING"
