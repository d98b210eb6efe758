"""From a request to events: plain, or CloudEvents 1.0 in binary, structured and batch mode (HTTP binding, v1.0.2)."""

from __future__ import annotations

import base64
import dataclasses
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from hostd.plugin import Event, HostdError, JsonValue, TriggerContext, WebhookRequest, dump_json
from hostd.plugin.cloud_events import Defaults, read_event, trace_attributes
from hostd_builtin.http.hook_bodies import FORM, is_json, kind_of, read_body, read_json
from hostd_builtin.http.hook_options import WebhookOptions
from hostd_builtin.http.refusal import Refusal

ID_BYTES_MAX = 256
BATCH_MAX = 1_000
BATCH_HEADER_BYTES_MAX = 8 * 1024 * 1024
"""Each event of a batch is recorded with what is told of its request: a small request must not become a large one."""

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
KEPT_BACK = frozenset({"authorization", "cookie", "proxy-authorization", "x-api-key"})
"""Credentials of the caller: an event is recorded, so they stay out of it."""


class EventReader:
    """Reads the events of one webhook's requests.

    Args:
        kept_back: headers with credentials of the caller, in lower case.
        hidden_query: key of the query that holds a credential.
    """

    def __init__(self, options: WebhookOptions, *, kept_back: set[str], hidden_query: str | None) -> None:
        self._options = options
        self._kept_back = KEPT_BACK | kept_back
        self._hidden_query = hidden_query
        first = [options.id_header.lower()] if options.id_header is not None else []
        self._webhook_ids = [*first, "webhook-id"]
        self._ids = [*self._webhook_ids, "ce-id", "idempotency-key"]

    def read(self, ctx: TriggerContext, request: WebhookRequest) -> tuple[list[Event], bool]:
        """Return the events, and whether they came as a batch (which may be empty). Raises Refusal."""
        if not all(map(str.isascii, request.headers.values())):
            request = dataclasses.replace(request, headers=_clean(request.headers))
        kind = kind_of(request.headers.get("content-type", ""))
        mode = self._options.cloudevents
        if mode != "off" and kind in (STRUCTURED, BATCH):
            value = read_json(request.body)
            return self._enveloped(ctx, request, value, batch=kind == BATCH), kind == BATCH
        if mode != "off" and "ce-specversion" in request.headers:
            envelope = _binary(request, kind)
            return [
                self._event(ctx, request, envelope, self._named(request, self._webhook_ids), self._about(request))
            ], False
        if mode == "require":
            message = f"send a CloudEvent: {STRUCTURED}, {BATCH}, or the ce- headers"
            raise Refusal(415, "EVENT_INVALID", message)
        return [self._plain(ctx, request)], False

    def _plain(self, ctx: TriggerContext, request: WebhookRequest) -> Event:
        headers = request.headers
        data = read_body(request.body, headers.get("content-type", ""), self._options.body)
        return ctx.event(
            data,
            id=self._named(request, self._ids),
            type=headers.get("ce-type") or None,
            source=headers.get("ce-source") or None,
            subject=headers.get("ce-subject", ""),
            extensions={"http": self._about(request), **trace_attributes(request.headers)},
        )

    def _enveloped(self, ctx: TriggerContext, request: WebhookRequest, value: JsonValue, *, batch: bool) -> list[Event]:
        about = self._about(request)
        if not batch:
            return [self._event(ctx, request, value, self._named(request, self._webhook_ids), about)]
        if not isinstance(value, list):
            raise Refusal(400, "EVENT_INVALID", "a batch is a JSON array of events")
        if len(value) > BATCH_MAX:
            raise Refusal(413, "PAYLOAD_TOO_LARGE", f"a batch has at most {BATCH_MAX} events")
        if len(value) * len(dump_json(about)) > BATCH_HEADER_BYTES_MAX:
            most = BATCH_HEADER_BYTES_MAX >> 20
            message = f"each event is kept with the headers: {len(value)} times these are more than {most} MiB"
            raise Refusal(413, "PAYLOAD_TOO_LARGE", message)
        return [self._event(ctx, request, each, None, about) for each in value]

    def _event(
        self,
        ctx: TriggerContext,
        request: WebhookRequest,
        envelope: JsonValue,
        event_id: str | None,
        about: dict[str, JsonValue],
    ) -> Event:
        if not isinstance(envelope, Mapping) or "specversion" not in envelope:
            raise Refusal(400, "EVENT_INVALID", "a CloudEvent is a JSON object with `specversion`")
        try:
            event = read_event(envelope, Defaults(time=ctx.clock.now()))
        except HostdError as error:
            raise Refusal(400, error.reason, error.message) from None
        trace = {} if "traceparent" in event.extensions else trace_attributes(request.headers)
        extensions = event.extensions | {"http": about} | trace
        return dataclasses.replace(event, id=event_id or event.id, extensions=extensions)

    def _named(self, request: WebhookRequest, names: list[str]) -> str | None:
        """Return the event's id by the first header that gives one."""
        for name in names:
            value = request.headers.get(name, "").strip()
            if not value:
                continue
            if len(value.encode("utf-8", "replace")) > ID_BYTES_MAX:
                raise Refusal(400, "ARGUMENT_INVALID", f"the header {name} has more than {ID_BYTES_MAX} bytes")
            return value
        return None

    def _about(self, request: WebhookRequest) -> dict[str, JsonValue]:
        shown: dict[str, JsonValue] = {
            name: value for name, value in request.headers.items() if name not in self._kept_back
        }
        return {
            "method": request.method,
            "path": request.path,
            "params": dict(request.params),
            "headers": shown,
            "query": {name: value for name, value in request.query.items() if name != self._hidden_query},
            "remote": request.remote,
        }


def _clean(headers: Mapping[str, str]) -> dict[str, str]:
    """Return headers as text that JSON can hold: bytes that are no UTF-8 are replaced."""
    return {
        name: value.encode("utf-8", "surrogateescape").decode("utf-8", "replace") for name, value in headers.items()
    }


def _binary(request: WebhookRequest, kind: str) -> dict[str, Any]:
    """Return the envelope of an event whose attributes are headers; their values are percent-encoded UTF-8."""
    envelope: dict[str, Any] = {}
    for name, value in request.headers.items():
        if not name.startswith("ce-"):
            continue
        try:
            envelope[name[3:]] = unquote(value, errors="strict")
        except ValueError:
            raise Refusal(400, "EVENT_INVALID", f"the header {name} is not percent-encoded UTF-8") from None
    reserved = {"data", "data_base64", "datacontenttype"} & envelope.keys()
    if reserved:
        raise Refusal(400, "EVENT_INVALID", f"there is no header ce-{min(reserved)}: data is the body")
    if not request.body:
        return envelope
    if is_json(kind) or kind == FORM or kind.startswith("text/"):
        return envelope | {"data": read_body(request.body, kind, "auto")}
    text = base64.b64encode(request.body).decode("ascii")
    return envelope | {"data_base64": text, "datacontenttype": kind or "application/octet-stream"}
