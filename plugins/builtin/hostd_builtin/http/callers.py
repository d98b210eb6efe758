"""Who may call a webhook: basic, bearer and key authentication, compared in constant time."""

from __future__ import annotations

import base64
import hashlib
import hmac

from hostd.plugin import WebhookRequest
from hostd_builtin.http.hook_options import BasicCaller, BearerCaller, Caller, HeaderRule, KeyCaller
from hostd_builtin.http.refusal import Refusal

_CHALLENGES = {"basic": 'Basic realm="hostd", charset="UTF-8"', "bearer": 'Bearer realm="hostd"'}


def check_caller(caller: Caller, request: WebhookRequest) -> None:
    """Raise Refusal (401) unless the caller is who may call."""
    if isinstance(caller, BasicCaller):
        known = same(_basic(request), f"{caller.username}:{caller.password}")
    elif isinstance(caller, BearerCaller):
        known = _any(_after_scheme(request, "bearer"), caller.token)
    else:
        known = _any(_key(caller, request), caller.key)
    if not known:
        challenge = _CHALLENGES.get(caller.type)
        headers = {"www-authenticate": challenge} if challenge else {}
        raise Refusal(401, "CREDENTIALS_REFUSED", f"{caller.type} authentication is needed", headers=headers)


def credential_headers(caller: Caller) -> set[str]:
    """Return the headers that hold credentials, in lower case: they stay out of events."""
    return {caller.header.lower()} if isinstance(caller, KeyCaller) else {"authorization"}


def same(given: str, known: str) -> bool:
    """Say whether two texts are the same, in a time that tells nothing about either, its length neither."""
    digests = [hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest() for text in (given, known)]
    return hmac.compare_digest(*digests)


def check_headers(rules: dict[str, tuple[HeaderRule, object]], request: WebhookRequest) -> None:
    """Raise Refusal (400) for the first header that is not what its rule says.

    Args:
        rules: by lower-case name, each with its compiled pattern.
    """
    for name, (rule, pattern) in rules.items():
        value = request.headers.get(name)
        if value is None:
            if rule.required:
                raise Refusal(400, "HEADER_REFUSED", f"the header {name} is missing")
            continue
        taken = [rule.equals] if isinstance(rule.equals, str) else rule.equals
        if taken is not None and value not in taken:
            raise Refusal(400, "HEADER_REFUSED", f"the header {name} has a value that is not taken")
        if pattern is not None and not pattern.fullmatch(value):  # type: ignore[attr-defined]
            raise Refusal(400, "HEADER_REFUSED", f"the header {name} does not match its pattern")


def _any(given: str, known: str | list[str]) -> bool:
    fits = False
    for one in [known] if isinstance(known, str) else known:
        fits |= same(given, one)
    return fits


def _key(caller: KeyCaller, request: WebhookRequest) -> str:
    if caller.query is not None:
        return request.query.get(caller.query, "")
    return request.headers.get(caller.header.lower(), "")


def _after_scheme(request: WebhookRequest, scheme: str) -> str:
    found, _, rest = request.headers.get("authorization", "").partition(" ")
    return rest.strip() if found.lower() == scheme else ""


def _basic(request: WebhookRequest) -> str:
    try:
        return base64.b64decode(_after_scheme(request, "basic"), validate=True).decode()
    except ValueError:
        return ""
