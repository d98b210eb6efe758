"""The client for asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar, cast

import grpc
import grpc.aio

from hostd.client.address import Door
from hostd.client.channel import (
    CALL_TIMEOUT_S,
    channel_options,
    credentials,
    health_request,
    is_serving,
    metadata,
)
from hostd.client.failures import error_of
from hostd.client.reconnect import Patience, cut_off
from hostd.errors.base import HostdError
from hostd.v1 import run_service_pb2

if TYPE_CHECKING:
    from hostd.v1 import event_service_pb2
    from hostd.v1.admin_service_pb2_grpc import AdminServiceAsyncStub
    from hostd.v1.dead_letter_service_pb2_grpc import DeadLetterServiceAsyncStub
    from hostd.v1.event_service_pb2_grpc import EventServiceAsyncStub
    from hostd.v1.plugin_service_pb2_grpc import PluginServiceAsyncStub
    from hostd.v1.run_service_pb2_grpc import RunServiceAsyncStub
    from hostd.v1.script_service_pb2_grpc import ScriptServiceAsyncStub
    from hostd.v1.secret_service_pb2_grpc import SecretServiceAsyncStub
    from hostd.v1.trigger_service_pb2_grpc import TriggerServiceAsyncStub
    from hostd.v1.workflow_service_pb2_grpc import WorkflowServiceAsyncStub

Q = TypeVar("Q")
A = TypeVar("A")


class Client:
    """One connection, opened with the first call; it belongs to the running event loop. Close it, or `async with`.

    Services are attributes with the stubs of `hostd.v1`; `call` and `stream` send through them, with the token, and
    raise HostdError as the daemon raised it:

        async with connect() as client:
            run = await client.call(client.runs.GetRun, GetRunRequest(run=RunRef(run_id=run_id)))
    """

    def __init__(self, door: Door) -> None:
        self.door = door
        self._metadata = metadata(door)
        options = channel_options(door)
        if door.tls is None:
            self._channel = grpc.aio.insecure_channel(door.address, options)
        else:
            self._channel = grpc.aio.secure_channel(door.address, credentials(door.tls), options)

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connection; calls in flight end. Safe to call twice."""
        await self._channel.close()

    # -- services; each is imported when it is first used

    @cached_property
    def workflows(self) -> WorkflowServiceAsyncStub:
        """Workflows."""
        from hostd.v1.workflow_service_pb2_grpc import WorkflowServiceStub

        return cast("WorkflowServiceAsyncStub", WorkflowServiceStub(self._channel))

    @cached_property
    def runs(self) -> RunServiceAsyncStub:
        """Runs."""
        from hostd.v1.run_service_pb2_grpc import RunServiceStub

        return cast("RunServiceAsyncStub", RunServiceStub(self._channel))

    @cached_property
    def triggers(self) -> TriggerServiceAsyncStub:
        """Triggers."""
        from hostd.v1.trigger_service_pb2_grpc import TriggerServiceStub

        return cast("TriggerServiceAsyncStub", TriggerServiceStub(self._channel))

    @cached_property
    def dead_letters(self) -> DeadLetterServiceAsyncStub:
        """Events that could not be used."""
        from hostd.v1.dead_letter_service_pb2_grpc import DeadLetterServiceStub

        return cast("DeadLetterServiceAsyncStub", DeadLetterServiceStub(self._channel))

    @cached_property
    def events(self) -> EventServiceAsyncStub:
        """Durable topics."""
        from hostd.v1.event_service_pb2_grpc import EventServiceStub

        return cast("EventServiceAsyncStub", EventServiceStub(self._channel))

    @cached_property
    def plugins(self) -> PluginServiceAsyncStub:
        """Plugins and their components."""
        from hostd.v1.plugin_service_pb2_grpc import PluginServiceStub

        return cast("PluginServiceAsyncStub", PluginServiceStub(self._channel))

    @cached_property
    def scripts(self) -> ScriptServiceAsyncStub:
        """Scripts and expressions on their own."""
        from hostd.v1.script_service_pb2_grpc import ScriptServiceStub

        return cast("ScriptServiceAsyncStub", ScriptServiceStub(self._channel))

    @cached_property
    def secrets(self) -> SecretServiceAsyncStub:
        """Names of secrets; setting and deleting them."""
        from hostd.v1.secret_service_pb2_grpc import SecretServiceStub

        return cast("SecretServiceAsyncStub", SecretServiceStub(self._channel))

    @cached_property
    def admin(self) -> AdminServiceAsyncStub:
        """The daemon itself."""
        from hostd.v1.admin_service_pb2_grpc import AdminServiceStub

        return cast("AdminServiceAsyncStub", AdminServiceStub(self._channel))

    # -- calls

    async def call(
        self, method: grpc.aio.UnaryUnaryMultiCallable[Q, A], request: Q, *, timeout_s: float = CALL_TIMEOUT_S
    ) -> A:
        """Return the answer of a unary call. Raises HostdError; UNREACHABLE when nobody answers. May be cancelled."""
        try:
            return await method(request, timeout=timeout_s, metadata=self._metadata)
        except grpc.aio.AioRpcError as error:
            raise error_of(error, self.door.address) from None

    async def stream(self, method: grpc.aio.UnaryStreamMultiCallable[Q, A], request: Q) -> AsyncIterator[A]:
        """Yield the answers of a streaming call, without a deadline; closing it ends the call. Raises HostdError."""
        call = method(request, metadata=self._metadata)
        try:
            async for answer in call:
                yield answer
        except grpc.aio.AioRpcError as error:
            raise error_of(error, self.door.address) from None
        finally:
            call.cancel()

    async def watch_run(
        self,
        request: run_service_pb2.WatchRunRequest,
        *,
        reconnect_s: float = 60.0,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> AsyncIterator[run_service_pb2.WatchRunResponse]:
        """Yield records of a run until it has ended; the last answer holds the run.

        A lost connection is taken up again behind the last answer, however often, until nobody has answered for
        `reconnect_s`. A daemon that never answered is not waited for.

        Raises:
            HostdError: as the daemon raises it, such as RUN_MISSING; UNREACHABLE.
        """
        request = run_service_pb2.WatchRunRequest.FromString(request.SerializeToString())
        patience = Patience(reconnect_s, seen=bool(request.resume_token))
        while True:
            try:
                async for answer in self.stream(self.runs.WatchRun, request):
                    patience.alive()
                    request.resume_token = answer.resume_token or request.resume_token
                    yield answer
                    if answer.HasField("run"):
                        return
                lost = cut_off(self.door.address)
            except HostdError as error:
                lost = error
            await sleep(patience.wait_s(lost))

    async def subscribe_events(
        self,
        request: event_service_pb2.SubscribeEventsRequest,
        *,
        reconnect_s: float = 60.0,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> AsyncIterator[event_service_pb2.SubscribeEventsResponse]:
        """Yield messages of a subscription, without end; the first says that it stands.

        A lost connection is taken up again behind the last message, however often, until nobody has answered for
        `reconnect_s`. A daemon that never answered is not waited for.

        Raises:
            HostdError: as the daemon raises it, such as TOPIC_INVALID; UNREACHABLE.
        """
        from hostd.v1 import event_service_pb2

        request = event_service_pb2.SubscribeEventsRequest.FromString(request.SerializeToString())
        patience = Patience(reconnect_s, seen=bool(request.resume_token))
        while True:
            try:
                async for answer in self.stream(self.events.SubscribeEvents, request):
                    patience.alive()
                    request.resume_token = answer.resume_token or request.resume_token
                    yield answer
                lost = cut_off(self.door.address)
            except HostdError as error:
                lost = error
            await sleep(patience.wait_s(lost))

    async def is_serving(self, service: str = "") -> bool:
        """Say whether the daemon, or one of its services (`hostd.v1.RunService`), serves. Raises UNREACHABLE."""
        check: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = self._channel.unary_unary(
            "/grpc.health.v1.Health/Check"
        )
        return is_serving(await self.call(check, health_request(service), timeout_s=5.0))
