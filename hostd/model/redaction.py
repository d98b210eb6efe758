"""Searching what comes back from plugins for the secrets they were given, in the forms these commonly take."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any
from urllib.parse import quote, quote_plus

from hostd.errors.base import HostdError
from hostd.values.json_text import JsonValue, dump_json, parse_json

SECRETS_AT_ONCE = 1_024  # whose forms are kept: more than the log is searched for
SHORTEST_BYTES = 6  # shorter values would hide half the text by chance; setting one warns
MARK = "***"
# What libraries leave as it is when they quote for a URL: nothing, paths, queries, and JavaScript's two functions.
_LEFT_UNQUOTED = ("", "/", "!$&'()*+,;=:@", "!$&'()*+,;=:@/", "!$'()*,;:@/?", "!*'()", "!*'();/?:@&=+$,#")


@lru_cache(maxsize=SECRETS_AT_ONCE)
def forms(secret: str) -> tuple[str, ...]:
    """Return a secret plain, URL-quoted, in base64 (any alignment), in hex, JSON-escaped, in Python quotes.

    The longest comes first."""
    raw = secret.encode(errors="surrogatepass")
    if len(raw) < SHORTEST_BYTES:
        return ()
    found = {secret, raw.hex(), raw.hex().upper(), repr(raw)[2:-1], *_quoted(raw)}
    for escape in (_in_json, _in_json_as_is, _in_python):
        found |= {escape(secret), escape(secret).replace("/", "\\/")}
    found |= {_in_json(_in_json(secret)), _in_json_as_is(_in_json_as_is(secret))}  # JSON text as a value of JSON
    found |= {_in_json(_in_python(secret)), _in_json_as_is(_in_python(secret))}  # a representation in JSON
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        for shift in range(3):
            found.add(_stable_core(encode(b"\0" * shift + raw).decode(), shift))
    found |= {form.replace("/", "\\/") for form in found}
    return tuple(sorted((form for form in found if len(form) >= SHORTEST_BYTES), key=len, reverse=True))


@lru_cache(maxsize=SECRETS_AT_ONCE)
def escaped(secret: str) -> re.Pattern[str] | None:
    r"""Return what finds a secret escaped to any depth, as JSON in JSON in Python quotes is; None where none is needed.

    Escaping only puts backslashes before characters, or a backslash and a code in their place, so any number of them
    may stand before what is ever escaped: `"` is found as `\\*"`. Runs of backslashes are never gone back into: a
    search takes time in proportion to the text.
    """
    if len(secret.encode(errors="surrogatepass")) < SHORTEST_BYTES or all(map(_never_escaped, secret)):
        return None
    parts: list[str] = []
    after_run = False
    for run, other in re.findall(r"(\\+)|([^\\])", secret, re.DOTALL):
        if run:
            start = "" if parts else r"(?<!\\)"
            parts.append(rf"{start}\\{{{len(run)},}}+")
        else:
            parts.append(_any_escape(other, first=not parts, after_run=after_run))
        after_run = bool(run)
    return re.compile("".join(parts))


def _never_escaped(char: str) -> bool:
    return char.isascii() and char.isprintable() and char not in "\"'\\/"


def _any_escape(char: str, *, first: bool, after_run: bool) -> str:
    """Return a pattern for a character as it is and as any escape; `after_run`: its backslashes are eaten already."""
    if _never_escaped(char):
        return re.escape(char)
    if char in "\"'/":
        return char if first or after_run else rf"\\*+{char}"
    slashes = "" if after_run else r"(?<!\\)\\++" if first else r"\\++"
    return f"(?:{re.escape(char)}|{'|'.join(slashes + code for code in _codes(char, slashes))})"


def _codes(char: str, slashes: str) -> list[str]:
    """Return what stands behind the backslash where a character is escaped: `n`, `u00e4`, `xe4`, `xc3\\xa4`."""
    number, between = ord(char), slashes.replace(r"(?<!\\)", "") or r"\\++"
    units = char.encode("utf-16-be", "surrogatepass").hex()
    pairs = between.join(f"u{units[at : at + 4]}" for at in range(0, len(units), 4))
    octets = between.join(f"x{octet:02x}" for octet in char.encode(errors="surrogatepass"))
    codes = [f"(?i:{pairs})", f"(?i:{octets})", f"(?i:U{number:08x})"]
    if number < 256:
        codes.append(f"(?i:x{number:02x})")
    letter = {"\n": "n", "\t": "t", "\r": "r", "\b": "b", "\f": "f"}.get(char)
    return [*codes, letter] if letter else codes


def _in_json(text: str) -> str:
    return json.dumps(text)[1:-1]


def _in_json_as_is(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


def _in_python(text: str) -> str:
    return repr(text)[1:-1]


def _quoted(raw: bytes) -> set[str]:
    found = {way(raw, safe=left) for left in _LEFT_UNQUOTED for way in (quote, quote_plus)}
    return found | {_lower_escapes(form) for form in found}


def _lower_escapes(text: str) -> str:
    parts = text.split("%")
    return parts[0] + "".join("%" + part[:2].lower() + part[2:] for part in parts[1:])


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
        pattern = escaped(secret)
        if pattern is not None:
            text = pattern.sub(MARK, text)
    return text


def shows(text: str, secrets: Iterable[str]) -> bool:
    """Say whether a text shows a secret in any form."""
    return any(_is_in(text, secret) for secret in secrets)


def _is_in(text: str, secret: str) -> bool:
    pattern = escaped(secret)
    return any(form in text for form in forms(secret)) or (pattern is not None and pattern.search(text) is not None)


def redact_value(value: JsonValue, secrets: Iterable[str]) -> JsonValue:
    """Return a JSON value without the secrets in it; the same one where it shows none."""
    secrets = tuple(secrets)
    if not secrets:
        return value
    data = dump_json(value)
    clean = redact_bytes(data, secrets)
    return value if clean is data else parse_json(clean)


def redact_raw(data: bytes, secrets: Iterable[str]) -> bytes:
    """Return bytes of any kind without the secrets in them."""
    for secret in secrets:
        for form in forms(secret):
            data = data.replace(form.encode(errors="surrogatepass"), MARK.encode())
        pattern = escaped(secret)
        if pattern is not None:
            text = data.decode(errors="surrogateescape")
            data = pattern.sub(MARK, text).encode(errors="surrogateescape")
    return data


def redact_cut(text: str, secrets: Iterable[str], *, cut_chars: int) -> str:
    """The same for a text that may have been cut at so many characters, in the midst of a secret."""
    secrets = tuple(secrets)
    if len(text) >= cut_chars:
        for form in (form for secret in secrets for form in forms(secret)):
            for length in range(len(form) - 1, 2, -1):
                if text.endswith(form[:length]):
                    text = text[:-length] + MARK
                    break
    return redact(text, secrets)


def redact_bytes(data: bytes, secrets: Iterable[str]) -> bytes:
    """Return JSON text without the secrets in it; it stays JSON: a number that shows one becomes text."""
    secrets = tuple(secrets)
    if not _shows(data, secrets):
        return data
    try:
        return dump_json(_without(parse_json(data), secrets))
    except HostdError:  # what is no JSON is looked at as text
        return redact(data.decode(errors="replace"), secrets).encode()


def _shows(data: bytes, secrets: tuple[str, ...]) -> bool:
    if any(needle in data for secret in secrets for needle in _needles(secret)):
        return True
    patterns = [pattern for pattern in map(escaped, secrets) if pattern is not None]
    if not patterns:
        return False
    text = data.decode(errors="surrogateescape")
    return any(pattern.search(text) for pattern in patterns)


@lru_cache(maxsize=SECRETS_AT_ONCE)
def _needles(secret: str) -> tuple[bytes, ...]:
    """Return the forms as they stand in JSON text, once more escaped where they lie in a string."""
    found = set(forms(secret))
    for form in forms(secret):
        found |= {json.dumps(form)[1:-1], json.dumps(form, ensure_ascii=False)[1:-1]}
    return tuple(text.encode(errors="surrogatepass") for text in found)


def _without(value: Any, secrets: tuple[str, ...]) -> Any:
    if isinstance(value, str):
        return redact(value, secrets)
    if isinstance(value, dict):
        return {redact(key, secrets): _without(item, secrets) for key, item in value.items()}
    if isinstance(value, list):
        return [_without(item, secrets) for item in value]
    if isinstance(value, int | float) and not isinstance(value, bool):
        text = json.dumps(value)
        hidden = redact(text, secrets)
        return value if hidden == text else hidden
    return value
