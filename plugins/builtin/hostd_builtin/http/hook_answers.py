"""What a webhook answers once an event is durable: its ids, an answer of its author's, or what became of the run."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from hostd.plugin import EmitOutcome, Emitted, JsonValue, RunResult, WebhookResponse, dump_json
from hostd_builtin.http.hook_options import HEADER, Respond

FAILED = {"FAILED": 500, "CANCELED": 409, "TIMED_OUT": 504}
"""Statuses of runs that did not succeed."""
WAITED_FOR = frozenset({EmitOutcome.STARTED, EmitOutcome.SIGNALED, EmitOutcome.DUPLICATE})


def accepted(emitted: Sequence[Emitted], respond: Respond, *, batch: bool) -> WebhookResponse:
    """Return 202 with ids, or the author's own answer."""
    if respond.status is not None or respond.own_body:
        return _own(respond)
    if batch:
        return _json(202, {"events": [_ids(one) for one in emitted]}, respond.headers)
    return _json(202, _ids(emitted[0]), respond.headers)


def awaited(emitted: Emitted) -> str | None:
    """Return the run whose end answers a request, None where there is none to wait for."""
    return emitted.run_ids[0] if emitted.run_ids and emitted.outcome in WAITED_FOR else None


def unmet(emitted: Emitted) -> WebhookResponse:
    """Return the answer to one who waits for an event that led to no run."""
    if emitted.outcome is EmitOutcome.DEAD_LETTERED:
        message = "the event is kept as a dead letter: no run could be started with it"
        return _json(422, {**_ids(emitted), "reason": "EVENT_UNUSABLE", "message": message}, {})
    return _json(202, _ids(emitted), {})


def of_run(emitted: Emitted, result: RunResult, respond: Respond) -> WebhookResponse:
    """Return 200 with the output, 202 while the run goes on, 409, 500 or 504 when it did not succeed."""
    about = {"hostd-run-id": result.run_id}
    if not result.ended:
        return _json(202, {**_ids(emitted), "state": result.state}, {**about, **respond.headers})
    if result.failure is None:
        if respond.output == "response":
            return _response(result, about)
        return _json(200, result.output, {**about, **respond.headers})
    why = result.failure
    body: dict[str, JsonValue] = {"run_id": result.run_id, "state": result.state, "reason": why.reason}
    body |= {"code": why.code, "message": why.message}
    return _json(FAILED.get(result.state, 500), body, about)


def _ids(emitted: Emitted) -> dict[str, JsonValue]:
    return {
        "event_id": emitted.event_id,
        "outcome": str(emitted.outcome),
        "run_id": emitted.run_ids[0] if emitted.run_ids else None,
        "run_ids": list(emitted.run_ids),
    }


def _own(respond: Respond) -> WebhookResponse:
    body, kind = (b"", "") if respond.body is None else _written(respond.body)
    headers = {name.lower(): value for name, value in respond.headers.items()}
    if kind:
        headers.setdefault("content-type", kind)
    return WebhookResponse(respond.status or 200, headers, body)


def _response(result: RunResult, about: Mapping[str, str]) -> WebhookResponse:
    """Return what the output says, `{status, headers, body}`; 500 when it says no such thing."""
    said = result.output
    given = said if isinstance(said, dict) else {}
    status, headers = given.get("status", 200), given.get("headers") or {}
    fine = type(status) is int and 200 <= status <= 599 and isinstance(headers, dict) and isinstance(said, dict)
    if not fine or not all(_sendable(name, value) for name, value in headers.items()):  # type: ignore[union-attr]
        message = "the run's output is no answer: {status, headers, body}"
        return _json(500, {"run_id": result.run_id, "reason": "OUTPUT_INVALID", "message": message}, about)
    body, kind = (b"", "") if given.get("body") is None else _written(given["body"])
    plain = {str(name).lower(): str(value) for name, value in headers.items()}  # type: ignore[union-attr]
    if kind:
        plain.setdefault("content-type", kind)
    return WebhookResponse(int(status), {**about, **plain}, body)  # type: ignore[arg-type]


def _sendable(name: str, value: JsonValue) -> bool:
    return bool(re.fullmatch(HEADER, name)) and isinstance(value, str) and not any(c in value for c in "\r\n\0")


def _written(body: JsonValue) -> tuple[bytes, str]:
    if isinstance(body, str):
        return body.encode("utf-8", "replace"), "text/plain; charset=utf-8"
    return dump_json(body), "application/json"


def _json(status: int, value: JsonValue, headers: Mapping[str, str]) -> WebhookResponse:
    plain = WebhookResponse.json(status, value)
    if not headers:
        return plain
    lower = {name.lower(): text for name, text in headers.items()}
    return WebhookResponse(status, {**plain.headers, **lower}, plain.body)
