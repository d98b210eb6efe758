"""`http.webhook`: each POST to one path is an event."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl

from hostd.plugin import (
    EVERY_PEER,
    Event,
    Field,
    HostdError,
    JsonValue,
    Options,
    Trigger,
    TriggerContext,
    WebhookRequest,
    WebhookResponse,
    parse_json,
)

MIB = 1024 * 1024
ID_HEADERS = ("webhook-id", "ce-id", "idempotency-key")
ID_BYTES_MAX = 256
KEPT_BACK = frozenset({"authorization", "cookie", "proxy-authorization", "x-api-key"})
"""Credentials of the caller: an event is recorded, so they stay out of it."""


class WebhookOptions(Options):
    """Where to listen."""

    path: str = Field(
        description="The daemon answers `/hooks/<namespace>/<path>`: one to eight parts of letters, digits and `.~_-`.",
        pattern=r"^/?[A-Za-z0-9._~-]{1,128}(/[A-Za-z0-9._~-]{1,128}){0,7}$",
        examples=["orders/new"],
    )
    max_body_bytes: int = Field(MIB, description="A larger body is refused with 413.", ge=0, le=MIB)


class Refusal(Exception):
    """A request that makes no event."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.response = WebhookResponse.json(status, {"reason": reason, "message": message})


class Webhook(Trigger[WebhookOptions]):
    """Answers 202 with the event's id, what became of it, and the ids of the runs, once all is durable."""

    id, since, stability = "http.webhook", "0.1", "stable"
    instances = EVERY_PEER

    async def run(self, ctx: TriggerContext) -> None:
        """Listen until stopped."""

        async def answer(request: WebhookRequest) -> WebhookResponse:
            try:
                event = event_of(ctx, request, self.options.max_body_bytes)
            except Refusal as refusal:
                return refusal.response
            (emitted,) = await ctx.emit(event)
            return WebhookResponse.json(
                202,
                {
                    "event_id": emitted.event_id,
                    "outcome": str(emitted.outcome),
                    "run_id": emitted.run_ids[0] if emitted.run_ids else None,
                    "run_ids": list(emitted.run_ids),
                },
            )

        route = ctx.http.route(self.options.path, ["POST"], answer, max_body_bytes=self.options.max_body_bytes)
        ctx.log.info("listening", path=route.url_path)
        try:
            await ctx.stopped()
        finally:
            route.close()


def event_of(ctx: TriggerContext, request: WebhookRequest, max_body_bytes: int) -> Event:
    """Return the event a request stands for. Raises Refusal."""
    if len(request.body) > max_body_bytes:
        raise Refusal(413, "PAYLOAD_TOO_LARGE", f"the body has more than {max_body_bytes} bytes")
    headers = request.headers
    shown: dict[str, JsonValue] = {name: value for name, value in headers.items() if name not in KEPT_BACK}
    about: dict[str, JsonValue] = {
        "method": request.method,
        "path": request.path,
        "headers": shown,
        "query": dict(request.query),
    }
    return ctx.event(
        _data(headers.get("content-type", ""), request.body),
        id=_event_id(headers),
        type=headers.get("ce-type") or None,
        source=headers.get("ce-source") or None,
        subject=headers.get("ce-subject", ""),
        extensions={"http": about},
    )


def _event_id(headers: Mapping[str, str]) -> str | None:
    for name in ID_HEADERS:
        value = headers.get(name, "").strip()
        if len(value.encode("utf-8", "replace")) > ID_BYTES_MAX:
            raise Refusal(400, "ARGUMENT_INVALID", f"the header {name} has more than {ID_BYTES_MAX} bytes")
        if value:
            return value
    return None


def _data(content_type: str, body: bytes) -> JsonValue:
    kind = content_type.partition(";")[0].strip().lower()
    if not body:
        return None
    if kind == "application/json" or kind.endswith("+json"):
        return _json(body)
    try:
        if kind == "application/x-www-form-urlencoded":
            return dict(parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=1_000))
        if kind.startswith("text/"):
            return body.decode("utf-8")
    except ValueError:
        raise Refusal(400, "PAYLOAD_INVALID", f"the body is not what {kind} says") from None
    wanted = "application/json, application/x-www-form-urlencoded or text/*"
    raise Refusal(415, "PAYLOAD_INVALID", f"the content type {kind[:80]!r} is not taken; send {wanted}")


def _json(body: bytes) -> JsonValue:
    try:
        return parse_json(body)
    except HostdError as error:
        raise Refusal(400, error.reason, error.message) from None
