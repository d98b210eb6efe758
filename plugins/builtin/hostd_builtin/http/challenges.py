"""How senders verify that an address wants their requests, before they send any."""

from __future__ import annotations

from hostd.plugin import JsonValue, WebhookRequest, WebhookResponse
from hostd_builtin.http.callers import same
from hostd_builtin.http.hook_options import (
    Challenge,
    CloudEventsChallenge,
    EchoChallenge,
    HubChallenge,
    SlackChallenge,
)
from hostd_builtin.http.refusal import Refusal

CHALLENGE_CHARS_MAX = 4_096
PLAIN = {"content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff", "cache-control": "no-store"}


def answer_challenge(challenge: Challenge, request: WebhookRequest) -> WebhookResponse | None:
    """Return the answer to a verification that comes without a body, None for another request. Raises Refusal."""
    if isinstance(challenge, HubChallenge) and request.method == "GET" and "hub.mode" in request.query:
        return _hub(challenge, request)
    if isinstance(challenge, EchoChallenge) and request.method == "GET" and challenge.parameter in request.query:
        return _echo(request.query[challenge.parameter])
    if isinstance(challenge, CloudEventsChallenge) and request.method == "OPTIONS":
        return _permission(challenge, request)
    return None


def answer_posted(challenge: Challenge | None, data: JsonValue) -> WebhookResponse | None:
    """Return the answer to a verification in a body that was found genuine, None for another request."""
    if not isinstance(challenge, SlackChallenge) or not isinstance(data, dict):
        return None
    text = data.get("challenge")
    if data.get("type") != "url_verification" or not isinstance(text, str):
        return None
    return _echo(text)


def _hub(challenge: HubChallenge, request: WebhookRequest) -> WebhookResponse:
    if not same(request.query.get("hub.verify_token", ""), challenge.verify_token):
        raise Refusal(403, "CREDENTIALS_REFUSED", "hub.verify_token is not the one that was agreed on")
    if request.query["hub.mode"] != "subscribe":
        raise Refusal(404, "ARGUMENT_INVALID", "only hub.mode=subscribe is agreed to")
    return _echo(request.query.get("hub.challenge", ""))


def _echo(text: str) -> WebhookResponse:
    if not text or len(text) > CHALLENGE_CHARS_MAX:
        raise Refusal(400, "ARGUMENT_INVALID", f"a challenge has 1 to {CHALLENGE_CHARS_MAX} characters")
    return WebhookResponse(200, PLAIN, text.encode("utf-8", "replace"))


def _permission(challenge: CloudEventsChallenge, request: WebhookRequest) -> WebhookResponse:
    """Answer the handshake of CloudEvents' HTTP webhooks (abuse protection, section 4)."""
    origin = request.headers.get("webhook-request-origin", "")
    if not origin:
        raise Refusal(400, "HEADER_REFUSED", "the header webhook-request-origin is missing")
    if origin not in challenge.origins and "*" not in challenge.origins:
        raise Refusal(403, "CREDENTIALS_REFUSED", "this origin may not send here")
    headers = {"webhook-allowed-origin": origin, "allow": "OPTIONS, POST"}
    if "webhook-request-rate" in request.headers:
        headers["webhook-allowed-rate"] = "*"
    return WebhookResponse(200, headers)
