"""A real host with its gRPC door, in a folder of its own: what tests of the control plane talk to over its socket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import grpc
from google.rpc import error_details_pb2, status_pb2

from hostd.api.auth import OwnerToken
from hostd.api.server import ApiServer
from hostd.config.rooms import Config
from hostd.core import Core
from hostd.host.process import hearing
from hostd.v1 import (
    admin_service_pb2_grpc,
    dead_letter_service_pb2_grpc,
    event_service_pb2_grpc,
    payload_pb2,
    plugin_service_pb2_grpc,
    run_pb2,
    script_service_pb2_grpc,
    secret_service_pb2_grpc,
    trigger_service_pb2_grpc,
    workflow_service_pb2_grpc,
)
from hostd.v1 import run_service_pb2 as runs_pb2
from hostd.v1 import run_service_pb2_grpc as runs_grpc
from hostd.v1 import workflow_service_pb2 as workflows_pb2

hearing.FIRST_WORD_S, hearing.FIRST_WORDS_S = 60.0, 200.0  # a slow machine is no plugin that hangs
TOKEN = "token-of-the-owner-for-tests-0123456789"

ECHO = (
    "workflow: echo\nsteps:\n  say: {uses: mock.echo, with: {value: '${{ input }}'}}\noutput: ${{ steps.say.output }}\n"
)
WAIT = "workflow: wait\nsteps:\n  rest: {uses: flow.wait, with: {duration: 1h}}\n"
FAIL = "workflow: fail\nsteps:\n  no: {uses: flow.fail, with: {message: on purpose}}\n"


class Refused(NamedTuple):
    """A call's error, taken apart."""

    code: str
    reason: str
    message: str
    metadata: dict[str, str]
    fields: dict[str, str]
    retry_s: float | None
    domain: str


def taken_apart(error: grpc.aio.AioRpcError) -> Refused:
    """Return an error's parts; a status without details has an empty reason."""
    raw = next((value for key, value in error.trailing_metadata() or () if key == "grpc-status-details-bin"), b"")
    status = status_pb2.Status.FromString(raw)
    info, retry, bad = error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo(), error_details_pb2.BadRequest()
    retry_s = None
    for detail in status.details:
        detail.Unpack(info)
        detail.Unpack(bad)
        if detail.Unpack(retry):
            retry_s = retry.retry_delay.ToMilliseconds() / 1000
    fields = {field.field: field.reason for field in bad.field_violations}
    message = error.details() or ""
    return Refused(error.code().name, info.reason, message, dict(info.metadata), fields, retry_s, info.domain)


async def refused(call: Any) -> Refused:
    """Return why a call was refused; a call that is answered fails the test."""
    try:
        answer = [item async for item in call] if hasattr(call, "__aiter__") else await call
    except grpc.aio.AioRpcError as error:
        return taken_apart(error)
    raise AssertionError(f"answered: {answer}")


class Stubs:
    """The services over one channel."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.channel = channel
        self.runs: Any = runs_grpc.RunServiceStub(channel)
        self.workflows: Any = workflow_service_pb2_grpc.WorkflowServiceStub(channel)
        self.triggers: Any = trigger_service_pb2_grpc.TriggerServiceStub(channel)
        self.dead_letters: Any = dead_letter_service_pb2_grpc.DeadLetterServiceStub(channel)
        self.events: Any = event_service_pb2_grpc.EventServiceStub(channel)
        self.plugins: Any = plugin_service_pb2_grpc.PluginServiceStub(channel)
        self.scripts: Any = script_service_pb2_grpc.ScriptServiceStub(channel)
        self.secrets: Any = secret_service_pb2_grpc.SecretServiceStub(channel)
        self.admin: Any = admin_service_pb2_grpc.AdminServiceStub(channel)

    async def register(self, document: str, **fields: Any) -> Any:
        """Register a document."""
        return await self.workflows.RegisterWorkflow(
            workflows_pb2.RegisterWorkflowRequest(document=document, file="test.yaml", **fields)
        )

    async def start(self, workflow: str, data: bytes = b"", **fields: Any) -> Any:
        """Start a run."""
        return await self.runs.StartRun(runs_pb2.StartRunRequest(start=spec(workflow, data, **fields)))

    async def execute(self, workflow: str, data: bytes = b"", *, timeout: float | None = None, **fields: Any) -> Any:
        """Start a run and return it at its end."""
        request = runs_pb2.ExecuteRunRequest(start=spec(workflow, data, **fields))
        return await self.runs.ExecuteRun(request, timeout=timeout)

    async def get(self, run_id: str) -> Any:
        """Return a run."""
        return await self.runs.GetRun(runs_pb2.GetRunRequest(run=runs_pb2.RunRef(run_id=run_id)))


class Kit(Stubs):
    """A host that runs, and its services over the socket."""

    def __init__(self, core: Core, server: ApiServer, channel: grpc.aio.Channel) -> None:
        super().__init__(channel)
        self.core = core
        self.server = server

    @asynccontextmanager
    async def over_tcp(self) -> AsyncIterator[Stubs]:
        """Yield the services over TCP, where calls need a token."""
        address = self.server.address
        assert address is not None
        async with grpc.aio.insecure_channel(f"{address.host}:{address.port}") as channel:
            yield Stubs(channel)


def spec(workflow: str, data: bytes = b"", **fields: Any) -> runs_pb2.StartSpec:
    """Return a start with JSON text as its input."""
    given = payload_pb2.Payload(data=data, content_type="application/json") if data else None
    return runs_pb2.StartSpec(workflow=workflow, input=given, **fields)


def ref(run_id: str) -> runs_pb2.RunRef:
    """Return what names a run."""
    return runs_pb2.RunRef(run_id=run_id)


def state_name(run: run_pb2.Run) -> str:
    """Return a run's state without its prefix."""
    return run_pb2.RunState.Name(run.state).removeprefix("RUN_STATE_")


@asynccontextmanager
async def running(data: Path, **config: Any) -> AsyncIterator[Kit]:
    """Run a host on a data folder with its gRPC door, on a socket and on a free TCP port."""
    settings = Config.model_validate({"data": data, "listen": "127.0.0.1:0", **config})
    data.mkdir(mode=0o700, exist_ok=True)
    core = Core(settings, data=data)
    await core.open()
    server = ApiServer(core, token=OwnerToken(TOKEN, data / "token"), config=settings)
    try:
        await server.start()
        await core.triggers.start()
        async with grpc.aio.insecure_channel(f"unix:{data / 'run' / 'hostd.sock'}") as channel:
            yield Kit(core, server, channel)
    finally:
        await core.triggers.stop()
        await core.drain(1.0)
        await server.stop(1.0)
        await core.close()
