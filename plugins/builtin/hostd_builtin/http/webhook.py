"""`http.webhook`: each request to one path is an event.

A request passes, in this order: limits by sender, verification, authentication, signature, headers, the other limits,
body, schema. Only then it is emitted, and only when that is durable it is answered.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from hostd.plugin import (
    EVERY_PEER,
    Emitted,
    Event,
    ProvisionContext,
    RunResult,
    Trigger,
    TriggerContext,
    WebhookRequest,
    WebhookResponse,
)
from hostd_builtin.http import public_keys
from hostd_builtin.http.callers import check_caller, check_headers, credential_headers
from hostd_builtin.http.challenges import answer_challenge, answer_posted
from hostd_builtin.http.hook_answers import accepted, awaited, of_run, unmet
from hostd_builtin.http.hook_events import EventReader
from hostd_builtin.http.hook_options import HeaderRule, KeyCaller, StandardSignature, WebhookOptions
from hostd_builtin.http.hook_schema import compile_schema, faults
from hostd_builtin.http.rate_limits import Buckets, enter
from hostd_builtin.http.refusal import Refusal
from hostd_builtin.http.signatures import BadSignature, check, header_names

EMIT_S = 30.0
"""A request that intake does not take by then is answered 503; the sender sends it again."""


class Webhook(Trigger[WebhookOptions]):
    """Answers 202 with the event's id, what became of it, and the ids of the runs, once all is durable."""

    id, since, stability = "http.webhook", "0.1", "stable"
    instances = EVERY_PEER
    tells_begun = True

    async def provision(self, ctx: ProvisionContext) -> None:
        """Compile what requests are checked with."""
        await asyncio.to_thread(self._compile)

    def _compile(self) -> None:
        import re2

        options = self.options
        if isinstance(options.signature, StandardSignature) and options.signature.by_public_key:
            public_keys.load()
        self._schema: Any = None if options.body_schema is None else compile_schema(options.body_schema)
        rules = {
            name.lower(): rule if isinstance(rule, HeaderRule) else HeaderRule.model_validate({"equals": rule})
            for name, rule in options.headers.items()
        }
        self._rules = {
            name: (rule, None if rule.pattern is None else re2.compile(rule.pattern)) for name, rule in rules.items()
        }
        buckets = [Buckets(limit) for limit in options.limits]
        self._by_sender = [each for each in buckets if each.by == "remote"]
        self._others = [each for each in buckets if each.by != "remote"]
        kept_back = header_names(options.signature) if options.signature is not None else set()
        kept_back |= credential_headers(options.auth) if options.auth is not None else set()
        hidden = options.auth.query if isinstance(options.auth, KeyCaller) else None
        self._reader = EventReader(options, kept_back=kept_back, hidden_query=hidden)

    async def run(self, ctx: TriggerContext) -> None:
        """Listen until stopped."""
        options = self.options
        desk = _Desk(ctx, options)

        async def answer(request: WebhookRequest) -> WebhookResponse:
            try:
                return await self._answer(ctx, desk, request)
            except Refusal as refusal:
                return refusal.response

        waits_s = options.answer.timeout.total_seconds() if options.answer.when == "wait" else 0.0
        route = ctx.http.route(
            options.path,
            options.answered_methods,
            answer,
            max_body_bytes=options.max_body_bytes,
            timeout=timedelta(seconds=2 * EMIT_S + waits_s),
        )
        ctx.begun()
        ctx.log.info("listening", path=route.url_path)
        try:
            await ctx.stopped()
        finally:
            desk.stop()
            route.close()

    async def _answer(self, ctx: TriggerContext, desk: _Desk, request: WebhookRequest) -> WebhookResponse:
        options = self.options
        self._limit(ctx, self._by_sender, request)
        if options.challenge is not None:
            verified = answer_challenge(options.challenge, request)
            if verified is not None:
                return verified
        if request.method not in options.methods:
            raise Refusal(400, "METHOD_REFUSED", f"a {request.method} here verifies the address, and this does not")
        self._admit(ctx, request)
        self._limit(ctx, self._others, request)
        events, batch = self._reader.read(ctx, request)
        if not batch:
            verified = answer_posted(options.challenge, events[0].data)
            if verified is not None:
                return verified
        self._check(events, batch=batch)
        return await desk.take(events, batch=batch)

    def _admit(self, ctx: TriggerContext, request: WebhookRequest) -> None:
        """Raise Refusal for a caller who may not call, or a request that is not what its sender signed."""
        options = self.options
        if len(request.body) > options.max_body_bytes:
            raise Refusal(413, "PAYLOAD_TOO_LARGE", f"the body has more than {options.max_body_bytes} bytes")
        if options.auth is not None:
            check_caller(options.auth, request)
        if options.signature is not None:
            try:
                check(options.signature, request, ctx.clock.now())
            except BadSignature as error:
                raise Refusal(401, "SIGNATURE_REFUSED", str(error)) from None
        check_headers(self._rules, request)

    def _limit(self, ctx: TriggerContext, limits: list[Buckets], request: WebhookRequest) -> None:
        if not limits:
            return
        asked = [(buckets, _bucket_key(buckets, request)) for buckets in limits]
        wait_s = enter(asked, ctx.clock.monotonic_s())
        if wait_s > 0:
            headers = {"retry-after": str(max(1, math.ceil(wait_s)))}
            raise Refusal(429, "RATE_LIMITED", "too many requests; come again later", headers=headers)

    def _check(self, events: list[Event], *, batch: bool) -> None:
        if self._schema is None:
            return
        for place, event in enumerate(events):
            found = faults(self._schema, event.data)
            if found:
                where = f"event {place} of the batch" if batch else "the body"
                raise Refusal(
                    400, "SCHEMA_REFUSED", f"{where} does not fit the schema: send what `faults` misses", faults=found
                )


class _Desk:
    """Emits, and waits for runs where that is asked for; bounded in time and number."""

    def __init__(self, ctx: TriggerContext, options: WebhookOptions) -> None:
        self._ctx = ctx
        self._respond = options.answer
        self._waiting: set[asyncio.Timeout] = set()
        self._stopping = False

    def stop(self) -> None:
        """Let nobody wait any longer: they are answered 202, their runs go on."""
        self._stopping = True
        now_s = asyncio.get_running_loop().time()
        for waiting in self._waiting:
            waiting.reschedule(now_s)

    async def take(self, events: list[Event], *, batch: bool) -> WebhookResponse:
        """Emit events; return the answer once they are durable, or their run has ended. Raises Refusal."""
        emitted = await self._emit(events)
        respond = self._respond
        if respond.when == "now" or batch:
            return accepted(emitted, respond, batch=batch)
        run_id = awaited(emitted[0])
        if run_id is None:
            return unmet(emitted[0])
        return of_run(emitted[0], await self._result(run_id), respond)

    async def _emit(self, events: list[Event]) -> list[Emitted]:
        if not events:
            return []
        try:
            async with asyncio.timeout(EMIT_S):
                return await self._ctx.emit(*events)
        except TimeoutError:
            message = "the daemon takes nothing more at the moment"
            raise Refusal(503, "INTAKE_FULL", message, headers={"retry-after": "5"}) from None

    async def _result(self, run_id: str) -> RunResult:
        """Return a run once it has ended; as it goes on where too many wait, the time is over, or the trigger stops."""
        unknown = RunResult(run_id, "RUNNING")
        if self._stopping or len(self._waiting) >= self._respond.waiting_max:
            return unknown
        waiting = asyncio.timeout(None)
        try:
            async with waiting:
                self._waiting.add(waiting)
                return await self._ctx.result(run_id, timeout=self._respond.timeout)
        except TimeoutError:
            return unknown
        finally:
            self._waiting.discard(waiting)


def _bucket_key(buckets: Buckets, request: WebhookRequest) -> str:
    key: Callable[[], str] = {"trigger": lambda: "", "remote": lambda: request.remote}.get(
        buckets.by, lambda: request.headers.get(buckets.by.partition(":")[2].lower(), "")
    )
    return key()
