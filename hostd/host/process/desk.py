"""What a plugin's process asks of the host: events taken, paths opened, services, log lines. One desk a process."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from typing import Any

from hostd.aio import spawn
from hostd.errors.base import HostdError, Kind, invalid
from hostd.host.guard import PLUGIN_ERRORS
from hostd.host.host_calls import answer
from hostd.host.logs import LINE_CHARS_MAX
from hostd.host.process.alone import Suspects
from hostd.host.process.claims import Claims
from hostd.host.process.held import Held, Key, key_of
from hostd.host.process.link import Link, LinkLostError, to_fault
from hostd.plugin import ActionError, Emitted, Event, Route, WebhookRequest, WebhookResponse
from hostd.plugin.v1 import host_pb2 as pb
from hostd.plugin.webhook import ANSWER_TIMEOUT_MAX
from hostd.values.json_text import JsonValue, dump_json, parse_json

CALLS_MAX = 1_000
LINES_A_FRAME = 1_000
PROGRESS_BYTES_MAX = 1024 * 1024  # that are read; fewer are kept
_log = logging.getLogger("hostd.plugin")
_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


Work = Coroutine[Any, Any, pb.FromHost]
Refused = Callable[[HostdError | ActionError], pb.FromHost]
"""Says why something is not done, in the frame that answers it."""


class HostedTrigger:
    """A configured trigger that runs in the process. `ended` gets what became of it."""

    def __init__(self, instance: str, context: Any) -> None:
        self.instance = instance
        self.context = context
        self.routes: dict[str, Route] = {}
        self.ended: asyncio.Future[pb.TriggerEnded] = asyncio.get_running_loop().create_future()


class Desk:
    """Answers one process's questions, in the name of its attempts and triggers."""

    def __init__(self, plugin: str, granted: frozenset[str], suspects: Suspects) -> None:
        self.attempts: dict[Key, Held] = {}
        self.claims = Claims(self.attempts, suspects)
        self.triggers: dict[str, HostedTrigger] = {}
        self._plugin = plugin
        self._granted = granted
        self._calls = 0

    def take(self, link: Link, frame: pb.FromPlugin) -> bool:
        """Take a frame that asks or tells something; say whether it was one."""
        kind = frame.WhichOneof("frame")
        if kind == "heartbeat":
            self._heartbeat(frame.heartbeat)
        elif kind == "log":
            self._lines(frame.log)
        elif kind == "emit":
            self._begin(link, frame.call, self._emit(frame.emit), _refused_emit)
        elif kind == "host_call":
            self._begin(link, frame.call, self._host_call(frame.host_call), _refused_call)
        elif kind == "open_route":
            self._begin(link, frame.call, self._open_route(link, frame.open_route), _refused_call)
        else:
            return False
        return True

    def _begin(self, link: Link, call: int, work: Work, refused: Refused) -> None:
        if self._calls >= CALLS_MAX:
            work.close()
            message = f"the plugin asks more than {CALLS_MAX} things at once"
            frame = refused(HostdError(Kind.EXHAUSTED, "INTAKE_FULL", message, retry_after_s=1.0))
            frame.call = call
            link.send(frame)  # raises where it does not even read: its connection ends
            return
        self._calls += 1
        spawn(self._answer(link, call, work, refused), name=f"call of {self._plugin}")

    async def _answer(self, link: Link, call: int, work: Work, refused: Refused) -> None:
        try:
            frame = await work
        except (HostdError, ActionError) as error:  # http.request that got no answer fails in the words of actions
            frame = refused(error)
        except PLUGIN_ERRORS as error:  # what it sent cannot be used: its own fault, and it is told
            frame = refused(invalid("PAYLOAD_INVALID", f"{type(error).__name__}: {error}"[:500]))
        finally:
            self._calls -= 1
        frame.call = call
        try:
            await link.reply(frame)
        except HostdError as error:  # the answer is larger than any frame may be
            frame = refused(error)
            frame.call = call
            await link.reply(frame)

    # -- attempts and triggers by name

    def _attempt(self, attempt_id: pb.AttemptId) -> Held:
        held = self.attempts.get(key_of(attempt_id))
        if held is None or held.id.epoch != attempt_id.epoch:
            raise HostdError(Kind.STATE, "STALE_ATTEMPT", "the host does not wait for this attempt (any more)")
        return held

    def _trigger(self, instance: str) -> HostedTrigger:
        hosted = self.triggers.get(instance)
        if hosted is None:
            raise HostdError(Kind.STATE, "STALE_ATTEMPT", "the host does not run this trigger (any more)")
        return hosted

    def _heartbeat(self, heartbeat: pb.Heartbeat) -> None:
        held = self.attempts.get(key_of(heartbeat.id))
        if len(heartbeat.progress) > PROGRESS_BYTES_MAX:
            raise invalid("PAYLOAD_TOO_LARGE", f"a progress has {len(heartbeat.progress)} bytes")
        if held is not None:
            held.context.heartbeat(_value(heartbeat.progress))

    def _lines(self, log: pb.Log) -> None:
        keep = self._keeper(log)
        for line in log.lines[:LINES_A_FRAME]:
            fields = _value(line.fields)
            keep(line.level, line.message, fields if isinstance(fields, dict) else {})

    def _keeper(self, log: pb.Log) -> Callable[[str, str, dict[str, JsonValue]], None]:
        held = self.attempts.get(key_of(log.attempt)) if log.HasField("attempt") else None
        hosted = self.triggers.get(log.trigger) if log.trigger else None
        target = held.context.log if held is not None else hosted.context.log if hosted is not None else None
        if target is None:
            return self._own_line

        def keep(level: str, message: str, fields: dict[str, JsonValue]) -> None:
            getattr(target, level if level in _LEVELS else "info")(message, **fields)

        return keep

    def _own_line(self, level: str, message: str, fields: dict[str, JsonValue]) -> None:
        text = dump_json(fields).decode()[:LINE_CHARS_MAX] if fields else ""
        number = _LEVELS.get(level, logging.INFO)
        _log.log(number, "plugin_line plugin=%s line=%s", self._plugin, f"{message[:LINE_CHARS_MAX]} {text}".rstrip())

    # -- questions

    async def _emit(self, emit: pb.Emit) -> pb.FromHost:
        context = self._trigger(emit.instance).context
        events = [_event(event) for event in emit.events]
        if not events and not emit.cursor:
            raise invalid("PAYLOAD_INVALID", "an Emit holds an event or a cursor")
        cursor = _value(emit.cursor)
        place: Any = datetime.fromisoformat(str(cursor)) if emit.slot else cursor
        emitted: list[Emitted] = await context.emit(*events, cursor=place)
        answers = [
            pb.EmittedEvent(event_id=one.event_id, outcome=one.outcome.value, run_ids=one.run_ids) for one in emitted
        ]
        return pb.FromHost(emitted=pb.Emitted(events=answers))

    async def _host_call(self, call: pb.HostCall) -> pb.FromHost:
        context: Any = None
        if call.HasField("attempt"):
            await self.claims.settled(key_of(call.attempt))
            context = self._attempt(call.attempt).context
        if call.trigger:
            context = self._trigger(call.trigger).context
        if context is None:
            raise invalid("PAYLOAD_INVALID", "a HostCall names the attempt or the trigger that asks")
        arguments = _value(call.arguments)
        if not isinstance(arguments, dict):
            raise invalid("PAYLOAD_INVALID", "the arguments of a HostCall are a JSON object")
        result, data = await answer(context, call.method, arguments, call.data, self._granted)
        return pb.FromHost(host_answer=pb.HostAnswer(result=dump_json(result), data=data))

    async def _open_route(self, link: Link, wanted: pb.OpenRoute) -> pb.FromHost:
        hosted = self._trigger(wanted.instance)
        if wanted.close:
            route = hosted.routes.pop(wanted.path, None)
            if route is not None:
                route.close()
            return pb.FromHost(route_opened=pb.RouteOpened())

        async def handle(request: WebhookRequest) -> WebhookResponse:
            return await _forward(link, wanted, request)

        bounds: dict[str, Any] = {}
        if wanted.max_body_bytes:
            bounds["max_body_bytes"] = wanted.max_body_bytes
        if wanted.timeout_ms:
            bounds["timeout"] = min(timedelta(milliseconds=wanted.timeout_ms), ANSWER_TIMEOUT_MAX)
        route = hosted.context.http.route(wanted.path, list(wanted.methods), handle, **bounds)
        hosted.routes[wanted.path] = route
        return pb.FromHost(route_opened=pb.RouteOpened(url_path=route.url_path))


async def _forward(link: Link, wanted: pb.OpenRoute, request: WebhookRequest) -> WebhookResponse:
    """Let the process answer a request."""
    frame = pb.Webhook(
        instance=wanted.instance,
        route=wanted.path,
        method=request.method,
        path=request.path,
        headers=dict(request.headers),
        query=dict(request.query),
        body=request.body,
        remote=request.remote,
    )
    try:
        answered = await link.ask(pb.FromHost(webhook=frame))
    except (LinkLostError, HostdError) as error:
        if isinstance(error, HostdError) and error.kind is Kind.INVALID:
            raise  # larger than a process is sent: the sender's, not the plugin's
        return WebhookResponse.json(
            503, {"reason": "PLUGIN_UNAVAILABLE", "message": "the plugin's process is not there"}
        )
    if answered.WhichOneof("frame") != "webhook_answer":
        return WebhookResponse.json(500, {"reason": "PLUGIN_FAILED", "message": "the plugin could not answer"})
    response = answered.webhook_answer
    return WebhookResponse(response.status, dict(response.headers), response.body)


def _refused_emit(error: HostdError | ActionError) -> pb.FromHost:
    return pb.FromHost(emitted=pb.Emitted(fault=to_fault(error)))


def _refused_call(error: HostdError | ActionError) -> pb.FromHost:
    return pb.FromHost(host_answer=pb.HostAnswer(fault=to_fault(error)))


def _value(text: bytes) -> JsonValue:
    return parse_json(text) if text else None


def _event(event: pb.Event) -> Event:
    extensions = _value(event.extensions)
    return Event(
        id=event.id,
        source=event.source,
        type=event.type,
        time=datetime.fromisoformat(event.time),
        data=_value(event.data),
        subject=event.subject,
        extensions=extensions if isinstance(extensions, dict) else {},
        overlap=event.overlap or "allow",  # type: ignore[arg-type]  # Event checks it
    )
