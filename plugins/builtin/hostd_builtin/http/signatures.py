"""Signatures of requests: HMACs over the body's exact bytes, compared in constant time.

Forms: a plain HMAC in a header; GitHub (X-Hub-Signature-256), Stripe (t=,v1=), Slack (v0:time:body) and Standard
Webhooks (https://github.com/standard-webhooks/standard-webhooks: v1, and v1a by public keys). Every candidate is
compared with every shared key, whatever was found before, so the time taken says nothing about which of them fits.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta

from hostd.plugin import WebhookRequest, format_duration
from hostd_builtin.http import public_keys
from hostd_builtin.http.hook_options import (
    GitHubSignature,
    HmacSignature,
    Signature,
    SlackSignature,
    StandardSignature,
    StripeSignature,
    standard_key,
)

CANDIDATES_MAX = 16
PUBLIC_CANDIDATES_MAX = 4  # each is a computation on curves for each key
HEADER_CHARS_MAX = 4_096


class BadSignature(Exception):
    """What is wrong with it; never says what would have been right."""


def check(signature: Signature, request: WebhookRequest, now: datetime) -> None:
    """Raise BadSignature unless one of the keys has signed the request, lately enough where time is signed."""
    if isinstance(signature, HmacSignature):
        _plain(signature, request, now)
    elif isinstance(signature, GitHubSignature):
        given = _header(request.headers, "x-hub-signature-256")
        _compare([_unhex(_after(given, "sha256="))], [key.encode() for key in signature.keys], request.body)
    elif isinstance(signature, StripeSignature):
        _stripe(signature, request, now)
    elif isinstance(signature, SlackSignature):
        _slack(signature, request, now)
    else:
        _standard(signature, request, now)


def header_names(signature: Signature) -> set[str]:
    """Return the headers that hold signatures, in lower case: they stay out of events."""
    if isinstance(signature, HmacSignature | StripeSignature):
        return {signature.header.lower()}
    if isinstance(signature, GitHubSignature):
        return {"x-hub-signature-256", "x-hub-signature"}
    return {"x-slack-signature" if isinstance(signature, SlackSignature) else "webhook-signature"}


def _plain(signature: HmacSignature, request: WebhookRequest, now: datetime) -> None:
    given = _after(_header(request.headers, signature.header.lower()), signature.prefix)
    decoded = _unhex(given) if signature.encoding == "hex" else _unbase64(given)
    at = ""
    if signature.timestamp_header is not None:
        at = _fresh(_header(request.headers, signature.timestamp_header.lower()), signature.tolerance, now)
    before, _, after = signature.message.replace("{timestamp}", at).partition("{body}")
    message = before.encode() + request.body + after.encode()
    _compare([decoded], [key.encode() for key in signature.keys], message, signature.algorithm)


def _stripe(signature: StripeSignature, request: WebhookRequest, now: datetime) -> None:
    parts = [part.strip().partition("=") for part in _header(request.headers, signature.header.lower()).split(",")]
    times = [value for name, _, value in parts if name == "t"]
    at = _fresh(times[0] if times else "", signature.tolerance, now)
    candidates = [_unhex(value) for name, _, value in parts if name == "v1"]
    _compare(candidates, [key.encode() for key in signature.keys], f"{at}.".encode() + request.body)


def _slack(signature: SlackSignature, request: WebhookRequest, now: datetime) -> None:
    at = _fresh(_header(request.headers, "x-slack-request-timestamp"), signature.tolerance, now)
    given = _unhex(_after(_header(request.headers, "x-slack-signature"), "v0="))
    _compare([given], [key.encode() for key in signature.keys], f"v0:{at}:".encode() + request.body)


def _standard(signature: StandardSignature, request: WebhookRequest, now: datetime) -> None:
    message_id = _header(request.headers, "webhook-id")
    at = _fresh(_header(request.headers, "webhook-timestamp"), signature.tolerance, now)
    words = [word.partition(",") for word in _header(request.headers, "webhook-signature").split(" ")]
    message = f"{message_id}.{at}.".encode("utf-8", "surrogatepass") + request.body  # one id, one text
    by_secret = [_unbase64(value) for version, _, value in words if version == "v1"]
    by_key = [_unbase64(value) for version, _, value in words if version == "v1a"][:PUBLIC_CANDIDATES_MAX]
    public = [public_keys.public_key(key) for key in signature.keys if public_keys.is_public(key)]
    shared = [standard_key(key) for key in signature.keys if not public_keys.is_public(key)]
    if not any(public_keys.signs(key, candidate, message) for key in public for candidate in by_key):
        _compare(by_secret, shared, message)


def _compare(candidates: list[bytes], keys: list[bytes], message: bytes, algorithm: str = "sha256") -> None:
    fits = False
    for key in keys:
        expected = hmac.new(key, message, getattr(hashlib, algorithm)).digest()
        for candidate in candidates[:CANDIDATES_MAX]:
            fits |= hmac.compare_digest(expected, candidate)
    if not fits:
        raise BadSignature("the signature does not fit: sign the body's exact bytes with the secret of this trigger")


def _fresh(text: str, tolerance: timedelta, now: datetime) -> str:
    """Return the time as it was written. Raises BadSignature when it is none, or too far from now."""
    if not text.isascii() or not text.isdigit() or len(text) > 12:
        raise BadSignature("the signature's time is no count of seconds since 1970")
    if abs(now.timestamp() - int(text)) > tolerance.total_seconds():
        raise BadSignature(f"the signature's time is more than {format_duration(tolerance)} from now")
    return text


def _header(headers: Mapping[str, str], name: str) -> str:
    value = headers.get(name, "")
    if not value:
        raise BadSignature(f"the header {name} is missing: this trigger takes signed requests only, sign them")
    if len(value) > HEADER_CHARS_MAX:
        raise BadSignature(f"the header {name} is too long")
    return value


def _after(text: str, prefix: str) -> str:
    if not text.startswith(prefix):
        raise BadSignature(f"the signature does not begin with {prefix!r}")
    return text[len(prefix) :].strip()


def _unhex(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""


def _unbase64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
