"""Searching what comes back from an attempt for the secrets it used, in the forms they commonly take."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

SHORTEST_BYTES = 6  # shorter values would hide half the text by chance; setting one warns
MARK = "***"


def forms(secret: str) -> list[str]:
    """Return a secret plain, URL-quoted, in base64 (any alignment) and JSON-escaped, longest first."""
    raw = secret.encode()
    if len(raw) < SHORTEST_BYTES:
        return []
    found = {secret, quote(secret, safe=""), quote(secret), quote_plus(secret)}
    for escaped in (json.dumps(secret), json.dumps(secret, ensure_ascii=False)):
        found.add(escaped[1:-1])
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        for shift in range(3):
            found.add(_stable_core(encode(b"\0" * shift + raw).decode(), shift))
    return sorted((form for form in found if len(form) >= SHORTEST_BYTES), key=len, reverse=True)


def _stable_core(text: str, shift: int) -> str:
    """Return the characters of a base64 text that do not depend on the bytes before and after."""
    text = text.rstrip("=")
    start = (0, 2, 3)[shift]
    return text[start : len(text) - 1]


def redact(text: str, secrets: Iterable[str]) -> str:
    """Return a text without the secrets in it."""
    for secret in secrets:
        for form in forms(secret):
            if form in text:
                text = text.replace(form, MARK)
    return text


def redact_bytes(data: bytes, secrets: Iterable[str]) -> bytes:
    """Return JSON text without the secrets in it; its structure stays."""
    for secret in secrets:
        for form in forms(secret):
            needle = form.encode()
            if needle in data:
                data = data.replace(needle, MARK.encode())
    return data
