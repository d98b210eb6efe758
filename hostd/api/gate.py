"""The gate every call passes: who asks, may they; and what becomes of errors, foreseen or not."""

from __future__ import annotations

import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Any, NoReturn

import grpc
from google.protobuf.message import DecodeError

from hostd.aio import Clock
from hostd.api.auth import OWNER, VERBS, OwnerToken, Policy, principal_of
from hostd.api.caller import CALLER, Caller
from hostd.api.convert.checks import check_namespace
from hostd.api.status import DETAILS_KEY, grpc_code, status_of
from hostd.errors.base import HostdError, Kind, invalid
from hostd.telemetry.logs import add_log_fields
from hostd.telemetry.meter import Meter
from hostd.telemetry.spans import LiveSpan
from hostd.telemetry.tracing import Tracing
from hostd.values.trace import read_trace

_log = logging.getLogger("hostd.api")

OPEN_SERVICES = ("/grpc.health.v1.Health/",)  # may be asked without a token
UNIX_PEER = "unix:"
METADATA = frozenset({"authorization", "traceparent", "tracestate"})

Handler = Any  # grpc.RpcMethodHandler, generic in messages that the gate does not look into


class _Unreadable:
    """Stands for a request whose bytes are no message: refused with a reason, where grpc itself would say INTERNAL."""


_UNREADABLE = _Unreadable()


class Gate(grpc.aio.ServerInterceptor):  # type: ignore[misc,unused-ignore]
    """Wraps each method once. Over the Unix socket the caller is the owner, over TCP the token says who.

    Args:
        needs_token: nobody comes over the Unix socket: who has no token is refused before anything is read. A request
            that is never sent would be waited for.
    """

    def __init__(
        self,
        *,
        token: OwnerToken,
        policy: Policy,
        meter: Meter,
        clock: Clock,
        tracing: Tracing | None = None,
        needs_token: bool = False,
    ) -> None:
        self._token = token
        self._policy = policy
        self._meter = meter
        self._clock = clock
        self._tracing = tracing or Tracing(clock)
        self._wrapped: dict[str, Handler] = {}
        self._needs_token = needs_token

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler:
        """Return the guarded handler of a method, None for one that nobody serves."""
        method = str(handler_call_details.method)
        wrapped = self._wrapped.get(method)
        if wrapped is None:
            handler = await continuation(handler_call_details)
            if handler is None:
                return None
            wrapped = self._wrapped[method] = self._wrap(method, handler)
        stranger = self._stranger(method, handler_call_details.invocation_metadata) if self._needs_token else None
        return wrapped if stranger is None else self._refusing(method, stranger)

    def _stranger(self, method: str, metadata: Any) -> HostdError | None:
        """Return why a caller is not let in, None for one who is, and for what everybody may ask."""
        if method.startswith(OPEN_SERVICES):
            return None
        try:
            principal_of(str(dict(metadata or ()).get("authorization", "")), self._token)
        except HostdError as error:
            return error
        return None

    def _refusing(self, method: str, error: HostdError) -> Handler:
        async def answer(requests: Any, context: Any) -> NoReturn:
            await self._end(method, context, error, None)

        return grpc.stream_unary_rpc_method_handler(answer)

    def _wrap(self, method: str, handler: Handler) -> Handler:
        if method.startswith(OPEN_SERVICES):
            return _readable_only(handler)
        decode = _decoder(handler.request_deserializer)
        encode = handler.response_serializer
        if handler.request_streaming and not handler.response_streaming:  # what is sent in pieces
            upload = self._guarded(method, lambda sent, call: handler.stream_unary(_readable(sent), call))
            return grpc.stream_unary_rpc_method_handler(upload, decode, encode)
        if handler.request_streaming:  # reflection
            streams = self._guarded_stream(method, lambda sent, call: handler.stream_stream(_readable(sent), call))
            return grpc.stream_stream_rpc_method_handler(streams, decode, encode)
        if handler.response_streaming:
            stream = self._guarded_stream(method, handler.unary_stream)
            return grpc.unary_stream_rpc_method_handler(stream, decode, _encoder(encode))
        return grpc.unary_unary_rpc_method_handler(self._guarded(method, handler.unary_unary), decode, encode)

    def _guarded(self, method: str, behavior: Any) -> Any:
        verb = VERBS[method]
        seconds = self._meter.histogram("hostd_rpc_seconds", method=_name(method))
        answered = self._meter.counter("hostd_rpcs_total", method=_name(method), code="OK")

        async def answer(request: Any, context: Any) -> Any:
            began_s = self._clock.monotonic_s()
            span: LiveSpan | None = None
            try:
                span = self._admit(method, verb, request, context)
                response = await behavior(request, context)
                answered.inc()
                if span is not None:
                    span.end()
                return response
            except BaseException as error:  # noqa: BLE001 the fence of this door: it raises, always
                await self._end(method, context, error, span)
            finally:
                seconds.observe(self._clock.monotonic_s() - began_s)

        return answer

    def _guarded_stream(self, method: str, behavior: Any) -> Any:
        verb = VERBS[method]
        answered = self._meter.counter("hostd_rpcs_total", method=_name(method), code="OK")

        async def answer(request: Any, context: Any) -> AsyncIterator[Any]:
            span: LiveSpan | None = None
            try:
                span = self._admit(method, verb, request, context)
                async with aclosing(behavior(request, context)) as stream:
                    async for message in stream:
                        yield message
                answered.inc()
                if span is not None:
                    span.end()
            except BaseException as error:  # noqa: BLE001 the fence of this door: it raises, always
                await self._end(method, context, error, span)

        return answer

    async def _end(self, method: str, context: Any, error: BaseException, span: LiveSpan | None) -> NoReturn:
        """Count a call that ends with an error, and refuse it. Raises AbortError, or what is not for the caller."""
        aborted = isinstance(error, grpc.aio.AbortError)
        known = _known(method, error) if isinstance(error, Exception) and not aborted else None
        code = grpc_code(known.kind).name if known is not None else "ABORTED" if aborted else "CANCELLED"
        self._meter.counter("hostd_rpcs_total", method=_name(method), code=code).inc()
        if span is not None:
            span.end(f"{known.reason}: {known.message}" if known is not None else code)
        if known is None:
            raise error
        await _refuse(context, known)

    def _admit(self, method: str, verb: str, request: Any, context: Any) -> LiveSpan | None:
        """Find out who asks, and let them in; return the call's span, where spans are sent. Raises HostdError."""
        metadata = context.invocation_metadata() or ()
        found = {name: value for name, value in metadata if name in METADATA}
        local = context.peer().startswith(UNIX_PEER)
        principal = OWNER if local else principal_of(str(found.get("authorization", "")), self._token)
        if request is _UNREADABLE:
            raise _unreadable()
        self._policy.authorize(principal, verb, check_namespace(getattr(request, "namespace", "")))
        trace = read_trace(found["traceparent"], found.get("tracestate", "")) if "traceparent" in found else ""
        span = self._tracing.begin(method.removeprefix("/"), trace, "server")
        if span is not None:
            trace = span.trace.text()
        CALLER.set(Caller(principal, trace, local))
        if trace:
            add_log_fields(trace_id=trace[3:35], span_id=trace[36:52])
        return span


def _decoder(decode: Any) -> Any:
    if decode is None:
        return None

    def careful(data: bytes) -> Any:
        try:
            return decode(data)
        except DecodeError:
            return _UNREADABLE

    return careful


def _encoder(encode: Any) -> Any:
    """Return what makes bytes of a stream's messages; bytes are a message already, made for many streams."""
    return lambda message: message if type(message) is bytes else encode(message)


def _name(method: str) -> str:
    return method.rpartition("/")[2]


def _unreadable() -> HostdError:
    return invalid("ARGUMENT_INVALID", "the request's bytes are not the message that this method takes")


async def _readable(requests: AsyncIterator[Any]) -> AsyncIterator[Any]:
    """Yield what a client sends. Raises ARGUMENT_INVALID at bytes that are no message."""
    async for request in requests:
        if request is _UNREADABLE:
            raise _unreadable()
        yield request


def _readable_only(handler: Handler) -> Handler:
    """Return the handler of an open method, which refuses bytes that are no message."""
    decode, encode = _decoder(handler.request_deserializer), handler.response_serializer
    behavior = handler.unary_stream if handler.response_streaming else handler.unary_unary

    async def answer(request: Any, context: Any) -> Any:
        if request is _UNREADABLE:
            await _refuse(context, _unreadable())
        return await behavior(request, context)

    if handler.response_streaming:  # Watch, which writes to its context
        return grpc.unary_stream_rpc_method_handler(answer, decode, encode)
    return grpc.unary_unary_rpc_method_handler(answer, decode, encode)


async def _refuse(context: Any, error: HostdError) -> NoReturn:
    """End a call with an error's status. Always raises AbortError."""
    status = status_of(error)
    await context.abort(grpc_code(error.kind), status.message, ((DETAILS_KEY, status.SerializeToString()),))
    raise AssertionError  # abort raises


def _known(method: str, error: Exception) -> HostdError:
    """Return an error as callers may know it; one that nobody foresaw is logged under an id, and they get the id."""
    if isinstance(error, HostdError) and (error.kind is not Kind.BUG or "id" in error.details):
        return error
    bug_id = secrets.token_hex(6)
    _log.error("rpc_failed id=%s method=%s", bug_id, method, exc_info=error)
    message = f"a mistake of ours; the log has it under {bug_id}"
    return HostdError(Kind.BUG, "BUG", message, details={"id": bug_id})
