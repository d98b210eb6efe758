"""OAuth 2 client credentials: one token for all who ask with the same settings, renewed before it ends."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import NamedTuple
from urllib.parse import quote_plus, urlencode

from hostd.plugin import ActionError, HostdError, dump_json, parse_json
from hostd_builtin.http.auth_options import OAuth2Auth

TOKENS_MAX = 1_000
TOKEN_BYTES_MAX = 64 * 1024
LIFE_S = 300.0  # of a token whose giver does not say
LIFE_MAX_S = 86_400.0
MARGIN_S = 60.0  # a token is renewed so long before it ends, or after nine tenths of a short life


class Token(NamedTuple):
    """A token and how long it holds."""

    value: str
    life_s: float


class _Kept:
    """A token that is kept, and its state of being fetched."""

    __slots__ = ("error", "failures", "lock", "renew_at_s", "value")

    def __init__(self) -> None:
        self.value: str | None = None
        self.renew_at_s = 0.0
        self.lock = asyncio.Lock()
        self.failures = 0
        self.error: ActionError | None = None


class Tokens:
    """Tokens by settings; the one that was unused longest is forgotten."""

    def __init__(self) -> None:
        self._kept: OrderedDict[bytes, _Kept] = OrderedDict()

    async def get(
        self,
        key: bytes,
        fetch: Callable[[], Awaitable[Token]],
        *,
        now_s: Callable[[], float],
        unlike: str | None = None,
    ) -> str:
        """Return a token; whoever comes while one is fetched waits for that one, and shares its failure.

        Args:
            unlike: a token that was refused; another one is returned.
        """
        kept = self._of(key)
        failures = kept.failures
        if (value := _good(kept, now_s(), unlike)) is not None:
            return value
        async with kept.lock:
            if (value := _good(kept, now_s(), unlike)) is not None:
                return value
            if kept.failures != failures and kept.error is not None:
                raise _again(kept.error)
            kept.value = kept.error = None
            try:
                token = await fetch()
            except ActionError as error:
                kept.error = error
                kept.failures += 1
                raise
            kept.value = token.value
            kept.renew_at_s = now_s() + max(token.life_s - MARGIN_S, token.life_s * 0.9 if token.life_s < 600 else 0)
            return token.value

    def _of(self, key: bytes) -> _Kept:
        kept = self._kept.pop(key, None) or _Kept()
        self._kept[key] = kept
        if len(self._kept) > TOKENS_MAX:
            self._kept.popitem(last=False)
        return kept


def _good(kept: _Kept, now_s: float, unlike: str | None) -> str | None:
    return kept.value if kept.value != unlike and now_s < kept.renew_at_s else None


def _again(error: ActionError) -> ActionError:
    after = error.retry_after_s
    return ActionError(error.message, code=error.code, retryable=error.retryable, retry_after=after)


def cache_key(namespace: str, auth: OAuth2Auth, tls: bytes) -> bytes:
    """Return what tells settings apart; the secret is only in it as a part of a digest."""
    return hashlib.sha256(dump_json([namespace, auth.model_dump(mode="json")]) + tls).digest()


def token_request(auth: OAuth2Auth) -> tuple[dict[str, str], bytes]:
    """Return headers and body of the question for a token."""
    fields = {"grant_type": "client_credentials"} | auth.parameters
    fields |= {name: value for name, value in (("scope", auth.scope), ("audience", auth.audience)) if value}
    headers = {"accept": "application/json", "content-type": "application/x-www-form-urlencoded", "user-agent": "hostd"}
    if auth.client_auth == "basic":
        pair = f"{quote_plus(auth.client_id)}:{quote_plus(auth.client_secret)}"
        headers["authorization"] = "Basic " + base64.b64encode(pair.encode()).decode("ascii")
    else:
        fields |= {"client_id": auth.client_id, "client_secret": auth.client_secret}
    return headers, urlencode(fields).encode()


def read_token(status: int, data: bytes, *, retryable: bool, retry_after: float | None) -> Token:
    """Return the token of an answer.

    Raises:
        ActionError: OAUTH_REFUSED for settings that are not taken, OAUTH_UNAVAILABLE where trying again can help.
    """
    try:
        answer = parse_json(data)
    except HostdError:
        answer = None
    said = answer if isinstance(answer, dict) else {}
    if status != 200:
        why = str(said.get("error", ""))[:100]
        message = f"the token address answered {status}{f' ({why})' if why else ''}"
        code = "OAUTH_UNAVAILABLE" if retryable else "OAUTH_REFUSED"
        raise ActionError(message, code=code, retryable=retryable, retry_after=retry_after)
    value, kind = said.get("access_token"), said.get("token_type", "Bearer")
    if not isinstance(value, str) or not value.isascii() or not value.isprintable() or not value:
        raise ActionError("the token address answered no `access_token`", code="OAUTH_REFUSED")
    if not isinstance(kind, str) or kind.lower() != "bearer":
        raise ActionError(f"the token is of the type {str(kind)[:40]!r}; Bearer is spoken", code="OAUTH_REFUSED")
    return Token(value, _life_s(said.get("expires_in")))


def _life_s(said: object) -> float:
    try:
        life_s = float(said)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return LIFE_S
    return min(life_s, LIFE_MAX_S) if life_s > 0 else LIFE_S
