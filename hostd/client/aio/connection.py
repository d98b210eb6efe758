"""One connection with asyncio: the stubs of every service, calls and streams that raise what the daemon raised.

hostd/client/blocking is written from hostd/client/aio by clients/python/blocking_twin.py.
"""

from __future__ import annotations

import asyncio
import copy
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping
from contextlib import aclosing
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self, TypeVar

import grpc
import grpc.aio

from hostd.client.address import Door
from hostd.client.channel import CALL_TIMEOUT_S, CUT, Life, channel_options, credentials, health_request, is_serving
from hostd.client.channel import metadata as metadata_of
from hostd.client.failures import error_of
from hostd.client.reconnect import Patience, Retry, cut_off, is_last, is_repeatable, jittered
from hostd.client.tracing import checked_metadata, current_trace
from hostd.errors.base import HostdError, Kind

if TYPE_CHECKING:
    from hostd.client.aio.watch import Watch
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
R = TypeVar("R")


class Connection:
    """One connection, opened with the first call; it belongs to the running event loop. Close it, or `async with`.

    Services are attributes with the stubs of `hostd.v1`; `call`, `stream` and `follow` send through them, with the
    token, and raise HostdError as the daemon raised it:

        async with Connection(find_door()) as connection:
            run = await connection.call(connection.runs.GetRun, GetRunRequest(run=RunRef(run_id=run_id)))
    """

    def __init__(self, door: Door) -> None:
        self.door = door
        self.namespace = ""
        self._timeout_s: float | None = CALL_TIMEOUT_S
        self._retry = Retry()
        self._metadata = metadata_of(door)
        self._life = Life()
        options = channel_options(door)
        if door.tls is None:
            self._channel = grpc.aio.insecure_channel(door.address, options)
        else:
            self._channel = grpc.aio.secure_channel(door.address, credentials(door.tls), options)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connection; calls in flight end. Safe to call twice."""
        self._life.closed = True
        await self._channel.close()

    def with_options(
        self,
        *,
        namespace: str | None = None,
        timeout_s: float | None = None,
        retry: Retry | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> Self:
        """Return a client over the same connection that differs in what is given; the rest stays. Close only one.

        Args:
            namespace: the namespace its calls speak of.
            timeout_s: the deadline of its calls; `math.inf` for none.
            retry: when its calls are sent again; `NO_RETRY` for never.
            metadata: what its calls carry besides, such as `traceparent` (which is else OpenTelemetry's current span).

        Raises:
            HostdError: ARGUMENT_INVALID for metadata that gRPC does not carry.
        """
        other = copy.copy(self)
        if namespace is not None:
            other.namespace = namespace
        if timeout_s is not None:
            other._timeout_s = timeout_s
        if retry is not None:
            other._retry = retry
        if metadata is not None:
            kept = (item for item in self._metadata if item[0] not in metadata)
            other._metadata = (*kept, *checked_metadata(metadata))
        return other

    # -- services; each is imported when it is first used

    def _made(self, stub: Any) -> Any:
        self._life.check()  # gRPC takes the whole process down when asked for a call on a closed channel
        return stub(self._channel)

    @cached_property
    def workflows(self) -> WorkflowServiceAsyncStub:
        """Workflows."""
        from hostd.v1.workflow_service_pb2_grpc import WorkflowServiceStub

        stub: WorkflowServiceAsyncStub = self._made(WorkflowServiceStub)
        return stub

    @cached_property
    def runs(self) -> RunServiceAsyncStub:
        """Runs."""
        from hostd.v1.run_service_pb2_grpc import RunServiceStub

        stub: RunServiceAsyncStub = self._made(RunServiceStub)
        return stub

    @cached_property
    def triggers(self) -> TriggerServiceAsyncStub:
        """Triggers."""
        from hostd.v1.trigger_service_pb2_grpc import TriggerServiceStub

        stub: TriggerServiceAsyncStub = self._made(TriggerServiceStub)
        return stub

    @cached_property
    def dead_letters(self) -> DeadLetterServiceAsyncStub:
        """Events that could not be used."""
        from hostd.v1.dead_letter_service_pb2_grpc import DeadLetterServiceStub

        stub: DeadLetterServiceAsyncStub = self._made(DeadLetterServiceStub)
        return stub

    @cached_property
    def events(self) -> EventServiceAsyncStub:
        """Durable topics."""
        from hostd.v1.event_service_pb2_grpc import EventServiceStub

        stub: EventServiceAsyncStub = self._made(EventServiceStub)
        return stub

    @cached_property
    def plugins(self) -> PluginServiceAsyncStub:
        """Plugins and their components."""
        from hostd.v1.plugin_service_pb2_grpc import PluginServiceStub

        stub: PluginServiceAsyncStub = self._made(PluginServiceStub)
        return stub

    @cached_property
    def scripts(self) -> ScriptServiceAsyncStub:
        """Scripts and expressions on their own."""
        from hostd.v1.script_service_pb2_grpc import ScriptServiceStub

        stub: ScriptServiceAsyncStub = self._made(ScriptServiceStub)
        return stub

    @cached_property
    def secrets(self) -> SecretServiceAsyncStub:
        """Names of secrets; setting and deleting them."""
        from hostd.v1.secret_service_pb2_grpc import SecretServiceStub

        stub: SecretServiceAsyncStub = self._made(SecretServiceStub)
        return stub

    @cached_property
    def admin(self) -> AdminServiceAsyncStub:
        """The daemon itself."""
        from hostd.v1.admin_service_pb2_grpc import AdminServiceStub

        stub: AdminServiceAsyncStub = self._made(AdminServiceStub)
        return stub

    # -- calls

    async def call(
        self,
        method: grpc.aio.UnaryUnaryMultiCallable[Q, A],
        request: Q,
        *,
        timeout_s: float | None = CALL_TIMEOUT_S,
        retry: Retry | None = None,
    ) -> A:
        """Return the answer of a unary call. Canceling the task cancels the call.

        Args:
            timeout_s: the deadline of all tries together; None for none.
            retry: when to send it again; never where it is not given, or the request is not one to send twice.

        Raises:
            HostdError: of the reason's class in `hostd.client.errors`; UNREACHABLE when nobody answers.
        """
        patience: Patience | None = None
        until = None if timeout_s is None else time.monotonic() + timeout_s
        while True:
            self._life.check()
            left_s = None if until is None else max(0.0, until - time.monotonic())
            try:
                answer = await method(request, timeout=left_s, metadata=self._carried())
            except CUT:
                self._life.cut()
                raise
            except grpc.aio.AioRpcError as error:
                lost = self._life.told(error_of(error, self.door.address))
            else:
                self._life.seen = True
                return answer
            late = lost.kind is Kind.TIMEOUT  # what it waited for did not come, or no answer did: the time is over
            if retry is None or late or not is_repeatable(request) or self._life.closed:
                raise lost from None
            patience = patience or self._patience(retry)
            wait_s = patience.wait_s(lost)
            if until is not None and time.monotonic() + wait_s >= until:
                raise lost from None
            await asyncio.sleep(wait_s)

    async def stream(
        self, method: grpc.aio.UnaryStreamMultiCallable[Q, A], request: Q, *, timeout_s: float | None = None
    ) -> AsyncGenerator[A, None]:
        """Yield the answers of a streaming call; closing it ends the call. Raises HostdError.

        Args:
            timeout_s: the deadline of the whole stream; none where it is not given.
        """
        self._life.check()
        call = method(request, timeout=timeout_s, metadata=self._carried())
        try:
            async for answer in call:
                self._life.seen = True
                yield answer
        except CUT:
            self._life.cut()
            raise
        except grpc.aio.AioRpcError as error:
            raise self._life.told(error_of(error, self.door.address)) from None
        finally:
            call.cancel()

    async def follow(
        self,
        method: grpc.aio.UnaryStreamMultiCallable[Q, A],
        request: Q,
        *,
        reconnect_s: float = 60.0,
        timeout_s: float | None = None,
        on_expired: Callable[[], None] | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> AsyncGenerator[A, None]:
        """Yield the messages of a watch or subscription, whatever becomes of the connection.

        One that is lost, or ended because the reader was too slow, is taken up again behind the last message by its
        resume token, however often, until nobody has answered for `reconnect_s`. A daemon that has never answered this
        client is not waited for. A watch of one run ends with the run; others do not end.

        Args:
            timeout_s: the deadline of all of it; none where it is not given.
            on_expired: called where the token is too old for the daemon; then the stream begins anew, as if it had
                none. Where it is not given, RESUME_TOKEN_EXPIRED is raised.

        Raises:
            HostdError: as the daemon raises it, such as RUN_MISSING; RESUME_TOKEN_EXPIRED; UNREACHABLE.
        """
        sent: Any = copy.deepcopy(request)
        seen_before = bool(sent.resume_token) or self._life.seen or self._retry.unseen
        patience = Patience(reconnect_s, seen=seen_before, spread=jittered)
        until = None if timeout_s is None else time.monotonic() + timeout_s
        while True:
            left_s = None if until is None else max(0.0, until - time.monotonic())
            try:
                async with aclosing(self.stream(method, sent, timeout_s=left_s)) as answers:
                    async for answer in answers:
                        patience.alive()
                        seen: Any = answer
                        sent.resume_token = seen.resume_token or sent.resume_token
                        yield answer
                        if is_last(answer):
                            return
                lost = cut_off(self.door.address)
            except HostdError as error:
                lost = error
            if lost.reason == "RESUME_TOKEN_EXPIRED" and on_expired is not None and sent.resume_token:
                sent.resume_token = ""
                on_expired()
                continue
            if self._life.closed:
                raise lost
            wait_s = patience.wait_s(lost)
            if until is not None and time.monotonic() + wait_s >= until:
                raise lost
            await sleep(wait_s)

    async def is_serving(self, service: str = "") -> bool:
        """Say whether the daemon, or one of its services (`hostd.v1.RunService`), serves. Raises UNREACHABLE."""
        self._life.check()
        check: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = self._channel.unary_unary(
            "/grpc.health.v1.Health/Check"
        )
        return is_serving(await self.call(check, health_request(service), timeout_s=5.0))

    async def _ask(
        self, method: grpc.aio.UnaryUnaryMultiCallable[Q, A], request: Q, *, timeout_s: float | None = None
    ) -> A:
        """Return the answer of a call with this client's deadline and policy."""
        given_s = self._timeout_s if timeout_s is None else timeout_s
        return await self.call(
            method, request, timeout_s=None if given_s == float("inf") else given_s, retry=self._retry
        )

    async def _result(
        self,
        kind: type[R],
        method: grpc.aio.UnaryUnaryMultiCallable[Q, Any],
        request: Q,
        *,
        timeout_s: float | None = None,
    ) -> R:
        """Return the answer of a call as a result of that class."""
        from hostd.client.conversion import result_of

        return result_of(kind, await self._ask(method, request, timeout_s=timeout_s))

    async def _pages(
        self, method: grpc.aio.UnaryUnaryMultiCallable[Q, A], request: Q, limit: int | None = None
    ) -> AsyncGenerator[A, None]:
        """Yield the pages of a list; with a limit, no more than hold so many items (the caller cuts the last)."""
        paged: Any = request
        left = limit
        while True:
            if left is not None and "page_size" in paged.DESCRIPTOR.fields_by_name:
                paged.page_size = max(1, min(left, 1000))
                left -= paged.page_size
            page: Any = await self._ask(method, paged)
            yield page
            if not page.next_page_token or (left is not None and left <= 0):
                return
            paged.page_token = page.next_page_token

    def _watched(
        self,
        method: grpc.aio.UnaryStreamMultiCallable[Q, Any],
        request: Q,
        items: Callable[[Any], Iterable[R]],
        *,
        on_expired: Callable[[], None] | None = None,
        reconnect_s: float | None = None,
    ) -> Watch[R]:
        """Return the items of the messages that `follow` yields; it keeps on as the policy says, or `reconnect_s`."""
        from hostd.client.aio.watch import Watch

        lasting_s = self._retry.give_up_s if reconnect_s is None else reconnect_s

        def begin(anew: Callable[[], None]) -> AsyncGenerator[Any, None]:
            told = None if on_expired is None else anew
            return self.follow(method, request, reconnect_s=lasting_s, on_expired=told)

        sent: Any = request
        return Watch(begin, items, sent.resume_token, on_expired)

    def _patience(self, retry: Retry) -> Patience:
        return Patience(
            retry.give_up_s,
            seen=self._life.seen or retry.unseen,
            spread=jittered,
            waits_s=(retry.first_wait_s, retry.longest_wait_s),
        )

    def _carried(self) -> tuple[tuple[str, str], ...]:
        """Return what a call carries: the token, what the caller gave, the current trace unless that was given."""
        trace = current_trace()
        if not trace:
            return self._metadata
        given = {name for name, _ in self._metadata}
        return (*self._metadata, *((name, value) for name, value in trace if name not in given))
